"""Files, pipes, compressed captures, URLs, files being written, sets of files."""
from __future__ import annotations

import bz2
import errno
import gzip
import http.server
import io
import lzma
import os
import random
import resource
import sys
import threading
import time
from functools import partial

import fsspec
import lz4.frame
import numpy as np
import pytest
import zstandard

import tcpkit
from packets import T0, Conversation, Frame, pcap, pcapng
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpkit import compression, rotated, sources, urls
from tcpkit.errors import CaptureError
from tcpkit.rotated import open_reader
from tcpkit.sources import open_source

COMPRESSORS = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": partial(lz4.frame.compress, content_checksum=True),
    "xz": lzma.compress,
    "bz2": bz2.compress,
}


def made(n, start=T0, step=1_000_000_000, size=200):
    noise = random.Random(n)
    return [Frame(start + i * step, noise.randbytes(size + i % 9), size + 20) for i in range(n)]


def read(reader, frames=64):
    """(number, time, captured bytes) of all frames."""
    out, batch = [], Batch(frames)
    while reader.next(batch):
        data, array = batch.data_bytes, batch.frame_array
        for frame in array:
            at = int(frame["offset"]) - batch.data_offset
            out.append((int(frame["number"]), int(frame["time_ns"]), data[at:at + int(frame["cap_len"])]))
    reader.close()
    return out


def expected(frames):
    return [(number, frame.time, frame.data) for number, frame in enumerate(frames, 1)]


@pytest.fixture(params=[*COMPRESSORS, "plain"])
def compressed(request):
    return COMPRESSORS.get(request.param, lambda data: data)


def test_compressed_reads_as_plain(tmp_path, compressed):
    frames = made(3000)
    path = tmp_path / "no-telling-name"
    path.write_bytes(compressed(pcap(frames, nano=True)))
    assert read(open_reader(path)) == expected(frames)


def test_members_one_after_the_other(tmp_path, compressed):
    frames = made(300)
    capture = pcap(frames, nano=True)
    path = tmp_path / "members"
    path.write_bytes(compressed(capture[:5000]) + compressed(capture[5000:5001]) + compressed(capture[5001:]))
    assert read(open_reader(path)) == expected(frames)


@pytest.mark.parametrize("kind", ["zst", "lz4"])
@pytest.mark.parametrize("lengths", [[4], [0], [1008, 1008], [1010], [70_000]])
def test_skippable_frames_first(tmp_path, kind, lengths):
    """Both formats have them, wherever they end in what is read at a time."""
    path = tmp_path / "skippable"
    path.write_bytes(b"".join(b"\x50\x2a\x4d\x18" + length.to_bytes(4, "little") + bytes(length) for length in lengths)
                     + COMPRESSORS[kind](pcap(made(300), nano=True)))
    reader = open_reader(path)
    assert read(reader) == expected(made(300))
    assert reader.damages == []
    assert reader.source.compression == {"zst": "Zstandard", "lz4": "LZ4"}[kind]


