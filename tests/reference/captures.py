"""A slow, obvious writer of pcapng and pcap files that knows what a reader must find in them.

Times are worked out with whole numbers of any size, then taken modulo 2^64 as the reader does.
"""
from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

NONE = 0xFFFF                    # the link type of a record that is not a packet
S = 1_000_000_000


class Expected(NamedTuple):
    """One frame."""

    time_ns: int
    wire_len: int
    interface_id: int
    link_type: int
    data: bytes


@dataclass
class Described:
    """An interface as it was described."""

    link_type: int
    snaplen: int
    resolution: int | None
    offset_s: int | None
    name: str | None

    def time_ns(self, ticks: int) -> int:
        resolution = 6 if self.resolution is None else self.resolution
        exponent = resolution & 0x7F
        ns = ticks * S // (2 ** exponent if resolution & 0x80 else 10 ** exponent) + (self.offset_s or 0) * S
        return (ns + 2 ** 63) % 2 ** 64 - 2 ** 63


@dataclass
class PcapngWriter:
    """``data`` grows block by block; ``frames`` lie in the blocks that end at ``frame_ends``."""

    data: bytes = b""
    order: str = "<"
    frames: list[Expected] = field(default_factory=list)
    frame_ends: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)          # of all blocks
    interfaces: list[Described] = field(default_factory=list)
    first: int = 0                                           # interface 0 of the section, among all

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.order + form, *values)

    def block(self, kind: int, body: bytes) -> None:
        body += bytes(-len(body) % 4)
        self.starts.append(len(self.data))
        total = 12 + len(body)
        self.data += self.pack("II", kind, total) + body + self.pack("I", total)

    def options(self, options: list[tuple[int, bytes]], end: bool) -> bytes:
        out = b"".join(self.pack("HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in options)
        return out + self.pack("HH", 0, 0) if options and end else out

    def section(self, order: str, options: list[tuple[int, bytes]] = ()) -> None:  # type: ignore[assignment]
        self.order = order
        self.first = len(self.interfaces)
        self.block(0x0A0D0D0A, self.pack("IHHq", 0x1A2B3C4D, 1, 0, -1) + self.options(list(options), end=True))

    def interface(self, described: Described, *, end: bool = True) -> None:
        options = []
        if described.name is not None:
            options.append((2, described.name.encode()))
        if described.resolution is not None:
            options.append((9, bytes([described.resolution])))
        if described.offset_s is not None:
            options.append((14, self.pack("q", described.offset_s)))
        self.interfaces.append(described)
        self.block(1, self.pack("HHI", described.link_type, 0, described.snaplen) + self.options(options, end))

    def packet(self, number: int, ticks: int, data: bytes, wire_len: int, options: list[tuple[int, bytes]], *,
               old: bool = False, end: bool = True) -> None:
        """Enhanced packet block, or the obsolete packet block."""
        interface = self.interfaces[self.first + number]
        head = self.pack("HH", number, 0xFFFF) if old else self.pack("I", number)
        head += self.pack("IIII", ticks >> 32, ticks & 0xFFFFFFFF, len(data), wire_len)
        self.block(2 if old else 6, head + data + bytes(-len(data) % 4) + self.options(options, end))
        self.expect(interface.time_ns(ticks), wire_len, self.first + number, interface.link_type, data)

    def simple_packet(self, data: bytes) -> None:
        interface = self.interfaces[self.first]
        kept = data[:interface.snaplen] if interface.snaplen else data
        self.block(3, self.pack("I", len(data)) + kept)
        self.expect(0, len(data), self.first, interface.link_type, kept)

    def custom(self, data: bytes) -> None:
        """A custom block counts as a frame, though it holds no packet."""
        data += bytes(-len(data) % 4)
        self.block(0xBAD, self.pack("I", 32473) + data)
        self.expect(0, len(data), 0, NONE, data)

    def expect(self, time_ns: int, wire_len: int, number: int, link_type: int, data: bytes) -> None:
        self.frames.append(Expected(time_ns, min(wire_len, 0x7FFFFFFF), number, link_type, data))
        self.frame_ends.append(len(self.data))

    def frames_before(self, offset: int) -> list[Expected]:
        """Those that lie wholly before a byte."""
        return [frame for frame, end in zip(self.frames, self.frame_ends, strict=True) if end <= offset]


def pcap_file(order: str, nano: bool, link_type: int, packets: list[tuple[int, int, bytes, int]]) -> PcapngWriter:
    """A classic file of (seconds, fraction, data, length on the wire), with what to expect of it."""
    made = PcapngWriter(order=order)
    made.data = made.pack("IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link_type)
    for seconds, fraction, data, wire_len in packets:
        made.starts.append(len(made.data))
        made.data += made.pack("IIII", seconds, fraction, len(data), wire_len) + data
        made.expect(seconds * S + fraction * (1 if nano else 1000), wire_len, 0, link_type, data)
    return made
