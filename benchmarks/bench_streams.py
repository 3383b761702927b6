"""All streams of the generated mix put back together, against a libpcap loop that only counts packets.

``python -m pytest benchmarks/bench_streams.py --benchmark-columns=min,median``; one round is one pass, on one thread.
"""
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

import tcpkit
from benchmarks.traffic import compiled, generate, size

BYTES = size(os.environ.get("TCPKIT_BENCH_BYTES", "200M"))
pytest.importorskip("pytest_benchmark")


@pytest.fixture(scope="module")
def mix():
    return generate("mix", Path(tempfile.gettempdir(), f"tcpkit-mix-{BYTES}.pcap"), BYTES)


def count_chunks(path):
    """Every run of bytes as a row."""
    return sum(int(chunks["captured"].sum()) for chunks in tcpkit.scan_streams(path, threads=1).chunks())


def count_pieces(path):
    """Every run of bytes as a Python object."""
    return sum(map(len, tcpkit.scan_streams(path, threads=1)))


def index(path):
    """Where all bytes lie, for reading them later."""
    return len(tcpkit.open(path, threads=1).streams)


def libpcap(path):
    subprocess.run([compiled(Path(__file__).with_name("libpcap_count.c"), "-lpcap"), path], check=True,
                   stdout=subprocess.DEVNULL)
    return 1


@pytest.mark.parametrize("work", [libpcap, count_chunks, count_pieces, index], ids=lambda work: work.__name__)
def test_all_streams(benchmark, mix, work):
    assert benchmark.pedantic(work, (mix,), rounds=5, warmup_rounds=1) > 0