def test_a_long_way_back_is_no_damage(tmp_path):
    """zstd --long=31 and the like: the library would have to hold gigabytes."""
    packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    data = bytearray(packer.compress(pcap(made(300))) + packer.flush())
    data[5] = 31 - 10 << 3                       # the window descriptor (RFC 8878 section 3.1.1.1.2)
    path = tmp_path / "long.zst"
    path.write_bytes(data)
    with pytest.raises(CaptureError, match=r"Zstandard data that look back more than 128 MiB.* zstd -d --long=31$"):
        open_reader(path)
    path.write_bytes(lzma.compress(pcap(made(300)), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 256 << 20}]))
    with pytest.raises(CaptureError, match=r"xz data that look back more than 128 MiB.* with xz -d$"):
        open_reader(path)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_cut_compressed_data_is_damage_and_what_came_before_is_delivered(tmp_path, kind):
    frames = made(6_000)
    data = COMPRESSORS[kind](pcap(frames, nano=True))
    path = tmp_path / "cut"
    path.write_bytes(data[:len(data) * 3 // 4])
    reader = open_reader(path)
    got = read(reader)
    assert len(got) > 1_500
    assert got == expected(frames)[:len(got)]
    (name, _, cause), = reader.damages
    assert name == str(path)
    assert "damaged" in cause


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_flipped_compressed_data_is_damage(tmp_path, kind):
    data = bytearray(COMPRESSORS[kind](pcap(made(6_000))))
    data[-2000:-1992] = b"\xaa" * 8
    path = tmp_path / "flipped"
    path.write_bytes(data)
    reader = open_reader(path)
    read(reader)
    assert reader.damages


def test_memory_that_runs_out_is_no_damage(monkeypatch):
    class Full:
        def decompress(self, data, max_length):
            raise MemoryError

    for module in ("sources", "decompressed"):
        monkeypatch.setattr(f"tcpkit.{module}.find_format", lambda head: ("gzip", Full, 100))
    source = open_source(io.BytesIO(gzip.compress(b"some data")))
    for _ in range(2):                           # it does not wait for a thread that has ended
        with pytest.raises(MemoryError):
            source.readinto(memoryview(bytearray(100)))


def test_data_damaged_from_the_start_is_no_capture(tmp_path):
    path = tmp_path / "stub.gz"
    path.write_bytes(gzip.compress(pcap(made(5)), mtime=0)[:15])
    with pytest.raises(CaptureError, match="damaged gzip data, near byte 15 of the file: it ends too early"):
        open_reader(path)


def test_zeros_after_gzip_are_padding(tmp_path):
    frames = made(10)
    path = tmp_path / "tape"
    path.write_bytes(gzip.compress(pcap(frames), mtime=0) + bytes(200_000))
    reader = open_reader(path)
    assert len(read(reader)) == 10
    assert reader.damages == []


def test_gzip_without_isal(tmp_path, monkeypatch):
    frames = made(5000)
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(pcap(frames, nano=True), mtime=0))
    monkeypatch.setitem(__import__("sys").modules, "isal", None)
    assert isinstance(compression.find_format(b"\x1f\x8b\x08")[1](), compression._Zlib)
    assert read(open_reader(path)) == expected(frames)


@pytest.mark.parametrize(("kind", "size", "bound"), [
    ("gz", 16 << 20, 1 << 20), ("zst", 64 << 20, 34 << 20), ("lz4", 16 << 20, 1 << 20), ("xz", 16 << 20, 1 << 20),
    ("bz2", 16 << 20, 1 << 20)])
def test_a_decompression_bomb_is_read_piece_by_piece(kind, size, bound):
    source = open_source(io.BytesIO(COMPRESSORS[kind](bytes(size))))
    buffer, total = memoryview(bytearray(1 << 20)), 0
    largest = 0
    while got := source.readinto(buffer):
        total += got
        largest = max(largest, len(source._piece))
    source.close()
    assert total == size
    assert largest <= bound


def test_closing_early_ends_the_thread(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(bytes(100 << 20), 1, mtime=0))
    source = open_source(path)
    source.readinto(memoryview(bytearray(10)))
    source.close()
    assert not source._thread.is_alive()
    assert source.readinto(memoryview(bytearray(10))) <= 10


def test_pipe(tmp_path):
    frames = made(500)
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(zstandard.compress(pcapng(frames)),))
    writer.start()
    got = read(open_reader(path))
    writer.join()
    assert [data for _, _, data in got] == [frame.data for frame in frames]


def test_standard_input(monkeypatch, tmp_path):
    frames = made(5)
    path = tmp_path / "x"
    path.write_bytes(pcap(frames, nano=True))
    saved = os.dup(0)
    with path.open("rb") as file:
        os.dup2(file.fileno(), 0)
        try:
            reader = open_reader("-")
            assert reader.name == "standard input"
            assert read(reader) == expected(frames)
        finally:
            os.dup2(saved, 0)
            os.close(saved)


def test_standard_input_that_was_closed_from_the_start(monkeypatch):
    monkeypatch.setattr(sys, "__stdin__", None)
    with pytest.raises(CaptureError, match="standard input: Bad file descriptor"):
        open_reader("-")


def test_file_object_is_left_open():
    frames = made(5)
    file = io.BytesIO(gzip.compress(pcap(frames, nano=True), mtime=0))
    assert read(open_reader(file)) == expected(frames)
    assert not file.closed


