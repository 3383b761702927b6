"""Whole conversations whose every decision is a byte: through all stages and all tables."""
import random
from collections.abc import Iterator

import passes
from script import Dice, Script

from conversations import interleaved
from packets import pcap


def one(data: bytes) -> None:
    script = Script(data[:4000])
    count, steps = 1 + script.number() % 5, 2 + script.number() % 40
    capture = pcap(interleaved(Dice(script), count, steps), nano=True)
    passes.run_stages(capture)
    passes.run_tables(capture)


def seeds() -> Iterator[bytes]:
    for seed in range(20):
        yield bytes([seed, 3 * seed]) + random.Random(seed).randbytes(50 + 40 * seed)
