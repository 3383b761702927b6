"""However many threads work on a capture, the same comes out, bit for bit."""
from __future__ import annotations

import gzip
import io
import itertools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import fragment_trains
import tcpkit
import tcpkit.passes as passes_module
from conversations import random_capture
from fragment_trains import trains
from packets import pcap
from tcpcore.flags import Present
from tcpkit import ahead
from tcpkit.errors import CaptureError

# Some batches of conversations, with fragments and so joined datagrams in their midst.
FRAMES = [*random_capture(1, 200), *fragment_trains.frames(trains(1, 400)), *random_capture(2, 300)]
BYTES = pcap(FRAMES)
TABLES = ("packets", "flows", "directions", "conversations", "retransmissions")


PLACES = {"payload_offset", "tunnel"}            # count from the beginning of a batch, so not the same for a pipe


@pytest.fixture(autouse=True)
def as_many_as_may_be(monkeypatch):
    """However little there is to gain, all threads that may be work on all batches but the first of some."""
    monkeypatch.setattr(ahead, "TRIALS", 1)
    monkeypatch.setattr(ahead, "ROUND", 2)
    monkeypatch.setattr(ahead, "LONGER", 1)
    monkeypatch.setattr(ahead, "HANDING", -1.0)
    monkeypatch.setattr(ahead, "PATIENCE", 60.0)             # no source here keeps them waiting
    monkeypatch.setattr(ahead, "perf_counter", itertools.count().__next__)


def columns(array: np.ndarray) -> dict[str, bytes]:
    return {name: array[name].tobytes() for name in array.dtype.names}


def alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ahead"]


@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize("options", [{}, {"capture_filter": "tcp port 80 or ip6"}])
def test_same_tables(threads, options):
    assert len(FRAMES) > 3 * 2048
    one = tcpkit.open(io.BytesIO(BYTES), threads=1, **options)
    many = tcpkit.open(io.BytesIO(BYTES), threads=threads, **options)
    for table in TABLES:
        expected, actual = getattr(one, table), getattr(many, table)
        assert actual.array.dtype == expected.array.dtype
        assert columns(actual.array) == columns(expected.array), table
    assert alive() == []


def test_same_rows_of_a_scan_of_a_pipe():
    options = {"stages": ["analysis"], "where": "tcp.len > 0"}
    expected = np.concatenate([each.array for each in tcpkit.scan(io.BytesIO(BYTES), threads=1, **options)])
    read, write = os.pipe()
    with os.fdopen(read, "rb") as source, os.fdopen(write, "wb") as sink:
        feeder = threading.Thread(target=lambda: (sink.write(gzip.compress(BYTES)), sink.close()))
        feeder.start()
        actual = np.concatenate([each.array for each in tcpkit.scan(source, threads=2, **options)])
        feeder.join()
    for name in set(expected.dtype.names) - PLACES:
        assert (actual[name] == expected[name]).all(), name


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_that_were_given_out_stay_what_they_are(threads):
    given = [(piece.array, piece.array.tobytes()) for piece in tcpkit.scan(io.BytesIO(BYTES), threads=threads)]
    assert len(given) > 3
    assert all(rows.tobytes() == told for rows, told in given)


def test_room_that_nobody_looks_at_is_used_again(monkeypatch):
    rooms: list[object] = []
    make = np.zeros

    def counted(shape, *args):
        if shape == 2048:
            rooms.append(args)
        return make(shape, *args)

    monkeypatch.setattr(np, "zeros", counted)
    assert sum(1 for _ in tcpkit.scan(io.BytesIO(BYTES), threads=1)) > 3
    assert len(rooms) == 2                       # one is looked at while the other is filled


def test_same_damage_and_what_came_before_it():
    broken = BYTES[:-7]
    one, two = (tcpkit.open(io.BytesIO(broken), threads=threads) for threads in (1, 2))
    assert two.packets.array.tobytes() == one.packets.array.tobytes()
    assert [str(warning) for warning in two.warnings] == [str(warning) for warning in one.warnings] != []
    with pytest.raises(CaptureError, match="ends in the middle"):
        _ = tcpkit.open(io.BytesIO(broken), threads=2, strict=True).packets


