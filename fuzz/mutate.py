"""Mutated captures through every stage: ``python fuzz/mutate.py --seconds 60 [--seed 1]``.

Captures of random conversations and of odd frames, as pcap and pcapng, with bytes flipped, cut out, doubled and
set to their extremes.  Each goes through all stages, into tables, and as text.  Anything but CaptureError is a
finding; the capture is kept (``--keep``).  A crash leaves the capture that caused it there, too.
"""
from __future__ import annotations

import argparse
import faulthandler
import io
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import tcpkit
from conversations import random_capture
from odd_frames import ICMP, NETWORK, TCP
from packets import T0, Frame, pcap, pcapng
from tcpkit.fields import contract_names
from tcpkit.listing import write_fields
from tcpkit.policies import POLICIES

EXTREMES = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1", b"\x01\0\0\0")
NAMES = contract_names()
ODD = [each if isinstance(each, Frame) else Frame(T0, each, len(each))
       for each in (*NETWORK.values(), *TCP.values(), *ICMP.values())]


def sample(rng: random.Random, link_types: Sequence[int] = range(300)) -> bytearray:
    """A whole capture; mostly of Ethernet."""
    if rng.random() < 0.5:
        frames = random_capture(rng.randrange(2**32), conversations=rng.randrange(1, 20), steps=20)
    else:
        frames = rng.choices(ODD, k=60)
    link_type = 1 if rng.random() < 0.8 else rng.choice(link_types)
    return bytearray((pcap if rng.random() < 0.5 else pcapng)(frames, link_type=link_type))


def mutate(rng: random.Random, data: bytearray) -> None:
    """One change, small or rough."""
    at, kind = rng.randrange(len(data) or 1), rng.randrange(5)
    if kind == 0:
        data[at:at + 1] = bytes([data[at] ^ 1 << rng.randrange(8)]) if data else b""
    elif kind == 1:
        value = rng.choice(EXTREMES)
        data[at:at + len(value)] = value
    elif kind == 2:
        del data[at:at + rng.randrange(1, 9)]
    elif kind == 3:
        data[at:at] = data[at:at + rng.randrange(1, 99)]
    else:
        del data[rng.randrange(len(data) // 2, len(data) + 1):]


def exercise(data: bytes) -> None:
    """Every stage, every table, and streams by a policy that the capture chooses."""
    policy = sorted(POLICIES)[len(data) % len(POLICIES)]
    try:
        capture = tcpkit.open(io.BytesIO(data))
        write_fields(capture, NAMES, io.BytesIO())
        for table in (capture.info, capture.packets, capture.flows, capture.directions, capture.conversations,
                      capture.retransmissions, capture.handshakes, capture.threats, capture.http):
            repr(table)
        for piece in tcpkit.scan_streams(io.BytesIO(data), policy=policy):
            bytes(piece)
        for stream in capture.streams.with_policy(policy):
            for side in (stream.client, stream.server):
                b"".join(side.views(0, len(side))) if not len(side.holes) else repr(side.chunks)
    except tcpkit.CaptureError:
        pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir(), "tcpkit-fuzz.pcap"))
    args = parser.parse_args()
    faulthandler.enable()
    faulthandler.dump_traceback_later(args.seconds + 60, exit=True)
    end, done, seed = time.monotonic() + args.seconds, 0, args.seed
    while time.monotonic() < end:
        rng = random.Random(seed)
        base = sample(rng)
        for _ in range(20):
            data = base[:]
            for _ in range(rng.choice((1, 1, 2, 8, 40))):
                mutate(rng, data)
            args.keep.write_bytes(data)
            exercise(bytes(data))
            done += 1
        seed += 1
    print(f"{done} mutated captures, seeds {args.seed} to {seed - 1}: no finding")
    return 0


if __name__ == "__main__":
    sys.exit(main())
