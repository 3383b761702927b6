"""Compressed captures, recognised by content and decompressed in a thread of their own.

The decompressors of the standard library, of lz4 and of isal share an interface; the adapters below
give it to those that lack it.
"""
from __future__ import annotations

import contextlib
import queue
import threading
import zlib
from collections.abc import Callable
from typing import Protocol

PIECE = 256 * 1024           # bytes handed over at a time
PIECES_AHEAD = 8
XZ_MEMORY = 128 << 20        # what xz may take for its dictionary: that of its level 9 is half of it
STEP = 4096                  # bytes asked for at a time: what a library makes before it finds damage, it keeps


class Decompressor(Protocol):
    """What bz2.BZ2Decompressor is: one member (frame, stream) of compressed data."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Raw(Protocol):
    """Where the compressed bytes come from; ``damage`` says why they end early."""

    damage: str | None

    def readinto(self, buffer: memoryview, /) -> int: ...

    def close(self) -> None: ...


class _Zlib:
    """Gzip by the standard library."""

    def __init__(self) -> None:
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


class _Zstandard:
    """Zstandard's object knows no limit of its output; feeding 1 KiB at a time keeps a bomb below 34 MiB."""

    needs_input = True

    def __init__(self) -> None:
        import zstandard  # takes a while: only where it is needed

        self._frame = zstandard.ZstdDecompressor().decompressobj()

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

    member: Decompressor = lzma.LZMADecompressor(memlimit=XZ_MEMORY)
    return member


def _bzip2() -> Decompressor:
    import bz2

    return bz2.BZ2Decompressor()


# first bytes -> (name, what decompresses one member, compressed bytes fed at a time)
_FORMATS: list[tuple[bytes, str, Callable[[], Decompressor], int]] = [
    (b"\x1f\x8b", "gzip", _gzip, 65_536),
    (b"\x28\xb5\x2f\xfd", "Zstandard", _Zstandard, 1_024),
    *((bytes([0x50 + kind, 0x2A, 0x4D, 0x18]), "Zstandard", _Zstandard, 1_024) for kind in range(16)),  # skippable
    (b"\x04\x22\x4d\x18", "LZ4", _lz4, 65_536),
    (b"\xfd7zXZ\0", "xz", _xz, 65_536),
    (b"BZh", "bzip2", _bzip2, 65_536),
]
HEAD = 6                     # bytes that tell


def find_format(head: bytes) -> tuple[str, Callable[[], Decompressor], int] | None:
    """Name, decompressor and step for data that begins with ``head``; None if it is not compressed."""
    for magic, name, decompressor, step in _FORMATS:
        if head.startswith(magic):
            return name, decompressor, step
    return None


class DecompressedSource:
    """Decompresses ``raw`` in the background, a bounded way ahead of ``readinto``.

    Damage ends it: ``readinto`` gives what came before, then 0, and ``damage`` tells the cause.
    """

    def __init__(self, raw: Raw, name: str, size: int | None, head: bytes) -> None:
        found = find_format(head)
        if found is None:
            raise ValueError(f"{name} is not compressed in a known way")
        self.compression, self._new_member, self._step = found
        self.name = name
        self.size = size                          # compressed
        self.damage: str | None = None
        self._raw = raw
        self._piece = memoryview(b"")
        self._ended = False
        self._pieces: queue.Queue[bytes | str | None] = queue.Queue(PIECES_AHEAD)
        self._consumed = 0                        # compressed bytes
        self._ready: list[bytes] = []             # of the piece that the thread is putting together
        self._ready_size = 0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"decompress {name}", daemon=True)
        self._thread.start()

    def readinto(self, buffer: memoryview) -> int:
        """Up to len(buffer) decompressed bytes; waits for some."""
        while not self._piece and not self._ended:
            piece = self._pieces.get()
            if isinstance(piece, bytes):
                self._piece = memoryview(piece)
            else:
                self.damage, self._ended = piece, True
        size = min(len(self._piece), len(buffer))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    def close(self) -> None:
        """Stop the thread, which then closes what it reads from."""
        self._closed.set()
        self._ended = True
        with contextlib.suppress(queue.Empty):
            self._pieces.get_nowait()
        self._thread.join(timeout=1)              # it may wait for a pipe

    def _run(self) -> None:
        cause: str | None = None
        try:
            self._decompress()
        except Exception as error:                # each library has errors of its own; the reader must not wait forever
            cause = f"damaged {self.compression} data, near byte {self._consumed} of the file: {error}"
        finally:
            self._raw.close()
        self._hand_over(b"".join(self._ready))
        self._hand_over(cause)

    def _hand_over(self, piece: bytes | str | None) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                return self._pieces.put(piece, timeout=0.1)

    def _decompress(self) -> None:
        """All members one after the other."""
        chunk = memoryview(bytearray(self._step))
        member: Decompressor | None = None
        while not self._closed.is_set() and (size := self._raw.readinto(chunk)):
            data = bytes(chunk[:size])
            self._consumed += size
            while data:
                if member is None:
                    data = data.lstrip(b"\0")     # padding between members
                    member = self._new_member() if data else None
                data, member = self._feed(member, data) if member else (b"", None)
        if member is not None and not self._closed.is_set():
            raise EOFError(self._raw.damage or "it ends too early")

    def _feed(self, member: Decompressor, data: bytes) -> tuple[bytes, Decompressor | None]:
        """Decompress ``data``; what the member leaves of it, and the member if it has not ended."""
        while not self._closed.is_set():
            self._collect(member.decompress(data, STEP))
            if member.eof:
                return member.unused_data, None
            if member.needs_input:
                break
            data = b""
        return b"", member

    def _collect(self, out: bytes) -> None:
        """Hand over what there is in pieces, for few bytes may unfold to many at once."""
        for start in range(0, len(out), PIECE):
            self._ready.append(out[start:start + PIECE])
            self._ready_size += len(self._ready[-1])
            if self._ready_size >= PIECE:
                self._hand_over(b"".join(self._ready))
                self._ready, self._ready_size = [], 0
