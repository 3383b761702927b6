"""Joining IP fragments, the slow and obvious way: dictionaries of lists (RFC 791 section 3.2, RFC 8200 section 4.5)."""
from __future__ import annotations

TIMEOUT_NS = 255_000_000_000


class Fragments:
    """Datagrams by key, in the order in which their first fragments came."""

    def __init__(self) -> None:
        self.waiting: dict[object, Datagram] = {}
        self.fragments = self.joined = self.timed_out = 0

    def add(self, time_ns: int, key: object, offset: int, more: bool, data: bytes) -> bytes | None:
        """The whole datagram if this fragment completes it."""
        self.fragments += 1
        while self.waiting:
            oldest = next(iter(self.waiting))
            if time_ns - self.waiting[oldest].time_ns <= TIMEOUT_NS:
                break
            del self.waiting[oldest]
            self.timed_out += 1
        if not data:
            return None
        datagram = self.waiting.setdefault(key, Datagram(time_ns))
        datagram.pieces.append((offset, data))
        if not more and datagram.length is None:
            datagram.length = offset + len(data)            # the first "last" fragment counts
        whole = datagram.whole()
        if whole is not None:
            del self.waiting[key]
            self.joined += 1
        return whole


class Datagram:
    def __init__(self, time_ns: int) -> None:
        self.time_ns = time_ns
        self.length: int | None = None
        self.pieces: list[tuple[int, bytes]] = []

    def whole(self) -> bytes | None:
        """Every byte from the piece with the lowest offset that has it, the earlier one of two equal offsets."""
        if self.length is None:
            return None
        found: list[int | None] = [None] * self.length
        for offset, data in sorted(self.pieces, key=lambda piece: piece[0]):
            for i, byte in enumerate(data, offset):
                if i < self.length and found[i] is None:
                    found[i] = byte
        return None if None in found else bytes(byte for byte in found if byte is not None)