def test_left_early_it_ends(monkeypatch):
    monkeypatch.setattr(ahead, "ROUND", 100)
    for n, _ in enumerate(tcpkit.scan(io.BytesIO(BYTES), threads=2)):
        if n == 1:
            assert alive() == ["ahead"]
            break
    assert alive() == []


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_pass_does_not_go_on_in_a_forked_process(threads):
    """Its threads are not there, for which it would wait for ever; of a file it would take what its parent misses."""
    batches = tcpkit.scan(io.BytesIO(BYTES), threads=threads)
    next(batches), next(batches)
    child = os.fork()
    if child == 0:
        try:
            for _ in batches:
                pass
        except RuntimeError as error:
            os._exit("forked" in str(error))
        finally:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_reads_a_path_for_itself(tmp_path):
    """It shares with its parent how far the file has been read, so that each would have had a part."""
    path = tmp_path / "capture.pcap"
    path.write_bytes(BYTES)
    expected = tcpkit.open(io.BytesIO(BYTES)).packets.array.tobytes()
    with path.open("rb") as file:
        by_path, by_file = tcpkit.open(path), tcpkit.open(file)
        child = os.fork()
        if child == 0:
            try:
                if by_path.packets.array.tobytes() == expected:
                    _ = by_file.packets
            except RuntimeError as error:
                os._exit("forked" in str(error))
            finally:
                os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        assert by_path.packets.array.tobytes() == by_file.packets.array.tobytes() == expected


def test_several_captures_at_once():
    expected = tcpkit.open(io.BytesIO(BYTES), threads=1).packets.array.tobytes()
    found: list[bytes] = []
    readers = [threading.Thread(
        target=lambda: found.append(tcpkit.open(io.BytesIO(BYTES), threads=2).packets.array.tobytes()))
        for _ in range(3)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert found == [expected] * 3


def test_one_capture_in_several_threads(tmp_path):
    """Each has a pass of its own, or what another has told; nobody gets that of a pass that does less."""
    path = tmp_path / "conversations.pcap"
    path.write_bytes(pcap(random_capture(3, 60)))
    names = ("states", "flows", "handshakes", "conversations", "packets", "directions", "warnings", "n_flows")
    expected = {name: repr(getattr(tcpkit.open(path), name)) for name in names}
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(10):
            capture = tcpkit.open(path, threads=1)
            with ThreadPoolExecutor(len(names)) as pool:
                assert dict(zip(names, pool.map(lambda name: repr(getattr(capture, name)), names),  # noqa: B023
                                strict=True)) == expected
    finally:
        sys.setswitchinterval(interval)


def test_stopped_it_delivers_what_has_been_read():
    """The streams' records are of the batches that came, all of them and no other."""
    for threads in (1, 2, 4):
        pipeline = tcpkit.open(io.BytesIO(BYTES), threads=threads).pipeline(detail="all")
        rows = 0
        for batch in pipeline:
            rows += np.count_nonzero(batch.array["present"] & Present.HAS_STREAM)
            pipeline.stop()
        streams = [piece.flows for piece in pipeline.stream_records()]
        assert sum(int(piece[name].sum()) for piece in streams for name in ("packets0", "packets1", "quoted")) == rows
        assert alive() == []


def test_same_text(monkeypatch, cli, tmp_path):
    path = tmp_path / "conversations.pcap"
    path.write_bytes(BYTES)
    names = ["-e", "frame.number", "-e", "tcp.seq", "-e", "tcp.payload", "-e", "tcp.analysis.ack_rtt"]
    one = cli("fields", path, *names)
    monkeypatch.setattr(passes_module, "worthwhile_threads", lambda size: 3)
    assert cli("fields", path, *names) == one


@pytest.mark.parametrize("name", ["parallel.rcv", "heavy-reorder.snd", "v6-exchanges.snd"])
def test_same_bits_of_a_real_capture(name):
    path = Path(__file__).parents[1] / "truth" / "captures" / f"{name}.pcap"
    expected = {table: getattr(tcpkit.open(path, threads=1), table).array.tobytes() for table in TABLES}
    for threads in (2, 3, 8):
        capture = tcpkit.open(path, threads=threads)
        for table in TABLES:
            assert getattr(capture, table).array.tobytes() == expected[table], (threads, table)
