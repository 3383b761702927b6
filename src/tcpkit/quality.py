"""What in a capture would mislead whoever reads it, and what that does to the results."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tcpcore.census import Census
    from tcpcore.fragments import Fragments
    from tcpcore.quality import Quality

OFFLOAD_SHARE = 1000             # one in so many checksums; by chance one in 20,000 looks left unfilled
OFFLOAD_LEAST = 3
Count = tuple[int, list[int]]


@dataclass(frozen=True, slots=True)
class Flaw:
    """``count`` ``unit`` of ``total`` show it; ``examples`` are numbers of frames where it can be seen first."""

    kind: str
    count: int
    total: int
    unit: str
    what: str
    consequence: str
    examples: tuple[int, ...] = ()


def find_flaws(census: Census, quality: Quality, fragments: Fragments, dropped: int, received: int) \
        -> tuple[Flaw, ...]:
    """All flaws that the counts of a pass show; ``dropped``: what the capturing machine says it missed."""
    flaws = [*_of_the_clock(census), *_of_the_cut(census, quality), _of_fragments(fragments), *_of_the_path(quality),
             *_of_the_machine(quality, dropped, received)]
    return tuple(flaw for flaw in flaws if flaw.count)


def undescribed(left_out: int, described: int) -> tuple[Flaw, ...]:
    """Where a capture says more of itself than is kept."""
    flaw = Flaw("descriptions", left_out, described, "descriptions",
                "more names, comments and interfaces than are kept",
                "the first ones are shown; frames, streams and bytes are those of all")
    return (flaw,) if left_out else ()


def _of_the_clock(census: Census) -> list[Flaw]:
    back = f"up to {census.furthest_back / 1e6:,.6g} ms"
    return [
        _flaw("clock_step", census.steps, census.frames, "frames",
              f"the clock is set back, by {back}",
              "durations, round-trip times and rates across a step are wrong"),
        _flaw("out_of_order", census.disordered, census.frames, "frames",
              f"earlier than the frame before, by {back}",
              "times between frames may be negative; segments may look reordered or retransmitted that were not"),
    ]


def _of_the_cut(census: Census, quality: Quality) -> list[Flaw]:
    found = quality.findings()
    least, most = census.cut_lengths
    kept = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return [
        _flaw("cut_frames", census.cut, census.frames, "frames",
              f"captured in part, {kept} bytes of each (snap length)",
              f"{found['cut_payloads'][0]:,} segments lack payload, which is a gap in their streams; lengths and "
              "sequence numbers come from the headers and are right"),
        _flaw("cut_headers", found["cut_headers"], quality.segments, "segments",
              "the TCP header itself was cut",
              "window scale, timestamps and selective acknowledgements of these segments are unknown"),
    ]


def _of_fragments(fragments: Fragments) -> Flaw:
    """Those that memory ran out for have a warning of their own."""
    unfinished = fragments.timed_out + fragments.incomplete
    return Flaw("incomplete_datagrams", unfinished, unfinished + fragments.joined + fragments.evicted,
                "fragmented datagrams", "not all of their IP fragments were captured",
                "what they carried is missing from tables and streams")


def _of_the_path(quality: Quality) -> list[Flaw]:
    found = quality.findings()
    sequence = quality.payload_bytes + quality.missing_bytes
    return [
        _flaw("duplicates", found["duplicates"], quality.segments, "segments",
              f"the same packet again, by mirroring or by the network; {quality.duplicates_elsewhere:,} with another "
              "TTL, VLAN or interface",
              "copies count as packets and look like retransmissions or duplicate acknowledgements: mirror at one "
              "place only, or filter by VLAN or interface"),
        _flaw("one_sided", found["one_sided"], quality.flows, "flows",
              "only one of the two directions was captured",
              "no round-trip times; nothing says what arrived; losses cannot be told"),
        _flaw("begun_before", found["begun_before"], quality.flows, "flows",
              "begun before the capture, or their first segment was not captured",
              "window scale and MSS are unknown, relative numbers count from the first segment seen"),
        _flaw("capture_loss", found["losses"], quality.segments, "segments",
              f"acknowledge data that was never captured, {quality.missing_bytes:,} bytes in all, "
              f"{quality.missing_bytes / max(sequence, 1):.2%} of what was sent",
              "gaps in streams that the receiver did not have; packets are undercounted"),
    ]


def _of_the_machine(quality: Quality, dropped: int, received: int) -> list[Flaw]:
    found = quality.findings()
    unfilled = found["unfilled_checksums"]
    if unfilled[0] < max(OFFLOAD_LEAST, quality.checksums // OFFLOAD_SHARE):
        unfilled = (0, [])
    return [
        Flaw("dropped", dropped, received, "packets", "dropped by the capturing machine, by its own account",
             "gaps that look like losses of the network"),
        _flaw("offload", found["super_segments"], quality.segments, "segments",
              "longer than the network can carry: split (or joined) by the network card, past the capture",
              "packets on the wire are more and smaller; what happened to each cannot be told"),
        _flaw("checksum_offload", unfilled, quality.checksums, "segments",
              "the checksum is not filled in: left to the network card of the capturing machine, or made so",
              "wrong checksums do not mean damage; none is checked here"),
    ]


def _flaw(kind: str, found: Count, total: int, unit: str, what: str, consequence: str) -> Flaw:
    count, examples = found
    return Flaw(kind, count, total, unit, what, consequence, tuple(examples))
