"""What a capture is: files, interfaces, counts, times, who made it, and what would mislead its reader."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from tcpcore.census import Census
from tcpcore.flags import DecodeStatus
from tcpcore.quality import Quality
from tcpkit.link_types import link_name
from tcpkit.quality import Flaw, find_flaws, undescribed

if TYPE_CHECKING:
    from tcpcore.capture_file import Reader
    from tcpcore.merge import MergedReader
    from tcpcore.metadata import Interface, Section
    from tcpkit.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file; ``size`` is as stored, None for a pipe; ``compression`` None if it is not compressed."""

    name: str
    format: str
    compression: str | None
    size: int | None
    frames: int
    damage: str | None
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class InterfaceInfo:
    """One interface; ``details`` is what the file says of it, ``frames`` and bytes are counted."""

    link_name: str
    details: Interface
    frames: int
    captured_bytes: int
    wire_bytes: int


@dataclass(frozen=True, slots=True, repr=False)
class CaptureInfo:
    """``frames`` are all that have a number; ``packets`` leaves out records of another kind.  Times are int64
    nanoseconds since the epoch, None without a frame that has one; the order is strict if no frame is earlier than
    the one before.  ``decoded`` counts packets by what decoding came to."""

    files: tuple[FileInfo, ...]
    interfaces: tuple[InterfaceInfo, ...]
    frames: int
    packets: int
    captured_bytes: int
    wire_bytes: int
    first_ns: int | None
    last_ns: int | None
    strict_order: bool
    untimed_frames: int
    frame_comments: int
    ipv4_names: int
    ipv6_names: int
    secrets: int
    decoded: dict[str, int]
    segments: int
    flows: int
    payload_bytes: int
    quality: tuple[Flaw, ...]

    @property
    def duration(self) -> float:
        """Seconds from the earliest frame to the latest."""
        return 0.0 if self.first_ns is None or self.last_ns is None else (self.last_ns - self.first_ns) / 1e9

    @property
    def packet_rate(self) -> float | None:
        """Packets a second, on average."""
        return self.packets / self.duration if self.duration else None

    @property
    def bit_rate(self) -> float | None:
        """Bits on the wire a second, on average."""
        return self.wire_bytes * 8 / self.duration if self.duration else None

    @property
    def average_size(self) -> float | None:
        """Bytes of a packet on the wire."""
        return self.wire_bytes / self.packets if self.packets else None

    def __repr__(self) -> str:
        from tcpkit.info_text import lines_of

        return "\n".join(lines_of(self))

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {**asdict(self), "duration": self.duration, "packet_rate": self.packet_rate, "bit_rate": self.bit_rate,
                "average_size": self.average_size}


def survey(pipeline: Pipeline) -> CaptureInfo:
    """Run the pass, which tells flows apart, and describe what it read."""
    census, quality = Census(), Quality()
    reader = cast("Reader | MergedReader", pipeline.reader)       # only files are described
    for batch in pipeline:
        census.process(batch)
        quality.process(batch)
    _take_latest_statistics(reader)
    statistics = [interface.statistics for interface in reader.interfaces]
    flaws = find_flaws(census, quality, pipeline.fragments, sum(counts.get("dropped", 0) for counts in statistics),
                       sum(counts.get("received", 0) for counts in statistics))
    untimed = sum(part.n_untimed for part in reader.parts)
    first, last = _span(census, untimed)
    notes = [part.metadata for part in reader.parts]
    left_out, described = (sum(counts) for counts in zip(*(note.left_out for note in notes), strict=True))
    return CaptureInfo(
        files=tuple(map(_describe_file, reader.parts)),
        interfaces=tuple(InterfaceInfo(link_name(interface.link_type), interface, *census.interface(number))
                         for number, interface in enumerate(reader.interfaces)),
        frames=census.frames, packets=census.frames - census.others,
        captured_bytes=census.captured_bytes, wire_bytes=census.wire_bytes,
        first_ns=first, last_ns=last, strict_order=not census.steps[0] and not census.disordered[0],
        untimed_frames=untimed,
        frame_comments=sum(part.n_comments for part in reader.parts),
        ipv4_names=sum(note.n_ipv4_names for note in notes), ipv6_names=sum(note.n_ipv6_names for note in notes),
        secrets=sum(note.n_secrets for note in notes),
        decoded={DecodeStatus(status).name.removeprefix("STATUS_").lower(): count
                 for status, count in enumerate(census.statuses) if count},
        segments=quality.segments, flows=quality.flows, payload_bytes=quality.payload_bytes,
        quality=(*flaws, *undescribed(left_out, described)))


def _span(census: Census, untimed: int) -> tuple[int | None, int | None]:
    """The earliest and the latest time; 0 counts if all frames have a time."""
    times = [*(census.times or ()), *([0] if census.at_zero and not untimed else [])]
    return (min(times), max(times)) if times else (None, None)


def _describe_file(part: Reader) -> FileInfo:
    return FileInfo(str(part.name), part.format, getattr(part.source, "compression", None),
                    getattr(part.source, "size", None), part.n_frames,
                    None if part.damage is None else f"at byte {part.damage[0]}: {part.damage[1]}",
                    tuple(part.metadata.sections))


def _take_latest_statistics(reader: Reader | MergedReader) -> None:
    """In a rotated set the last file's count, since the counters go on from file to file."""
    if len(reader.parts) > 1:
        latest = {interface.identity: interface.statistics
                  for part in reader.parts for interface in part.interfaces if interface.statistics}
        for interface in reader.interfaces:
            interface.statistics = latest.get(interface.identity, {})
