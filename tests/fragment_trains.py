"""Random datagrams in fragments: shuffled, repeated, overlapping, cut, some never complete."""
from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from itertools import pairwise

from packets import T0, Frame, ethernet, ipv4, ipv6, tcp


@dataclass
class Fragment:
    ident: int
    version: int
    offset: int
    more: bool
    data: bytes

    def frame(self, time: int) -> Frame:
        if self.version == 6:
            header = struct.pack(">BBHI", 6, 0, self.offset | self.more, self.ident)
            packet = ipv6("fd00::1", "fd00::2", header + self.data, 44, hop_limit=self.offset % 251)
        else:
            packet = ipv4("10.0.0.1", "10.0.0.2", self.data, ident=self.ident, ttl=self.offset % 251,
                          fragment=self.offset // 8 | (0x2000 if self.more else 0))
        data = ethernet(packet)
        return Frame(time, data, len(data))


def datagram(dice: random.Random, ident: int) -> list[Fragment]:
    """One TCP segment in fragments, perhaps with repeated and overlapping ones, perhaps out of order."""
    size = dice.choice((60, 100, 204, 304))
    whole = tcp(1000 + ident % 50000, 2000, dice.getrandbits(32), 5, payload=dice.randbytes(size - 20))
    cuts = [0, *sorted({8 * dice.randrange(1, size // 8) for _ in range(dice.randrange(1, 5))}), size]
    parts = list(pairwise(cuts))
    style = dice.random()
    if style < 0.3:
        parts += [dice.choice(parts) for _ in range(dice.randrange(1, 3))]
    elif style > 0.6:
        for _ in range(dice.randrange(1, 4)):
            start = 8 * dice.randrange(size // 8)
            parts.append((start, min(size, start + 8 * dice.randrange(1, 8))))
    if dice.random() < 0.6:
        dice.shuffle(parts)
    if dice.random() < 0.1:
        parts.pop()
    version = dice.choice((4, 6))
    return [fragment(dice, ident, version, size, part, whole) for part in parts]


def fragment(dice: random.Random, ident: int, version: int, size: int, part: tuple[int, int], whole: bytes) -> Fragment:
    """Mostly the bytes of the datagram; some lie about their content, length or place."""
    start, end = part
    data = whole[start:end] if dice.random() < 0.9 else dice.randbytes(end - start)
    more = (end < size) != (dice.random() < 0.03)
    if dice.random() < 0.03:
        data = data[:dice.randrange(len(data) + 1)]
    return Fragment(ident, version, start, more, data)


def trains(seed: int, datagrams: int) -> list[Fragment]:
    """Fragments of many datagrams, half of them in the midst of one another."""
    dice = random.Random(seed)
    out: list[Fragment] = []
    waiting: list[list[Fragment]] = []
    for ident in range(1, datagrams + 1):
        pieces = datagram(dice, ident)
        if dice.random() < 0.5:
            out += pieces
        else:
            waiting.append(pieces)
        while len(waiting) > 3 and any(waiting):
            out.append(dice.choice([each for each in waiting if each]).pop(0))
        waiting = [each for each in waiting if each]
    return out + [each for pieces in waiting for each in pieces]


def frames(fragments: list[Fragment]) -> list[Frame]:
    return [each.frame(T0 + 1_000_000 * i) for i, each in enumerate(fragments)]
