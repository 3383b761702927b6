"""Mutated captures read in different ways: ``python fuzz/differential.py --seconds 60 [--seed 1]``.

By tcpkit and by tshark, if it is installed: the same frames with the same cells, or a difference of a kind that
docs/differences.md explains.  By tcpkit from a file, a pipe and gzip, with one thread and with several: the same bytes.
A capture that shows a difference is kept, and ends the run with status 1.
"""
from __future__ import annotations

import argparse
import gzip
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from mutate import EXTREMES

import tcpkit
import tcpkit.compare
from conversations import random_capture
from packets import Frame, pcap, pcapng
from tcpcore.flags import Damage
from tcpkit.compare import Comparison, compare
from tcpkit.fields import contract_names

SHARED_NAMES = contract_names(own=False)
EDGES = {"tcp.options.sack_le", "tcp.options.sack_re"}
CONVERSATIONS = 300                             # of a capture, so that tshark starts once for many
IP_HEADER = 14                                  # where it begins in the frames of conversations
# What stays, so that it is IPv4 with TCP; of IPv6 only what is behind its header is changed.
# Its length stays too: where it ends within a header, differences are of known kinds (docs/differences.md).
KEPT = {IP_HEADER, *range(IP_HEADER + 2, IP_HEADER + 4), IP_HEADER + 6, IP_HEADER + 7, IP_HEADER + 9}


def mutated_frames(rng: random.Random) -> list[Frame]:
    """Conversations whose headers were changed here and there: bits, extremes, cuts, repeats, order."""
    frames = random_capture(rng.randrange(2**32), CONVERSATIONS, steps=20)
    for _ in range(rng.randrange(1, 1 + len(frames) // 4)):
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


def tcp_header(data: bytes) -> int:
    """Where it begins."""
    return IP_HEADER + (40 if data[12:14] == b"\x86\xdd" else 20)


def change(rng: random.Random, data: bytes) -> bytes:
    """One place behind the link layer."""
    start = tcp_header(data)
    places = [at for at in range(IP_HEADER if start == IP_HEADER + 20 else start, len(data)) if at not in KEPT]
    if not places:
        return data
    at = rng.choice(places[:80])
    new = bytes([data[at] ^ 1 << rng.randrange(8)]) if at < start or rng.random() < 0.6 else rng.choice(EXTREMES)
    if start + 8 < at <= start + 12:             # accurate ECN shows as another field (docs/differences.md)
        new = bytes([new[0] & 0xFE])
    return (data[:at] + new + data[at + len(new):])[:len(data)]


def as_text(source, threads: int) -> bytes:
    """The packets table, whose verdicts have heard of all segments; those of ``fields`` only of their batch."""
    try:
        return tcpkit.open(source, threads=threads).packets.to_text("csv")
    except tcpkit.CaptureError as error:
        return error.cause.encode()


def through_pipe(data: bytes, threads: int) -> bytes:
    reading, writing = os.pipe()

    def feed() -> None:
        with open(writing, "wb") as out:
            out.write(data)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open(reading, "rb", buffering=0) as source:
        text = as_text(source, threads)
    feeder.join()
    return text


def disagreement(data: bytes, path: Path) -> str:
    """Which way of reading gives other bytes; empty if none does."""
    path.write_bytes(data)
    expected = as_text(path, 1)
    squeezed = path.with_suffix(".gz")
    squeezed.write_bytes(gzip.compress(data, 1))
    ways = {"two threads": lambda: as_text(path, 2), "four threads": lambda: as_text(path, 4),
            "a pipe": lambda: through_pipe(data, 1), "gzip, two threads": lambda: as_text(squeezed, 2)}
    return ", ".join(name for name, way in ways.items() if way() != expected)


def explained(found: Comparison) -> bool:
    """Whether all that differs is of two kinds (docs/differences.md).

    The checksum of headers that end right behind it, and edges of SACK blocks in segments without a length.
    """
    rows = tcpkit.open(found.path, stages=["decode"], threads=1).packets.array
    short = {str(frame) for frame in rows["frame"][rows["damage"] & Damage.SHORT_SEGMENT != 0]}
    return not (found.missing or found.extra) and all(
        (field == "tcp.checksum" and ours == "") or (field in EDGES and frame in short)
        for frame, field, _, ours in found.differences)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir(), "tcpkit-differential.pcap"))
    args = parser.parse_args()
    has_tshark = shutil.which("tshark") is not None
    if not has_tshark:
        print("tshark is not installed: only the ways to read a capture are compared", file=sys.stderr)
    tcpkit.compare.EXAMPLES = sys.maxsize        # each difference has to be explained
    end, seed, rows, cells = time.monotonic() + args.seconds, args.seed, 0, 0
    while time.monotonic() < end:
        rng = random.Random(seed)
        data = (pcap if seed % 2 else pcapng)(mutated_frames(rng))
        wrong = disagreement(data, args.keep)
        if wrong:
            print(f"seed {seed}: {wrong} gives other bytes; kept in {args.keep}")
            return 1
        if has_tshark:
            found = compare(args.keep, SHARED_NAMES)
            rows, cells = rows + found.rows, cells + sum(score.cells for score in found.fields.values())
            if not (found.equal or explained(found)):
                print(f"seed {seed}: {found.missing} rows missing, {found.extra} more; {args.keep}",
                      *map(str, found.differences[:20]), sep="\n")
                return 1
        seed += 1
    print(f"{seed - args.seed} mutated captures, {rows:,} segments, {cells:,} cells: no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
