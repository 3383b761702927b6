"""Batches look at a capture where the page cache has it, while nobody can change it, and only then."""
from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, suppress
from functools import partial

import numpy as np
import pytest

import tcpkit
import tcpkit.pipeline
from conversations import random_capture
from packets import T0, Frame, pcap, pcapng
from tcpcore.batch import Batch
from tcpkit.rotated import open_reader

LARGE, SMALL = bytes(1000), bytes(60)


def frames(*payloads: bytes) -> list[Frame]:
    return [Frame(T0 + i * 1000, payload, len(payload)) for i, payload in enumerate(payloads)]


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(pcap(frames(*[LARGE] * 200)))
    with path.open("rb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            pytest.skip(f"there are no leases here, so nothing is ever borrowed: {error}")
    return path


@pytest.fixture
def opened():
    """Opens readers, which are closed at the end."""
    with ExitStack() as stack:
        def read(location, *, lend: bool):
            reader = stack.enter_context(closing(open_reader(location)))
            if lend:
                reader.lend()
            return reader

        yield read


@pytest.fixture
def borrowing(capture, opened):
    """A reader with a batch that has borrowed its bytes: the first is read, to see what the records are like."""
    reader, batch = opened(capture, lend=True), Batch(10)
    assert reader.next(batch)
    assert may_write(capture)
    assert reader.next(batch)
    assert not may_write(capture)
    return reader, batch


def may_write(path) -> bool:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except BlockingIOError:
        return False
    return True


def all_of(reader, capacity: int) -> list[tuple[int, int, int]]:
    batch, found = Batch(capacity), []
    while reader.next(batch):
        found += batch.frame_array[["number", "offset", "cap_len"]].tolist()
    return found


@pytest.mark.parametrize("written", [pcap, pcapng])
def test_long_and_short_records(tmp_path, opened, written):
    """By turns borrowed and read, and no frame is lost or comes twice."""
    path = tmp_path / "x"
    path.write_bytes(written(frames(*([LARGE] * 40 + [SMALL] * 300) * 20, bytes(200_000), *[LARGE] * 9)))
    for capacity in (1, 7, 100, 2048):
        assert all_of(opened(path, lend=True), capacity) == all_of(opened(path, lend=False), capacity)


def test_who_writes_waits_until_the_bytes_are_given_back(capture, borrowing):
    _, batch = borrowing
    batch.give_back()
    assert may_write(capture)


def test_each_batch_has_a_loan_of_its_own(capture, borrowing):
    reader, first = borrowing
    second = Batch(10)
    assert reader.next(second)
    first.give_back()
    assert not may_write(capture)
    del second
    assert may_write(capture)


def test_who_writes_again_and_again_does_not_end_the_reader(tmp_path):
    """The signal that tells of a lease that is to end does nothing, for the first loan as for all others."""
    path = tmp_path / "x"
    path.write_bytes(pcap(frames(*[LARGE] * 20_000)))
    reading = subprocess.Popen([sys.executable, "-c", """
import sys, tcpkit
for _ in range(20):
    print(sum(map(len, tcpkit.scan(sys.argv[1], stages=["decode"], threads=1))), flush=True)
""", path], stdout=subprocess.PIPE)
    waited = 0
    while reading.poll() is None:
        waited += not may_write(path)
    assert reading.wait() == 0
    assert reading.communicate()[0] == b"0\n" * 20
    assert waited


def test_the_end_gives_back(capture, borrowing):
    reader, batch = borrowing
    while reader.next(batch):
        pass
    assert may_write(capture)


def test_the_end_of_several_captures_gives_back(capture, opened):
    reader = opened([capture, capture], lend=True)
    assert len(all_of(reader, 10)) == 400
    assert may_write(capture)


def test_an_exception_gives_back(capture, monkeypatch):
    class Interrupted(tcpkit.pipeline.Decoder):
        def process(self, batch):
            super().process(batch)
            if self.n_frames > 64:
                assert not may_write(capture)
                raise KeyboardInterrupt

    monkeypatch.setattr(tcpkit.pipeline, "Decoder", Interrupted)
    monkeypatch.setattr(tcpkit.pipeline, "Batch", partial(Batch, 64))
    opened = tcpkit.open(capture, threads=1)
    with pytest.raises(KeyboardInterrupt):
        _ = opened.packets
    assert may_write(capture)


def test_a_lease_that_was_not_kept(capture, borrowing):
    """As if the process had stood still until the kernel let a writer in."""
    _, batch = borrowing
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if os.path.samefile(f"/proc/self/fd/{name}", capture):
                fcntl.fcntl(int(name), fcntl.F_SETLEASE, fcntl.F_UNLCK)
    with pytest.raises(tcpkit.CaptureError, match="was written while it was read"):
        batch.give_back()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_leaves_the_lease_to_its_parent(capture, borrowing):
    _, batch = borrowing
    child = os.fork()
    if child == 0:
        batch.give_back()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert not may_write(capture)


def test_nothing_stays_open(tmp_path):
    paths = [tmp_path / str(number) for number in range(20)]
    for number, path in enumerate(paths):
        path.write_bytes(pcap([Frame(T0 + (number * 100 + i) * 1000, LARGE, 1000) for i in range(100)]))
    before = len(os.listdir("/proc/self/fd"))
    whole = [tcpkit.open(paths), tcpkit.open(paths[0])]
    for capture in whole:
        assert len(capture.packets) == 0
    assert len(os.listdir("/proc/self/fd")) == before


def test_bytes_that_were_given_back_cannot_be_had(borrowing):
    _, batch = borrowing
    assert len(batch.data_bytes) == 10_160
    batch.give_back()
    with pytest.raises(RuntimeError, match="payload=True"):
        _ = batch.data_bytes


def test_a_file_that_is_open_for_writing_is_read(capture, opened):
    reader, batch = opened(capture, lend=True), Batch(10)
    with capture.open("ab"):
        assert reader.next(batch)
        assert reader.next(batch)
        assert may_write(capture)
        assert reader.n_frames + len(all_of(reader, 10)) == 200


def test_a_file_that_is_cut_meanwhile_ends_there(capture, borrowing):
    reader, batch = borrowing
    batch.give_back()
    os.truncate(capture, 24 + 1016 * 150 + 300)
    assert reader.n_frames + len(all_of(reader, 10)) == 150
    assert reader.damage == (24 + 1016 * 150, "the file became shorter while it was read")


def test_a_file_that_is_emptied_meanwhile(capture, borrowing):
    reader, batch = borrowing
    batch.give_back()
    os.truncate(capture, 0)
    at = 24 + 1016 * reader.n_frames
    assert all_of(reader, 10) == []
    assert reader.damage == (at, "the file became shorter while it was read")


def test_a_file_that_grows_meanwhile(capture, borrowing):
    reader, batch = borrowing
    batch.give_back()
    with capture.open("ab") as file:
        file.write(pcap(frames(*[LARGE] * 50))[24:])
    assert reader.n_frames + len(all_of(reader, 10)) == 250


def test_captures_that_overlap(tmp_path, opened):
    """What has to wait for other captures is copied."""
    paths = [tmp_path / name for name in "ab"]
    for number, path in enumerate(paths):
        path.write_bytes(pcap([Frame(T0 + i * 2000 + number * 500_000, bytes([number]) * 1000, 1000)
                               for i in range(600)]))
    found = []
    for lend in (False, True):
        reader, batch, seen = opened(paths, lend=lend), Batch(64), []
        while reader.next(batch):
            data = batch.data_bytes
            seen += [(int(row["time_ns"]), data[int(row["offset"]) - batch.data_offset]) for row in batch.frame_array]
        found.append(seen)
    assert len(found[0]) == 1200
    assert found[1] == found[0]


@pytest.mark.parametrize("threads", [1, 3])
def test_nobody_waits_for_a_pass_that_stands_still(tmp_path, threads):
    path = tmp_path / "x"
    path.write_bytes(pcap(frames(*[LARGE] * 20_000)))
    pieces = tcpkit.scan(path, threads=threads)
    next(pieces, None)
    writer = threading.Thread(target=lambda: path.open("ab").close())
    writer.start()
    writer.join(timeout=10)
    assert not writer.is_alive()


def test_tables_of_long_records(tmp_path):
    """The same as from a file object, of which nothing is borrowed."""
    path = tmp_path / "x"
    padded = [Frame(frame.time, frame.data + bytes(900), frame.wire_len + 900) for frame in random_capture(5)]
    path.write_bytes(pcap(padded * 20))
    with path.open("rb") as file:
        expected = tcpkit.open(file).packets.array
    assert len(expected) > 0
    np.testing.assert_array_equal(tcpkit.open(path).packets.array, expected)
