"""What a capture says about itself: the sections, interfaces, names and statistics blocks of pcapng.

Every parser takes the body of one block and raises ValueError where the block is malformed.  What is
kept is bounded, whatever the capture claims: see KEPT and TEXT_KEPT.
"""
from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

KEPT = 4096                  # interfaces, and sections
TEXT_KEPT = 1 << 20          # characters of names, comments and filters in all
LONGEST_TEXT = 65_536
_TEXT_COST = 64              # of a string beside its characters

_COMMENT = 1
_CUSTOM = {2988, 2989, 19372, 19373}
_SECTION_TEXT = {2: "hardware", 3: "operating_system", 4: "application"}
_INTERFACE_TEXT = {2: "name", 3: "description", 12: "operating_system", 15: "hardware"}
_STATISTICS = {4: "received", 5: "dropped", 6: "accepted", 7: "dropped_by_system", 8: "delivered"}


@dataclass(slots=True)
class Section:
    """A section of a pcapng file: who wrote it."""

    hardware: str | None = None
    operating_system: str | None = None
    application: str | None = None
    comments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Interface:
    """An interface frames were captured on; for classic pcap, the file's only one.

    ``resolution`` is the byte of if_tsresol: a negative power of 10, or of 2 with its top bit set.
    """

    link_type: int
    snaplen: int
    section: int = 0
    id: int = 0                                   # within its section
    resolution: int = 6
    offset_s: int = 0
    name: str | None = None
    description: str | None = None
    operating_system: str | None = None
    hardware: str | None = None
    filter: str | None = None
    speed: int | None = None                      # bit/s
    fcs_len: int = 0                              # bytes of check sequence at the end of a frame
    comments: list[str] = field(default_factory=list)
    statistics: dict[str, int] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes interfaces of several captures the same one."""
        return (self.link_type, self.snaplen, self.resolution, self.name, self.description, self.operating_system,
                self.hardware, self.filter, self.fcs_len)

    @property
    def clock(self) -> tuple[int, int, int]:
        """(multiplier, divisor, shift): ns = ticks * multiplier >> shift // divisor."""
        exponent = self.resolution & 0x7F
        if self.resolution & 0x80:
            return 1_000_000_000, 1, exponent
        if exponent > 28:
            return 1, 1, 64                       # all ticks together are less than a nanosecond
        return 10 ** max(9 - exponent, 0), 10 ** max(exponent - 9, 0), 0


