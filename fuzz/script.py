"""Bytes read as decisions, so that a change of bytes is a change of what happens, and what happens stays like TCP."""
from __future__ import annotations

import random


class Script:
    """Numbers and runs of bytes out of ``data``; zeros once it is used up."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def take(self, size: int) -> bytes:
        piece = self.data[self.at:self.at + size]
        self.at += size
        return piece

    def number(self, size: int = 1) -> int:
        return int.from_bytes(self.take(size).ljust(size, b"\0"), "big")

    def choose(self, values):
        return values[self.number() % len(values)]

    def piece(self) -> bytes:
        """So many bytes as the next byte says."""
        return self.take(self.number())

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)


class Dice(random.Random):
    """Rolls what the script says."""

    def __init__(self, script: Script) -> None:
        super().__init__(0)
        self._script = script

    def random(self) -> float:
        return self._script.number() / 256

    def getrandbits(self, bits: int) -> int:
        size = (bits + 7) // 8
        return self._script.number(size) >> 8 * size - bits


def pieces(*values: bytes) -> bytes:
    """What ``piece`` reads as these, each cut to 255 bytes."""
    return b"".join(bytes([len(value[:255])]) + value[:255] for value in values)