def test_what_goes_wrong_on_the_way_from_a_url_is_told(monkeypatch):
    """Whatever error the file system has for it: aiohttp's are no OSError, nor is that of a server without ranges."""
    fsspec.filesystem("memory").pipe("/broken.pcap", capture := pcap(Conversation().handshake().frames * 2000))
    memory_file = type(fsspec.open("memory://broken.pcap", "rb").open())
    read = memory_file.read

    def read_some(self, size):
        if self.tell() > len(capture) // 2:
            raise ValueError("no ranges")
        return read(self, min(size, 10_000))

    monkeypatch.setattr(memory_file, "read", read_some, raising=False)
    opened = tcpkit.open("memory://broken.pcap")
    assert len(opened.packets) > 1000
    assert [str(warning) for warning in opened.warnings if "reading fails: no ranges" in str(warning)]


def test_url(tmp_path):
    frames = made(5)
    (tmp_path / "x.zst").write_bytes(zstandard.compress(pcap(frames, nano=True)))
    assert read(open_reader(f"file://{tmp_path}/x.zst")) == expected(frames)
    with pytest.raises(CaptureError, match="nosuch"):
        open_reader("nosuch://host/x.pcap")
    with pytest.raises(CaptureError, match="no such file"):
        open_reader("memory://nosuch")
    with pytest.raises(CaptureError, match=r"(?i)connect"):           # the cause, not the address again
        open_reader("http://127.0.0.1:1/x.pcap")


class OneRequest(http.server.BaseHTTPRequestHandler):
    """A web server that does not know ranges, as Python's own."""

    capture = pcap(Conversation().handshake().frames * 40_000)

    def do_HEAD(self):
        self.send_response(200 if self.path != "/none" else 404)
        self.send_header("Content-Length", str(len(self.capture)))
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        if self.path != "/none":
            self.wfile.write(self.capture[:3_000_000 if self.path in ("/cut", "/stalled") else None])
        if self.path == "/stalled":
            self.server.goes_on.wait(60)

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneRequest) as server:
        server.goes_on = threading.Event()
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.goes_on.set()
        server.shutdown()


def test_a_web_server_without_ranges(web):
    """More than the five megabytes that are asked for at a time where servers know ranges."""
    assert len(OneRequest.capture) > 6_000_000
    opened = tcpkit.open(f"{web}/all")
    assert len(opened.packets) == 120_000
    assert opened.warnings == []


def test_a_web_server_that_breaks_off(web):
    opened = tcpkit.open(f"{web}/cut")
    assert 0 < len(opened.packets) < 120_000
    assert [warning for warning in opened.warnings if "reading fails" in str(warning)]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_web_server_that_stalls_is_not_waited_for_after_stop(web, threads):
    opened = tcpkit.open(f"{web}/stalled", threads=threads)
    stopper = threading.Timer(0.5, opened.stop)
    begun = time.monotonic()
    stopper.start()
    assert 0 < len(opened.packets) < 120_000
    assert time.monotonic() - begun < 20
    assert opened.warnings == []


def test_a_web_server_that_stalls_for_a_minute_is_told(web, monkeypatch):
    monkeypatch.setattr(urls, "SILENCE", 0.5)
    opened = tcpkit.open(f"{web}/stalled")
    assert 0 < len(opened.packets) < 120_000
    assert [warning for warning in opened.warnings if "reading fails: Timeout on reading" in str(warning)]


def test_what_a_slow_file_system_gives_is_taken_at_once(monkeypatch):
    """It is waited for already: to sleep, too, halved what came from where each read takes a moment."""
    left = [b"", b"def", b"abc"]

    class Slow:
        def read(self, size):
            time.sleep(2 * urls.POLL)
            return left.pop()

        def close(self):
            pass

    monkeypatch.setattr(sources, "POLL", 3)
    source, begun = sources.PlainSource(urls.Remote(Slow()), "slow", None), time.monotonic()
    assert source.peek(10) == b"abcdef"
    assert time.monotonic() - begun < 3
    source.close()


