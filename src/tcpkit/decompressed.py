"""Compressed captures, decompressed in a thread of their own."""
from __future__ import annotations

import contextlib
import queue
import threading
from typing import Protocol

from tcpkit.compression import HEAD, SKIPPABLE, Decompressor, Format, find_format, why_it_fails

PIECE = 256 * 1024           # bytes handed over at a time
PIECES_AHEAD = 8
STEP = 4096                  # bytes asked for at a time: what a library makes before it finds damage, it keeps


class Raw(Protocol):
    """Where the compressed bytes come from; ``damage`` says why they end early, ``growing`` that they may."""

    damage: str | None
    growing: bool

    def readinto(self, buffer: memoryview, /) -> int: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


class DecompressedSource:
    """Decompresses ``raw`` in the background, a bounded way ahead of ``readinto``.

    Damage ends it: ``readinto`` gives what came before, then 0, and ``damage`` tells the cause.
    """

    def __init__(self, raw: Raw, name: str, size: int | None, found: Format) -> None:
        self.compression, self._new_member, self._step = found
        self._undecided = True                    # as long as only skippable frames have come
        self.name = name
        self.size = size                          # compressed
        self.damage: str | None = None
        self._raw = raw
        self._piece = memoryview(b"")
        self._ended = False
        self._pieces: queue.Queue[bytes | str | MemoryError | None] = queue.Queue(PIECES_AHEAD)
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
            elif isinstance(piece, MemoryError):
                self._pieces.put(piece)           # the last: for who asks again
                raise piece
            else:
                self.damage, self._ended = piece, True
        size = min(len(self._piece), len(buffer))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    @property
    def growing(self) -> bool:
        """Whether it may end in the middle of a record."""
        return self._raw.growing

    def stop(self) -> None:
        """Let what there is now be all; from any thread or signal handler."""
        self._raw.stop()

    def close(self) -> None:
        """Stop the thread, which then closes what it reads from."""
        self._closed.set()
        self._ended = True
        with contextlib.suppress(queue.Empty):
            self._pieces.get_nowait()
        self._thread.join(timeout=1)              # it may wait for a pipe

    def _run(self) -> None:
        cause: str | MemoryError | None = None
        try:
            self._decompress()
        except MemoryError as error:
            cause = error                         # no fault of the data: the reader's error
        except Exception as error:                # each library has errors of its own; the reader must not wait forever
            cause = (why_it_fails(self.compression, error)
                     or f"damaged {self.compression} data, near byte {self._consumed} of the file: {error}")
        finally:
            self._raw.close()
        self._hand_over(b"".join(self._ready))
        self._hand_over(cause)

    def _hand_over(self, piece: bytes | str | MemoryError | None) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                return self._pieces.put(piece, timeout=0.1)

    def _decompress(self) -> None:
        """All members one after the other."""
        chunk = memoryview(bytearray(self._step))
        member: Decompressor | None = None
        data = b""
        while not self._closed.is_set() and (size := self._raw.readinto(chunk)):
            data += bytes(chunk[:size])
            self._consumed += size
            while data:
                if member is None:
                    data = data.lstrip(b"\0")     # padding between members
                    if len(data) < HEAD:
                        break
                    member = self._begin_member(data)
                data, member = self._feed(member, data)
        if (member is not None or data) and not self._closed.is_set() and not self._raw.growing:
            raise EOFError(self._raw.damage or "it ends too early")

    def _begin_member(self, data: bytes) -> Decompressor:
        """Of the format that the first one has which is no skippable frame."""
        if self._undecided:
            self.compression, self._new_member, _ = find_format(data) or (self.compression, self._new_member, 0)
            self._undecided = data.startswith(SKIPPABLE)
        return self._new_member()

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
