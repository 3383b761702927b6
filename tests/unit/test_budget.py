"""The memory limit: what it is divided into, what it does when it bites, and that nothing changes when it does not."""
from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest

import tcpkit
from confined import SANITIZED
from conversations import random_capture
from packets import T0, Conversation, Frame, ethernet, ip, pcap, tcp
from tcpcore.analysis import Analysis
from tcpcore.flows import FlowTable
from tcpcore.lifecycle import Lifecycle
from tcpkit.budget import FIXED, LEAST, LIMIT, max_flows, parse_size, pool_limits, size_text
from tcpkit.parts import PartPass, join_parts
from tcpkit.rotated import open_reader
from tcpkit.stages import ALL_STAGES
from tcpkit.stream_scan import StreamScan
from tcpkit.table import joined

MIB = 1 << 20
CAPACITY = 1 << 14               # more connections than the least limit has room for
MISHAPS = 48                     # bytes that only some connections take


def flood(n: int) -> bytes:
    """A SYN from each of n clients, a microsecond apart."""
    one = pcap([Frame(T0, data := ethernet(ip("10.0.0.0", "10.255.0.1", tcp(1024, 80, 1, flags="S"))), len(data))])
    head, record = one[:24], np.frombuffer(one[24:], np.uint8)
    records, numbers = np.tile(record, (n, 1)), np.arange(n)
    records[:, 0:4] = (T0 // 10**9 + numbers // 10**6).astype("<u4").view(np.uint8).reshape(n, 4)
    records[:, 4:8] = (numbers % 10**6).astype("<u4").view(np.uint8).reshape(n, 4)
    records[:, 42:46] = (0x0A000000 + numbers).astype(">u4").view(np.uint8).reshape(n, 4)              # source
    return head + records.tobytes()


def test_the_limit_is_shared_out():
    limits = pool_limits(LIMIT, ALL_STAGES)
    assert sum(limits.values()) <= (LIMIT - FIXED) // 4
    assert sum(limits.values()) + 1000 * max_flows(LIMIT, 1000) <= LIMIT - FIXED
    assert set(pool_limits(LIMIT, ("decode", "flows"))) == set()


@pytest.mark.parametrize(("text", "size"), [("123", 123), ("64k", 64 << 10), ("500M", 500 * MIB), ("1.5G", 3 << 29),
                                            ("2 GiB", 2 << 30), ("2gb", 2 << 30)])
def test_sizes_are_read(text, size):
    assert parse_size(text) == size
    assert parse_size(size_text(size).removesuffix(" bytes")) == size


@pytest.mark.parametrize("text", ["", "M", "many", "1X", "-", "inf"])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match="no size in bytes"):
        parse_size(text)


def test_a_limit_too_small_names_the_least():
    with pytest.raises(ValueError, match=r"of 1 MiB is too small: 128 MiB is the least"):
        tcpkit.open(io.BytesIO(flood(1)), memory_limit=MIB)
    told = subprocess.run([sys.executable, "-m", "tcpkit", "flows", "--memory-limit", "1M", "-"], capture_output=True,
                          text=True, check=False)
    assert told.returncode == 2
    assert "128 MiB is the least" in told.stderr


TABLES = ("packets", "flows", "judged_flows", "directions", "handshakes", "conversations", "retransmissions", "states",
          "threats", "half_open")