class Metadata:
    """Collects the descriptions as a reader meets them."""

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.interfaces: list[Interface] = []     # the first KEPT
        self.n_sections = self.n_interfaces = 0
        self.n_ipv4_names = self.n_ipv6_names = self.n_secrets = 0
        self._text_left = TEXT_KEPT
        self._n_texts = self._n_left_out = 0
        self._section_start = 0                   # its interface 0 among all

    def read_section(self, body: bytes, big: bool) -> None:
        """Section header block; raises ValueError also for a version that is not known."""
        order = ">" if big else "<"
        magic, major, minor = struct.unpack_from(order + "IHH", body)
        if magic != 0x1A2B3C4D:
            raise ValueError(f"unknown byte-order magic 0x{magic:08x} of a pcapng section")
        if (major, minor) not in ((1, 0), (1, 2)):
            raise ValueError(f"pcapng version {major}.{minor} is not known")
        section = Section()
        for code, value in options(body, 16, order):
            if code in _SECTION_TEXT:
                setattr(section, _SECTION_TEXT[code], self._text(value))
            elif code == _COMMENT:
                self._add_comment(section.comments, value)
        self.n_sections += 1
        self._section_start = self.n_interfaces
        if len(self.sections) < KEPT:
            self.sections.append(section)
        else:
            self._n_left_out += 1

    def read_interface(self, body: bytes, big: bool) -> Interface:
        """Interface description block."""
        if len(body) < 8:
            raise ValueError("an interface description block that is too short")
        order = ">" if big else "<"
        link_type, _, snaplen = struct.unpack_from(order + "HHI", body)
        interface = Interface(link_type, snaplen, self.n_sections - 1, self.n_interfaces - self._section_start)
        seen = set()
        for code, value in options(body, 8, order) if len(body) > 8 else ():
            if code in seen and code != _COMMENT:
                continue                          # the first one counts
            seen.add(code)
            self._interface_option(interface, code, value, order)
        self.n_interfaces += 1
        if len(self.interfaces) < KEPT:
            self.interfaces.append(interface)
        else:
            self._n_left_out += 1
        return interface

    def _interface_option(self, interface: Interface, code: int, value: bytes, order: str) -> None:
        if code in _INTERFACE_TEXT:
            setattr(interface, _INTERFACE_TEXT[code], self._text(value))
        elif code == _COMMENT:
            self._add_comment(interface.comments, value)
        elif code == 8 and len(value) == 8:
            interface.speed, = struct.unpack(order + "Q", value)
        elif code == 9 and len(value) == 1:
            interface.resolution = value[0]
        elif code == 13 and len(value) == 1:
            interface.fcs_len = value[0] // 8 if value[0] >= 8 else value[0]      # in bits, but some write bytes
        elif code == 11:
            if not value:
                raise ValueError("an empty filter option")
            interface.filter = self._text(value[1:]) if value[0] == 0 else f"{len(value) - 1} bytes of BPF code"
        elif code == 14 and len(value) == 8:
            interface.offset_s, = struct.unpack(order + "q", value)

    def read_names(self, body: bytes, big: bool) -> None:
        """Name resolution block: only counted."""
        order, at = ">" if big else "<", 0
        if len(body) < 4:
            raise ValueError("a name resolution block that is too short")
        while at + 4 <= len(body):
            kind, length = struct.unpack_from(order + "HH", body, at)
            at += 4
            if kind == 0:
                break
            if length + -length % 4 > len(body) - at:
                raise ValueError("a name record that reaches beyond its block")
            if kind in (1, 2):
                self._read_name(kind, body[at:at + length])
            at += length + -length % 4
        for _ in options(body, at, order):
            pass

    def _read_name(self, kind: int, record: bytes) -> None:
        address_len = 4 if kind == 1 else 16
        if len(record) < address_len:
            raise ValueError("a name record without an address")
        if not record.endswith(b"\0", address_len):
            raise ValueError("a name record without an end")
        names = record.count(b"\0", address_len)
        if kind == 1:
            self.n_ipv4_names += names
        else:
            self.n_ipv6_names += names

    def read_statistics(self, body: bytes, big: bool) -> None:
        """Interface statistics block; a later one of the same interface replaces it."""
        if len(body) < 12:
            raise ValueError("an interface statistics block that is too short")
        order = ">" if big else "<"
        number, high, low = struct.unpack_from(order + "III", body)
        found = {"ticks": high << 32 | low}
        for code, value in options(body, 12, order):
            if code in _STATISTICS and len(value) == 8:
                found[_STATISTICS[code]], = struct.unpack(order + "Q", value)
        number += self._section_start
        if number < len(self.interfaces):
            self.interfaces[number].statistics = found

    def read_secrets(self, body: bytes, big: bool) -> None:
        """Decryption secrets block: only counted."""
        if len(body) < 8:
            raise ValueError("a decryption secrets block that is too short")
        length, = struct.unpack_from(">I" if big else "<I", body, 4)
        if length > len(body) - 8:
            raise ValueError("decryption secrets that reach beyond their block")
        self.n_secrets += 1

    def _add_comment(self, comments: list[str], value: bytes) -> None:
        text = self._text(value)
        if text:
            comments.append(text)

    @property
    def left_out(self) -> tuple[int, int]:
        """Interfaces, sections and texts of which not all was kept; all there were."""
        return self._n_left_out, self.n_interfaces + self.n_sections + self._n_texts

    def _text(self, value: bytes) -> str | None:
        room = min(LONGEST_TEXT, self._text_left)
        self._n_texts += 1
        self._n_left_out += len(value) > room
        text = value[:room].rstrip(b"\0").decode("utf-8", "replace") if room > 0 else ""
        self._text_left -= len(text) + _TEXT_COST
        return text or None

    def readers(self) -> dict[int, Callable[[bytes, bool], object]]:
        """Block type -> what reads its body."""
        return {0x0A0D0D0A: self.read_section, 1: self.read_interface, 4: self.read_names, 5: self.read_statistics,
                10: self.read_secrets}


def options(body: bytes, at: int, order: str) -> Iterator[tuple[int, bytes]]:
    """(code, value) of each option from ``at`` on."""
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        at += 4
        if length > len(body) - at:
            raise ValueError(f"an option of {length} bytes that reaches beyond its block")
        if code == 0:
            return
        if code in _CUSTOM and length < 4:
            raise ValueError("a custom option that is too short")
        yield code, body[at:at + length]
        at += length + -length % 4
