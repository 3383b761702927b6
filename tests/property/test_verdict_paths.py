"""Verdicts on random transfers over a path that loses, delays and copies, beside what really happened.

New segments are always told, and where IP IDs count the packets no verdict may be wrong at all.  Time stamps do not
tell a copy from what is sent again within one tick, and not before a round trip has been measured; without either,
timing is all there is.  Of what was not simply new, some few in a hundred may then be taken for one another.
"""
from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import settings

from packets import SACK_PERMITTED, T0, Frame, ethernet, ip, mss, pcap, sack, tcp, timestamps
from reference.transfer import MS, Packet, Path, Transfer, truth
from stages import judged_batches
from tcpcore.flags import SegmentKind
from tcpkit.corrections import Corrections

KINDS = [kind.name.removeprefix("KIND_").lower() for kind in sorted(SegmentKind)]
KINDS[0] = ""
WITNESSES = {"stamps and counters": (True, True, 4), "stamps": (True, False, 4), "counters": (False, True, 4),
             "IPv6 with stamps": (True, False, 6), "none": (False, False, 6)}


def transfer(random: Random) -> Transfer:
    """Somewhere between a clean path and a bad one, captured anywhere on it."""
    where, trip = random.choice([0.02, 0.1, 0.5, 0.9, 0.98]), random.choice([20, 60, 200]) * MS
    chance = random.choice([0.0, 0.02, 0.08])
    path = Path(*(random.choice([0.0, chance]) for _ in range(4)), before=int(trip / 2 * where),
                after=int(trip / 2 * (1 - where)))
    sizes = [random.choice([1460, 1460, 900, 20]) for _ in range(random.randrange(5, 80))]
    return Transfer(random, path, sizes, random.randrange(2, 12), random.random() < 0.7)


def frame(time: int, packet: Packet, isn: int, witness: tuple[bool, bool, int], snap: int) -> Frame:
    stamped, counted, version = witness
    ends = ("10.0.0.1", "10.0.0.2") if version == 4 else ("fd09::1", "fd09::2")
    ports, base = (50000, 80), (isn, 5000)
    end = 0 if packet.from_client else 1
    options = mss() + SACK_PERMITTED if "S" in packet.flags else b""
    if stamped:
        options += timestamps(packet.stamp, packet.echo)
    if packet.blocks:
        options += sack(*((isn + left, isn + right) for left, right in packet.blocks))
    header = tcp(ports[end], ports[1 - end], base[end] + packet.seq, base[1 - end] + packet.ack if packet.ack else 0,
                 packet.flags, options=options, payload=bytes(packet.length))
    fields = {"ident": packet.ident if counted else 0} if version == 4 else {}
    data = ethernet(ip(ends[end], ends[1 - end], header, **fields))
    return Frame(T0 + time, data[:snap], len(data))


def judged(frames: list[Frame], size: int) -> np.ndarray:
    """The last verdicts, with batches of ``size`` frames."""
    corrections, rows = Corrections(), []
    for batch in judged_batches(pcap(frames, nano=True), size):
        rows.append(batch.array.copy())
        corrections.collect(batch)
    out = np.concatenate(rows)
    corrections.apply(out)
    return out


def mistakes(seed: int, name: str) -> tuple[list[tuple[str, str]], int]:
    """(truth, verdict) of each that differ, and how many segments were not simply new."""
    random = Random(seed)
    captured = transfer(random).run()
    isn = random.choice([1000, (1 << 32) - random.randrange(1, 30_000)])
    snap = random.choice([200, 1 << 16])
    start = random.choice([0, 0, random.randrange(len(captured))])
    kinds = truth(captured)[start:]
    frames = [frame(time, packet, isn, WITNESSES[name], snap) for time, packet in captured[start:]]
    rows = judged(frames, random.choice([1, 3, 64]))
    before = max((packet.seq for _, packet in captured[:start] if packet.from_client), default=-1)
    wrong, high = [], 0
    for row, kind, (_, packet) in zip(rows, kinds, captured[start:], strict=True):
        said = KINDS[row["kind"]]
        # Nothing shows that bytes at the head, or from before the capture began, had been sent and lost before.
        hidden = packet.seq <= before or (packet.seq >= high and (kind, said) == ("retransmission", "new"))
        if packet.length and not hidden and said not in (kind, "undetermined"):
            wrong.append((kind, said))
        high = max(high, packet.seq + packet.length) if packet.from_client else high
    return wrong, sum(kind not in ("", "new") for kind in kinds)


@pytest.mark.parametrize(("name", "tolerated"), [
    ("stamps and counters", 0), ("counters", 0), ("stamps", 0.02), ("IPv6 with stamps", 0.02), ("none", 0.06)])
def test_verdicts_are_what_happened(name, tolerated):
    results = [mistakes(seed, name) for seed in range(settings.default.max_examples)]
    wrong = [pair for pairs, _ in results for pair in pairs]
    assert [pair for pair in wrong if "new" in pair] == []
    assert len(wrong) <= tolerated * sum(late for _, late in results)