@pytest.mark.parametrize("seed", range(4))
def test_a_limit_that_does_not_bite_changes_nothing(seed):
    data = pcap(random_capture(seed, 40), nano=True)
    one, other = (tcpkit.open(io.BytesIO(data), memory_limit=limit, idle_timeout=longest)
                  for limit, longest in ((LEAST, 10**6), (LIMIT, 0)))
    for table in TABLES:
        found, expected = (getattr(capture, table).array for capture in (one, other))
        for name in expected.dtype.names:
            np.testing.assert_array_equal(found[name], expected[name], f"{table}.{name}")
    assert one.warnings == []
    assert one.budget.evicted == 0
    assert one.budget.limit == LEAST
    assert set(one.budget.used) == set(ALL_STAGES) - {"decode"}
    assert "evicted: 0 idle, 0 by pressure" in repr(one.budget)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_flood_is_told_of_whole(threads):
    n = 3 * CAPACITY
    capture = tcpkit.open(io.BytesIO(flood(n)), memory_limit=LEAST, threads=threads)
    pieces = list(capture.flow_pieces())
    assert len(pieces) > 2
    flows = capture.flows
    assert len(flows) == n
    assert flows.array["stream"].tolist() == list(range(n))
    assert int(flows["packets_client"].sum() + flows["packets_server"].sum()) == n
    evicted = int(np.count_nonzero(~np.ma.getmaskarray(flows["evicted"])))
    assert 0 < evicted == capture.budget.evicted == capture.budget.evicted_pressure
    assert [f"ended {evicted:,} connections early" in str(warning) for warning in capture.warnings] == [True]
    assert len(capture.directions) == 2 * n
    assert len(capture.handshakes) == len(capture.conversations) == n
    assert capture.threats["attempts"].tolist()[0] == n


def talks(n: int, pause_s: int) -> bytes:
    """n clients each say something, and the same again after the pause."""
    frames: list[Frame] = []
    for again in range(2):
        for i in range(n):
            talk = Conversation(client=f"10.0.0.{i}", frames=frames)
            talk.time = T0 + again * pause_s * 10**9 + i
            talk.c("PA", 1 + 100 * again, 1, 100)
    return pcap(frames, nano=True)


@pytest.mark.parametrize("threads", [1, 3])
def test_silence_ends_connections_if_asked_for(threads):
    data = talks(200, 60)
    assert len(tcpkit.open(io.BytesIO(data), idle_timeout=61).flows) == 200
    capture = tcpkit.open(io.BytesIO(data), idle_timeout=59, threads=threads)
    flows = capture.flows
    assert flows.array["stream"].tolist() == list(range(400))
    assert np.ma.getmaskarray(flows["evicted"]).tolist() == [False] * 200 + [True] * 200
    assert (capture.budget.evicted_idle, capture.budget.evicted_pressure) == (200, 0)
    assert capture.warnings == []
    assert len(capture.states) == 200
    assert capture.packets.array["stream"].tolist() == list(range(400))
    assert sum(map(len, tcpkit.scan(io.BytesIO(data), idle_timeout=59, where="tcp.stream >= 200"))) == 200


def test_conversations_are_in_order_whether_given_up_or_not():
    frames: list[Frame] = []
    for i in range(300):
        talk = Conversation(client=f"10.0.{i // 250}.{i % 250}", frames=frames)
        talk.time = T0 + i * 10**9
        for again in range(i * 7 % 5 + 1):
            talk.c("PA", 1 + 100 * again, 1, 100)
    capture = tcpkit.open(io.BytesIO(pcap(frames, nano=True)), idle_timeout=100)
    pieces = list(capture.conversation_pieces())
    assert capture.budget.evicted > 100
    found = [row for piece in pieces for row in zip(piece["packets"].tolist(), piece["stream"].tolist(), strict=True)]
    assert found == sorted(((i * 7 % 5 + 1, i) for i in range(300)), key=lambda row: (-row[0], row[1]))
    assert len(pieces) == 1
    table = tcpkit.open(io.BytesIO(pcap(frames, nano=True))).conversations
    assert table.to_text() == pieces[0].to_text()


@pytest.mark.parametrize("seed", range(3))
def test_a_pass_for_flows_alone_keeps_less_and_tells_the_same(seed):
    data = pcap(random_capture(seed, 40), nano=True)
    pieces, whole = tcpkit.open(io.BytesIO(data)), tcpkit.open(io.BytesIO(data))
    found = joined(pieces.flow_pieces())
    assert found.to_text() == whole.flows.to_text()
    assert joined(pieces.flow_pieces(verdicts=True)).to_text() == whole.judged_flows.to_text()
    assert pieces.handshakes.to_text() == whole.handshakes.to_text()           # in a pass of its own
    assert pieces.directions.to_text() == whole.directions.to_text()


def test_a_connection_takes_no_more_than_is_promised():
    """Beside what the flow table keeps of few: 64 MiB and 512 bytes each are promised for `tcpkit flows`."""
    always = 128 + 2 * 8                         # of the flow table; its places are at least half full
    each = Analysis(summary=True, spread=False).slot_bytes + Lifecycle(handshakes=False).slot_bytes - MISHAPS
    assert always + each <= 512


