"""Segments of a few connections, eight bytes each: through all stages.  Faster than conversations, and freer."""
import random
from collections.abc import Iterator

import passes
from script import Script
from segments import write_capture

LARGEST = 4000
IDLE = 10**9                     # nanoseconds, after which a connection may be ended
OPENING = (b"\0\4\0\0\0\xff\4\4", b"\1\5\0\0\0\xff\4\4", b"\0\0\0\0\0\xff\0\4", b"\0\3\0\6\0\xff\1\4",
           b"\1\0\0\0\0\xff\1\6", b"\0\3\11\6\0\xff\1\4", b"\1\0\0\0\4\xff\2\4", b"\0\3\12\6\0\xff\1\4",
           b"\1\6\0\0\0\xff\0\4", b"\0\6\0\0\0\xff\0\4")


def one(data: bytes) -> None:
    script = Script(data[:LARGEST])
    table = {"max_flows": script.choose((1 << 20, 8, 10))}
    choices = script.number()
    table |= {"pieces": choices & 1, "idle_ns": IDLE if choices & 2 else 0}
    passes.run_stages(write_capture(script), **table)


def seeds() -> Iterator[bytes]:
    yield from seeds_of(b"\0\0")
    yield from seeds_of(b"\1\0")
    yield from seeds_of(b"\0\3")


def seeds_of(choices: bytes) -> Iterator[bytes]:
    yield choices + b"".join(OPENING)
    for seed in range(20):
        yield choices + b"".join(OPENING[:3]) + random.Random(seed).randbytes(8 * (1 + 2 * seed))
