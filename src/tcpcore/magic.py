"""Capture formats by their magic numbers, and what a file that is not a capture seems to be, from its first bytes."""
from __future__ import annotations

# magic -> (name, unit of the time's fraction in ns, further bytes of the file header, record header lengths)
MAGICS = {
    0xA1B2C3D4: ("pcap", 1000, 0, (16, 24, 20)),      # 24: an early "modified" pcap, 20: Nokia's
    0xA1B23C4D: ("nanosecond pcap", 1, 0, (16,)),
    0xA1B2CD34: ("modified pcap", 1000, 0, (24, 28)),
    0x1C0001AC: ("Ixia pcap", 1000, 4, (16,)),
    0x1C0001AB: ("Ixia pcap", 1000, 4, (16,)),
}
_PCAPNG = 0x0A0D0D0A
_CAPTURES = {magic.to_bytes(4, order) for magic in (*MAGICS, _PCAPNG) for order in ("big", "little")}
_OTHERS = [
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (b"\x04\x22\x4d\x18", "LZ4 data"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"BZh", "bzip2 data"),
    (b"LZIP", "lzip data, which is not supported"),
    (b"\x1f\x9d", "data of compress (.Z), which is not supported"),
    (b"\x89LZO", "lzop data, which is not supported"),
    (b"\xff\x06\0\0sNaPpY", "Snappy data, which is not supported"),
    (b"Rar!", "a RAR archive"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x7fELF", "an ELF program or library"),
    (b"MZ", "a Windows program"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"PAR1", "a Parquet table"),
    (b"SQLite format 3", "an SQLite database"),
    (b"snoop\0\0\0", "a snoop capture, which is not supported"),
    (b"GMBU", "a Microsoft Network Monitor capture, which is not supported"),
    (b"RTSS", "a Microsoft Network Monitor 1 capture, which is not supported"),
    (b"erf", "an ERF capture, which is not supported"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"{", "text (JSON?)"),
]


def looks_like_capture(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is of a supported format."""
    return head[:4] in _CAPTURES


def describe(head: bytes) -> str:
    """What the first bytes ``head`` of a file look like."""
    if not head:
        return "an empty file"
    for magic, name in _OTHERS:
        if head.startswith(magic):
            return name
    if not head.strip(b"\0"):
        return "nothing but zero bytes"
    if all(byte in b"\t\n\r\f" or 32 <= byte < 127 for byte in head):
        return "text"
    return f"unknown data, beginning with {head[:8].hex(' ')}"
