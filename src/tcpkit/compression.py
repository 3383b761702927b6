"""Forms of compression, recognised by content, and what decompresses them.

The decompressors of the standard library, of lz4 and of isal share an interface; the adapters below
give it to those that lack it.  A library is imported where it is needed.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading

WINDOW = 128 << 20           # bytes that Zstandard and xz may look back: no level of theirs does more
# What decompresses files that look back further.
BY_HAND = {"Zstandard": "zstd -d --long=31", "xz": "xz -d"}


class Decompressor(Protocol):
    """What bz2.BZ2Decompressor is: one member (frame, stream) of compressed data."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Zlib:
    """Gzip by the standard library."""

    def __init__(self) -> None:
        import zlib

        self._member = zlib.decompressobj(wbits=31)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._member.decompress(self._member.unconsumed_tail + data, max_length)

    @property
    def needs_input(self) -> bool:
        return not self._member.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data


@cache
def _of_thread() -> threading.local:
    """What is dear to make, and serves one frame after the other."""
    import threading

    return threading.local()


class _Zstandard:
    """Zstandard's object knows no limit of its output; feeding 1 KiB at a time keeps a bomb below 34 MiB."""

    needs_input = True

    def __init__(self) -> None:
        import zstandard

        own = _of_thread()
        if not hasattr(own, "zstandard"):
            own.zstandard = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        frames: zstandard.ZstdDecompressor = own.zstandard
        self._frame = frames.decompressobj()

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._frame.decompress(data)

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data


def _gzip() -> Decompressor:
    try:
        from isal import igzip_lib
    except ImportError:
        return _Zlib()
    member: Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    return member


def _lz4() -> Decompressor:
    import lz4.frame

    member: Decompressor = lz4.frame.LZ4FrameDecompressor()
    return member


def _xz() -> Decompressor:
    import lzma

    member: Decompressor = lzma.LZMADecompressor(memlimit=WINDOW)
    return member


def _bzip2() -> Decompressor:
    import bz2

    return bz2.BZ2Decompressor()


# Zstandard and LZ4 share frames that hold other things than data (RFC 8878 section 3.1.2).
SKIPPABLE = tuple(bytes([0x50 + kind, 0x2A, 0x4D, 0x18]) for kind in range(16))
# Name, what decompresses one member, compressed bytes fed at a time.
Format = tuple[str, Callable[[], Decompressor], int]
# By first bytes.
_FORMATS: list[tuple[bytes, str, Callable[[], Decompressor], int]] = [
    (b"\x1f\x8b", "gzip", _gzip, 65_536),
    (b"\x28\xb5\x2f\xfd", "Zstandard", _Zstandard, 1_024),
    *((magic, "Zstandard", _Zstandard, 1_024) for magic in SKIPPABLE),
    (b"\x04\x22\x4d\x18", "LZ4", _lz4, 65_536),
    (b"\xfd7zXZ\0", "xz", _xz, 65_536),
    (b"BZh", "bzip2", _bzip2, 65_536),
]
HEAD = 6                     # bytes that tell


def find_format(head: bytes) -> Format | None:
    """That of data that begins with ``head``; None if it is not compressed."""
    for magic, name, decompressor, step in _FORMATS:
        if head.startswith(magic):
            return name, decompressor, step
    return None


def why_it_fails(name: str, error: Exception) -> str | None:
    """What a library's error says if it is not that the data are damaged."""
    if name in BY_HAND and "memory" in str(error).lower():
        return (f"{name} data that look back more than {WINDOW >> 20} MiB: "
                f"decompress the file first with {BY_HAND[name]}")
    return None