def test_the_thread_that_reads_a_url_ends_when_opening_is_interrupted(tmp_path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    path, others = tmp_path / "a.pcap", set(threading.enumerate())
    path.write_bytes(pcap(made(3)))
    monkeypatch.setattr(sources, "find_format", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_source(path.as_uri())
    for thread in set(threading.enumerate()) - others:
        thread.join(10)
        assert not thread.is_alive()


def test_a_web_server_that_has_no_such_file(web):
    with pytest.raises(CaptureError, match=r"/none: 404 Not Found$"):
        open_reader(f"{web}/none")


def test_following_a_file_that_is_being_written(tmp_path):
    frames = made(300)
    capture = pcap(frames, nano=True)
    path = tmp_path / "growing"
    path.write_bytes(capture[:24])
    source = open_source(path, follow=True)

    def write():
        with path.open("ab", buffering=0) as file:
            for at in range(24, len(capture), 5_001):
                file.write(capture[at:at + 5_001])
                time.sleep(0.005)
        time.sleep(0.3)
        source.stop()

    writer = threading.Thread(target=write)
    writer.start()
    reader = Reader(source)
    got = read(reader)
    writer.join()
    assert got == expected(frames)
    assert reader.damages == []


def test_frames_of_a_followed_file_come_at_once(tmp_path):
    path = tmp_path / "growing"
    path.write_bytes(pcap(made(3)))
    reader, batch = open_reader(path, follow=True), Batch(64)
    assert reader.next(batch)
    assert batch.n_frames == 3
    reader.close()


@pytest.mark.parametrize(("content", "message"), [
    (b"", "an empty file"),
    (b"just some text, long enough to be a header", "text"),
    (b"\x7fELF" + bytes(60), "ELF"),
    (gzip.compress(b"just some text, long enough to be a header", mtime=0), "text"),
    (gzip.compress(b"", mtime=0), "an empty file"),
    (bytes(50), "zero bytes"),
    (b"PK\x03\x04" + bytes(60), "ZIP"),
    (b"\xd4\xc3\xb2\xa1\2\0", "ends within its header"),
])
def test_not_a_capture_names_what_was_found(tmp_path, content, message):
    path = tmp_path / "what"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=message) as caught:
        open_reader(path)
    assert caught.value.path == str(path)


def test_a_pattern_where_no_directory_can_be_listed(tmp_path, monkeypatch):
    """glob passes over it, as if nothing were there."""
    (tmp_path / "a.pcap").write_bytes(pcap(made(1)))

    def scandir(path):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "scandir", scandir)
    for pattern in (tmp_path / "*.pcap", tmp_path / "*" / "*.pcap"):
        with pytest.raises(CaptureError, match="Too many open files"):
            open_reader(str(pattern))


