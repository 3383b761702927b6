"""Runs work on a capture in a process of its own, with its memory limited, and tells what it cost."""
from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

MIB = 1 << 20
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")       # whose shadow takes terabytes of addresses
TESTS = Path(__file__).parent

WRAPPER = """
import json, resource, sys, time
sys.path.insert(0, {tests!r})
import io
import tcpkit, tcpkit.info, tcpkit.streams, tcpkit.stream_scan, tcpkit.listing
before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
path, told = sys.argv[1], None
{work}
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([time.process_time() - begun, (used - before) * 1024, told]))
"""


class Cost(NamedTuple):
    """What the work took beside the start of Python; ``told`` is what it set ``told`` to."""

    seconds: float               # of processor
    memory: int                  # bytes, at its most
    told: Any


def run(work: str, path: Path, *, memory: int, seconds: int = 120) -> Cost:
    """Run ``work`` (statements over ``path``) with at most ``memory`` bytes more than it begins with, and a deadline.

    Fails if the process ends in any other way than by finishing its work.
    """
    script = WRAPPER.format(tests=str(TESTS), work=textwrap.dedent(work))
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False,
                          preexec_fn=lambda: _limit(memory, seconds))
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-2000:]}"
    cost = Cost(*json.loads(done.stdout.splitlines()[-1]))
    assert SANITIZED or cost.memory < memory, f"{cost.memory / MIB:.0f} MiB"
    return cost


@contextmanager
def no_more_memory() -> Iterator[None]:
    """This process gets no further mapping."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def _limit(memory: int, seconds: int) -> None:
    """Addresses: twice what may be used, for mappings count before they are touched; and Python with its libraries."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (2 * memory + 1024 * MIB,) * 2)


def assert_linear(work: str, small: Path, large: Path, *, memory: int) -> Cost:
    """Four times the input costs about four times the work, not sixteen times; what the large one cost.

    A busy machine may spoil a measurement: the best of three.  Under sanitizers only the large one is read: what they
    find is asked there, not time.
    """
    if SANITIZED:
        return run(work, large, memory=memory)
    least = [float("inf")] * 2
    for _ in range(3):
        costs = [run(work, path, memory=memory) for path in (small, large)]
        least = [min(old, cost.seconds) for old, cost in zip(least, costs, strict=True)]
        if least[1] < 9 * least[0] or least[1] < 0.5:         # below that the start of things is measured
            return costs[1]
    raise AssertionError(f"{least[0]:.2f} s for one, {least[1]:.2f} s for four")
