"""Conversations whose headers were changed here and there, so that they stay conversations."""
from __future__ import annotations

import random

from mutate import EXTREMES

from conversations import random_capture
from packets import Frame

CONVERSATIONS = 4                               # at most, of a capture
IP_HEADER = 14                                  # where it begins in the frames of conversations
# What stays, so that it is IPv4 with TCP; of IPv6 only what is behind its header is changed.
# Its length stays too: where it ends within a header, differences are of known kinds (docs/differences.md).
KEPT = {IP_HEADER, *range(IP_HEADER + 2, IP_HEADER + 4), IP_HEADER + 6, IP_HEADER + 7, IP_HEADER + 9}


def mutated_frames(rng: random.Random, network: int) -> list[Frame]:
    """A few conversations with bits, extremes, cuts, repeats and another order; addresses are of that network."""
    talks = random_capture(rng.randrange(2**32), rng.randrange(1, CONVERSATIONS + 1), steps=20)
    frames = [Frame(frame.time, moved(frame.data, network), frame.wire_len) for frame in talks]
    for _ in range(rng.randrange(1, 2 + len(frames) // 4) if frames else 0):
        at = rng.randrange(len(frames))
        frame, kind = frames[at], rng.randrange(6)
        if kind < 3:
            frames[at] = Frame(frame.time, change(rng, frame.data), frame.wire_len)
        elif kind == 3:
            size = rng.randrange(tcp_header(frame.data), max(tcp_header(frame.data), len(frame.data)) + 1)
            frames[at] = Frame(frame.time, frame.data[:size], frame.wire_len)
        elif kind == 4:
            frames.insert(rng.randrange(len(frames)), frame)
        else:
            other = rng.randrange(len(frames))
            frames[at], frames[other] = frames[other], frames[at]
    return frames


def is_ipv6(data: bytes) -> bool:
    return data[12:14] == b"\x86\xdd"


def tcp_header(data: bytes) -> int:
    """Where it begins."""
    return IP_HEADER + (40 if is_ipv6(data) else 20)


def moved(data: bytes, network: int) -> bytes:
    """The second byte of both addresses says which network."""
    size, new = 16 if is_ipv6(data) else 4, bytearray(data)
    for address in (1, 2):
        new[tcp_header(data) - address * size + 1] = network
    return bytes(new)


def change(rng: random.Random, data: bytes) -> bytes:
    """One place behind the link layer."""
    start = tcp_header(data)
    places = [at for at in range(start if is_ipv6(data) else IP_HEADER, len(data)) if at not in KEPT]
    if not places:
        return data
    at = rng.choice(places[:80])
    new = bytes([data[at] ^ 1 << rng.randrange(8)]) if at < start or rng.random() < 0.6 else rng.choice(EXTREMES)
    if start + 8 < at <= start + 12:             # accurate ECN shows as another field (docs/differences.md)
        new = bytes([new[0] & 0xFE])
    return (data[:at] + new + data[at + len(new):])[:len(data)]