def test_what_cannot_be_opened(tmp_path, monkeypatch):
    with pytest.raises(CaptureError, match="No such file"):
        open_reader(tmp_path / "missing.pcap")
    with pytest.raises(CaptureError, match="a directory without captures"):
        open_reader(tmp_path)
    with pytest.raises(CaptureError, match="no file has such a name"):
        open_reader(str(tmp_path / "*.pcap"))
    with pytest.raises(CaptureError, match="no file has such a name"):
        open_reader(str(tmp_path / "missing" / "*.pcap"))
    for nothing in ([], "", [""]):
        with pytest.raises(CaptureError, match="capture: no file is named"):
            open_reader(nothing)
    with pytest.raises(CaptureError, match="directory"):
        open_source(tmp_path)
    with pytest.raises(TypeError):
        open_reader([17])
    (tmp_path / "x").write_bytes(b"")
    monkeypatch.setattr("io.FileIO", lambda path: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(CaptureError, match="Permission denied"):
        open_source(tmp_path / "x")


class TestSets:
    @pytest.fixture
    def rotated(self, tmp_path):
        """A capture in five files whose names are not in order of time; and all its frames."""
        frames = made(1000)
        for part, name in enumerate(["d.pcap", "a.pcapng.gz", "e.pcap", "b.pcap.zst", "c.pcapng"]):
            piece = frames[part * 200:part * 200 + 200]
            data = pcapng(piece) if "pcapng" in name else pcap(piece, nano=True)
            kind = name.rpartition(".")[2]
            (tmp_path / name).write_bytes(COMPRESSORS.get(kind, bytes)(data))
        (tmp_path / "notes.txt").write_text("not a capture")
        (tmp_path / "notes.gz").write_bytes(gzip.compress(b"not a capture either, but compressed", mtime=0))
        return frames

    def test_a_directory_is_one_capture(self, tmp_path, rotated):
        assert read(open_reader(tmp_path)) == expected(rotated)

    def test_a_glob_and_a_list(self, tmp_path, rotated):
        assert len(read(open_reader(f"{tmp_path}/*.pcap"))) == 400
        names = [tmp_path / "e.pcap", f"{tmp_path}/[abcd].pcap*"]
        assert read(open_reader(names)) == expected(rotated)

    def test_file_objects(self, rotated):
        files = [io.BytesIO(pcap(rotated[500:], nano=True)), io.BytesIO(pcap(rotated[:500], nano=True))]
        assert read(open_reader(files)) == expected(rotated)

    def test_standard_input_cannot_be_one_of_several(self, tmp_path, rotated):
        with pytest.raises(CaptureError, match="only once"):
            open_reader([tmp_path / "d.pcap", "-"])

    @pytest.mark.parametrize("frames_per_batch", [7, 64, 2048])
    def test_overlapping_captures_are_merged_by_time(self, tmp_path, frames_per_batch):
        frames = made(3000, step=1_000)
        dice = random.Random(1)
        parts = [[], [], []]
        for i, frame in enumerate(frames):
            parts[dice.randrange(2 if i < 2000 else 3)].append(frame)
        for number, part in enumerate(parts):
            (tmp_path / f"{number}.pcap").write_bytes(pcap(part, nano=True))
        assert read(open_reader(tmp_path), frames_per_batch) == expected(frames)

    def test_frames_at_the_same_time_stay_in_the_order_of_the_files(self, tmp_path):
        frames = made(100, step=0)
        (tmp_path / "a").write_bytes(pcap(frames[:50], nano=True))
        (tmp_path / "b").write_bytes(pcap(frames[50:], nano=True))
        assert read(open_reader([tmp_path / "a", tmp_path / "b"])) == expected(frames)

    def test_more_files_overlap_than_may_be_open(self, tmp_path):
        frames = made(600)
        for part in range(150):                                            # whose frames take turns
            data = pcap(frames[part::150], nano=True)
            (tmp_path / f"{part:03}").write_bytes(gzip.compress(data) if part == 140 else data)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 60, hard))
        try:
            assert read(open_reader(tmp_path), 7) == expected(frames)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_equal_times_of_many_files_stay_in_their_order(self, tmp_path):
        frames = [Frame(T0 + at // 90, bytes([at]) * 60, 60) for at in range(180)]
        for part in range(30):                                             # three frames of each time
            own = [*frames[3 * part:][:3], *frames[90 + 3 * part:][:3]]
            (tmp_path / f"{part:02}").write_bytes(pcap(own, nano=True))
        assert read(open_reader(tmp_path)) == expected(frames)

    def test_another_file_under_the_name_is_not_read_on(self, tmp_path, monkeypatch):
        monkeypatch.setattr(rotated, "KEPT_OPEN", 1)
        frames = made(4000)
        for part, name in enumerate("ab"):
            (tmp_path / name).write_bytes(pcap(frames[part::2], nano=True))
        reader, batch = open_reader(tmp_path), Batch(7)
        for _ in range(3):
            reader.next(batch)
        (tmp_path / "new").write_bytes((tmp_path / "b").read_bytes())
        (tmp_path / "new").rename(tmp_path / "b")
        while reader.next(batch):
            pass
        (name, _, cause), = reader.damages
        assert name.endswith("/b")
        assert "another file has its name" in cause

    def test_a_frame_larger_than_a_batch_is_merged(self, tmp_path):
        big = [Frame(T0 + i, bytes([i]) * 200_000, 200_000) for i in range(30)]
        (tmp_path / "a").write_bytes(pcap(big[::2], nano=True))
        (tmp_path / "b").write_bytes(pcap(big[1::2], nano=True))
        assert read(open_reader(tmp_path)) == expected(big)

    def test_equal_interfaces_are_one_and_others_are_not(self, tmp_path):
        frames = made(30)
        (tmp_path / "a").write_bytes(pcap(frames[:10], link_type=1))
        (tmp_path / "b").write_bytes(pcap(frames[10:20], link_type=101))
        (tmp_path / "c").write_bytes(pcap(frames[20:], link_type=1))
        reader, batch = open_reader(tmp_path), Batch(64)
        ids = []
        while reader.next(batch):
            ids += [(int(i), int(link)) for i, link in batch.frame_array[["interface_id", "link_type"]]]
        assert ids == [(0, 1)] * 10 + [(1, 101)] * 10 + [(0, 1)] * 10
        assert [interface.link_type for interface in reader.interfaces] == [1, 101]

    def test_damage_ends_its_file_only(self, tmp_path, rotated):
        whole = (tmp_path / "d.pcap").read_bytes()
        (tmp_path / "d.pcap").write_bytes(whole[:-5])
        reader = open_reader(tmp_path)
        assert [data for _, _, data in read(reader)] == [frame.data for frame in rotated[:199] + rotated[200:]]
        (name, offset, _), = reader.damages
        assert name == str(tmp_path / "d.pcap")
        assert 0 < offset < len(whole)

    def test_captures_without_frames(self, tmp_path):
        frames = made(3)
        (tmp_path / "a").write_bytes(pcap([]))
        (tmp_path / "b").write_bytes(pcap(frames, nano=True))
        (tmp_path / "c").write_bytes(pcap([]))
        assert read(open_reader(tmp_path)) == expected(frames)

    def test_batches_may_alternate(self, tmp_path, rotated):
        reader, batches, numbers = open_reader(tmp_path), [Batch(64), Batch(64)], []
        while reader.next(batches[len(numbers) % 2]):
            numbers.append(batches[len(numbers) % 2].frame_array["number"])
        assert np.concatenate(numbers).tolist() == list(range(1, 1001))


def test_a_single_file_of_a_set_is_read_without_merging(tmp_path):
    (tmp_path / "only.pcap").write_bytes(pcap(made(3)))
    reader = open_reader(tmp_path)
    reader.close()
    assert isinstance(reader, Reader)


def test_a_pipe_that_does_not_wait_has_not_ended(monkeypatch):
    monkeypatch.setattr(sources, "POLL", 0.001)
    content = pcap(made(20))
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def write():
        with open(writing, "wb", buffering=0) as file:
            for start in range(0, len(content), 1000):
                time.sleep(0.01)
                file.write(content[start:start + 1000])

    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb", buffering=0) as file:
        reader, batch, frames = open_reader(file), Batch(), 0
        while reader.next(batch):
            frames += batch.n_frames
    writer.join()
    assert frames == 20
    assert reader.damages == []


def test_frames_of_zstandard_share_a_decompressor(monkeypatch):
    made_new, make = [], zstandard.ZstdDecompressor
    monkeypatch.setattr(zstandard, "ZstdDecompressor", lambda **how: made_new.append(how) or make(**how))
    frames = made(20)
    whole = pcap(frames, nano=True)
    compress = COMPRESSORS["zst"]
    pieces = b"".join(compress(whole[at:at + 100]) + compress(b"") for at in range(0, len(whole), 100))
    assert read(open_reader(io.BytesIO(pieces))) == expected(frames)
    assert len(made_new) == 1


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_what_gives_nothing_is_not_waited_for_after_stop(waits, compress):
    frames = made(20)
    reading, writing = os.pipe()
    os.set_blocking(reading, waits)
    os.write(writing, compress(pcap(frames))[:-10])
    rescue = threading.Timer(20, os.close, [writing])                      # of who waits all the same
    rescue.start()
    with open(reading, "rb", buffering=0) as file:
        source = open_source(file)
        stopper = threading.Timer(0.3, source.stop)
        stopper.start()
        reader = Reader(source)
        assert read(reader) == expected(frames[:19])
    assert rescue.is_alive()
    rescue.cancel()
    os.close(writing)
    assert reader.damages == []
