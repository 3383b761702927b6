"""However a capture comes, its tables are the same, bit for bit."""
from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
import threading
from dataclasses import replace

import lz4.frame
import numpy as np
import pytest
import zstandard

import tcpkit
from conversations import random_capture
from packets import Conversation, pcap, pcapng, pcapng_interface, pcapng_option, pcapng_packet, pcapng_section
from tcpkit.stream_scan import StreamScan

COMPRESSORS = {"gz": gzip.compress, "zst": zstandard.compress, "lz4": lz4.frame.compress, "xz": lzma.compress,
               "bz2": bz2.compress}
FRAMES = sorted(random_capture(7, conversations=60), key=lambda frame: frame.time)
PLAIN = pcap(FRAMES, nano=True)
TABLES = ("packets", "flows", "directions", "conversations", "retransmissions")


def tables(source, **options):
    capture = tcpkit.open(source, **options)
    found = {name: getattr(capture, name).array for name in TABLES}
    assert capture.warnings == []
    return found


@pytest.fixture(scope="module")
def expected():
    found = tables(io.BytesIO(PLAIN))
    assert all(len(table) > 5 for table in found.values())
    return found


def assert_same(found, expected, *, moved: bool = False):
    """``moved``: the bytes lie elsewhere, so positions in the capture differ."""
    for name, table in found.items():
        assert table.dtype == expected[name].dtype
        for column in table.dtype.names:
            if not (moved and column == "payload_offset"):
                assert table[column].tobytes() == expected[name][column].tobytes(), (name, column)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed(expected, kind, tmp_path):
    path = tmp_path / "capture"
    path.write_bytes(COMPRESSORS[kind](PLAIN))
    assert_same(tables(path), expected)


def test_a_few_bytes_at_a_time(expected):
    class Dribble(io.BytesIO):
        def readinto(self, buffer):
            return super().readinto(buffer[:1000])

    assert_same(tables(Dribble(PLAIN)), expected)


@pytest.mark.parametrize("kind", ["gz", None])
def test_piped(expected, kind):
    reading, writing = os.pipe()
    content = COMPRESSORS[kind](PLAIN) if kind else PLAIN

    def write():
        with open(writing, "wb") as file:
            file.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb", buffering=0) as file:
        found = tcpkit.open(file).packets.array
    writer.join()
    assert_same({"packets": found}, expected)


def test_rotated_with_shuffled_names(expected, tmp_path):
    step = len(FRAMES) // 4 + 1
    for part, name in enumerate(["c.pcap", "a.pcap.gz", "d", "b.pcap.xz"]):
        piece = pcap(FRAMES[part * step:part * step + step], nano=True)
        kind = name.rpartition(".")[2]
        (tmp_path / name).write_bytes(COMPRESSORS[kind](piece) if kind in COMPRESSORS else piece)
    assert_same(tables(tmp_path), expected, moved=True)
    assert_same(tables(f"{tmp_path}/*"), expected, moved=True)
    assert_same(tables(sorted(tmp_path.iterdir())), expected, moved=True)


def test_split_over_overlapping_captures(expected, tmp_path):
    for part in range(3):
        (tmp_path / str(part)).write_bytes(pcap(FRAMES[part::3], nano=True))
    times = [frame.time for frame in FRAMES]
    if len(set(times)) == len(times):                             # the order of equal times is the files'
        assert_same(tables(tmp_path), expected, moved=True)
    assert len(tcpkit.open(tmp_path).packets) == len(expected["packets"])


@pytest.mark.parametrize("order", "<>")
def test_pcapng(expected, order):
    nanoseconds = pcapng_option(9, b"\x09", order)
    content = pcapng_section(order) + pcapng_interface(1, order=order, options=nanoseconds) + b"".join(
        pcapng_packet(frame, order=order, units_per_second=10**9) for frame in FRAMES)
    assert_same(tables(io.BytesIO(content)), expected, moved=True)


@pytest.mark.parametrize("command", [
    ["packets", "--format", "csv"], ["fields", "-e", "frame.number", "-e", "tcp.analysis.flags"], ["flows"],
    ["conversations"], ["retransmissions"]])
def test_every_command_reads_standard_input(tmp_path, cli, command):
    path = tmp_path / "capture"
    path.write_bytes(PLAIN)
    done = subprocess.run([sys.executable, "-m", "tcpkit", *command, "-"], input=zstandard.compress(PLAIN),
                          capture_output=True, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert (done.returncode, done.stdout, done.stderr) == cli(command[0], path, *command[1:])


def test_info_differs_only_in_what_the_file_is(tmp_path):
    path = tmp_path / "capture"
    path.write_bytes(gzip.compress(pcapng(FRAMES)))
    plain, packed = tcpkit.open(io.BytesIO(pcapng(FRAMES))).info.to_dict(), tcpkit.open(path).info.to_dict()
    assert packed.pop("files")[0]["compression"] == "gzip"
    assert plain.pop("files")[0]["compression"] is None
    assert packed == plain


@pytest.mark.parametrize("idle_timeout", [0.0, 0.5])
def test_times_before_1970_are_times(idle_timeout):
    """A clock that is wrong shifts what it tells of moments, and nothing else."""
    scan = Conversation()
    for port in range(30):
        scan.dport = 100 + port
        scan.c("S", 0)
    frames = [*FRAMES, *(replace(frame, time=FRAMES[-1].time + i) for i, frame in enumerate(scan.frames))]
    shift = 1 << 33
    options = pcapng_option(9, b"\x09"), pcapng_option(14, struct.pack("<q", -shift))
    early = b"".join([pcapng_section(), pcapng_interface(1, options=b"".join(options)),
                      *(pcapng_packet(frame, units_per_second=10**9) for frame in frames)])
    one, other = (tcpkit.open(io.BytesIO(data), idle_timeout=idle_timeout) for data in (pcap(frames, nano=True), early))
    for name in (*TABLES, "states", "threats", "half_open"):
        now, before = getattr(one, name).array, getattr(other, name).array
        assert len(now) == len(before) > 0, name
        for column in set(now.dtype.names) - {"payload_offset"}:     # bytes lie elsewhere in pcapng
            same = now[column] == before[column]
            if now[column].dtype == np.int64:
                same |= now[column] - before[column] == shift * 10**9
            assert same.all(), (name, column)
    accounts = [StreamScan(capture, timeout=0.05, patience=0.05).run() for capture in (one, other)]
    assert replace(accounts[0], most_waiting=0) == replace(accounts[1], most_waiting=0)
    assert accounts[0].resumed > 0