def test_what_gave_up_nothing_needs_no_other_pass():
    once = io.BytesIO(talks(2, 60))
    once.seekable = lambda: False                # type: ignore[method-assign]
    capture = tcpkit.open(once, idle_timeout=30)
    assert len(capture.flows) == 4
    assert len(capture.conversations) == 4


def test_connections_that_fell_silent_before_the_end_are_told_as_such(tmp_path):
    path = tmp_path / "talks.pcap"
    frames = [Frame(T0 + at * 10**9, frame.data, frame.wire_len)
              for at, frame in enumerate(Conversation().handshake().frames)]
    other = Conversation(sport=9)
    other.time = T0 + 30 * 10**9
    path.write_bytes(pcap(frames + other.c("S", 0).frames, nano=True))
    told = subprocess.run([sys.executable, "-m", "tcpkit", "flows", "--idle-timeout", "5", "--format", "csv", path],
                          capture_output=True, text=True, check=True)
    head, *rows = (line.split(",") for line in told.stdout.splitlines())
    assert [row[head.index("evicted")] for row in rows] == ["idle", ""]


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_what_is_no_idle_time_out(seconds):
    with pytest.raises(ValueError, match="no idle time-out"):
        tcpkit.open(io.BytesIO(flood(1)), idle_timeout=seconds)


def test_parts_join_to_the_same_flows_whatever_the_limit():
    n = 8 * CAPACITY
    data = flood(n)
    cut = 24 + (len(data) - 24) // 2
    half = [PartPass(open_reader(io.BytesIO(part)), "", LEAST) for part in (data[:cut], data[:24] + data[cut:])]
    found = join_parts([each.part() for each in half], "flows")
    assert all(each.budget.evicted_pressure > 0 for each in half)
    assert found.array["stream"].tolist() == list(range(n))
    assert np.ma.getmaskarray(found["evicted"]).all()
    assert int(found["packets_client"].sum()) == n


@pytest.mark.parametrize("threads", [1, 2])
def test_where_numbers_for_streams_run_out_a_capture_ends(threads):
    """There are 2^32 for tcp.stream; a flood of 300 GB takes more."""
    most = 3 * CAPACITY
    capture = tcpkit.open(io.BytesIO(flood(4 * CAPACITY)), memory_limit=LEAST)
    passed = capture.pipeline(rows=False, threads=threads)
    passed._trackers.flows = FlowTable(max_streams=most, max_flows=CAPACITY)
    streams = [piece.flows["stream"] for piece in passed.stream_pieces()]
    n = passed.flows.n_streams
    assert most - 2048 < n <= most
    assert sorted(np.concatenate(streams).tolist()) == list(range(n))
    damage, *costs = passed.warnings
    assert damage.offset == len(flood(n))
    assert f"no numbers for more than the {n:,} connections" in damage.cause
    assert len(costs) == 1


def test_streams_given_up_end_and_are_counted():
    n = 4 * CAPACITY
    scan = StreamScan(tcpkit.open(io.BytesIO(flood(n)), stages=("flows",), memory_limit=LEAST))
    assert scan.run().streams == n
    assert scan.budget.evicted > 0


@pytest.mark.skipif(SANITIZED, reason="the sanitizer's own memory is more than the limit")
def test_a_pass_of_a_flood_stays_within_the_limit(tmp_path):
    path = tmp_path / "flood.pcap"
    path.write_bytes(flood(20 * CAPACITY))
    program = ("import re, sys, tcpkit\n"
               "capture = tcpkit.open(sys.argv[1], memory_limit=int(sys.argv[2]))\n"
               "rows = sum(len(piece) for piece in capture.flow_pieces())\n"
               "most = re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())\n"
               "print(rows, int(most[1]) * 1024)")
    told = subprocess.run([sys.executable, "-c", program, path, str(LEAST)], capture_output=True, text=True, check=True)
    rows, most = map(int, told.stdout.split())
    assert rows == 20 * CAPACITY
    assert most < LEAST
