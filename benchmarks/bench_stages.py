"""What each stage costs, on top of the one before: ``pytest benchmarks/bench_stages.py``."""
from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

import pytest

import tcpkit
from benchmarks.traffic import generate, size
from tcpkit.fields import contract_names
from tcpkit.listing import write_fields

BYTES = size(os.environ.get("TCPKIT_BENCH_BYTES", "20M"))


@pytest.fixture(params=["mix", "bulk", "small", "flood"])
def capture(request):
    return generate(request.param, Path(tempfile.gettempdir(), f"tcpkit-{request.param}-{BYTES}.pcap"), BYTES)


def test_floor_reading_the_file(benchmark, capture):
    buffer = bytearray(1 << 20)

    def read():
        with capture.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    benchmark(read)


@pytest.mark.parametrize("stage", ["decode", "flows", "analysis", "lifecycle", "verdicts"])
def test_stage(benchmark, capture, stage):
    benchmark(lambda: sum(len(batch) for batch in tcpkit.scan(capture, stages=[stage])))


def test_flows_table(benchmark, capture):
    benchmark(lambda: tcpkit.open(capture).flows)


def test_fields_as_text(benchmark, capture):
    names = contract_names(own=False)
    benchmark(lambda: write_fields(tcpkit.open(capture), names, io.BytesIO()))
