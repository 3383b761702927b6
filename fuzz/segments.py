"""Segments of a few connections, one for each eight bytes of a script.

Where a segment begins, what it acknowledges and when it comes are steps from where its side stood before, so that
most segments touch something that was sent.
"""
from __future__ import annotations

import struct
from collections.abc import Iterator

from script import Script

from packets import M32, sack, timestamps

STEPS = (0, 0, 0, 1, -1, 10, -10, 100, -100, 1460, -1460, 65535, -65535, 2**30, 2**31 - 1, 2**31)
SIZES = (0, 0, 1, 1, 2, 10, 100, 536)
TIMES = (0, 0, 1, 1000, 10**6, 3 * 10**6, 2 * 10**7, 2 * 10**8, 10**9, 7 * 10**10, -10**6, 4 * 10**12)
FLAGS = (0x10, 0x10, 0x10, 0x18, 0x02, 0x12, 0x11, 0x04, 0x14, 0x00, 0x01, 0x3F, 0xC2, 0x52, 0x50, 0x90)
RAW_IP = 101
STAY = 32                        # in the byte of the step: the next segment does not begin behind this one


def write_capture(script: Script) -> bytes:
    """A capture, times in nanoseconds, of raw IP packets."""
    records = [struct.pack("<IIII", when // 10**9 & M32, when % 10**9, len(packet), len(packet)) + packet
               for when, packet in _packets(script)]
    return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, RAW_IP) + b"".join(records)


def _packets(script: Script) -> Iterator[tuple[int, bytes]]:
    now = 10**18
    places: dict[tuple[int, int], int] = {}                # where the next segment of a side begins
    while script:
        who, flags, move, size = script.number(), script.choose(FLAGS), script.number(), script.choose(SIZES)
        back, window, options, gap = script.number(), script.number(), script.number(), script.choose(TIMES)
        pair, side = who >> 1 & 3, who & 1
        now += gap
        seq = (places.get((pair, side), 7000) + STEPS[move % 16] * (1 + (move >> 6))) & M32
        ack = (places.get((pair, 1 - side), 7000) + STEPS[back % 16]) & M32 if flags & 0x10 else 0
        head = struct.pack(">HHIIHHHH", 1000 + side, 1001 - side, seq, ack, 0, window * 257, 0, 0)
        yield now, _packet(pair, side, head, flags, _options(options, now, ack), bytes([who]) * size)
        if not move & STAY:
            places[pair, side] = (seq + size + (flags & 1) + (flags >> 1 & 1)) & M32


def _options(which: int, now: int, ack: int) -> bytes:
    """Up to 40 bytes: times, SACK blocks, and what a SYN offers, as the bits say."""
    out = b""
    if which & 1:
        out += timestamps(now // 10**6 + (which >> 5), which >> 3)
    if which & 2:
        out += b"\1\1" + sack(*((ack + 10 * i, ack + 10 * i + STEPS[which >> 4]) for i in (1, 9)))
    if which & 4:
        out += bytes([3, 3, which >> 4, 1, 4, 2, 2, 4, 0, which])
    return out[:40] + bytes(-len(out[:40]) % 4)


def _packet(pair: int, side: int, head: bytes, flags: int, options: bytes, payload: bytes) -> bytes:
    first_word = struct.pack(">H", (20 + len(options)) << 10 | flags)
    segment = head[:12] + first_word + head[14:] + options + payload
    ours, theirs = 10 << 24 | pair << 1 | side, 10 << 24 | pair << 1 | 1 - side
    return struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(segment), 1, 0, 64, 6, 0, ours, theirs) + segment
