"""Capture files into batches."""
from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from packets import T0, Frame, pcap
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.errors import CaptureError


def frames(n, size=60):
    return [Frame(T0 + i * 1_234_567_000, bytes([i % 256]) * (size + i % 7), size + i % 7 + 5) for i in range(n)]


class Dribble(io.BytesIO):
    """A source that gives a few bytes at a time, as a pipe may."""

    def readinto(self, buffer):
        return super().readinto(buffer[:7])


class File(io.BytesIO):
    """A source of known size, of which more may be read without waiting."""

    size = 0


class Pieces(io.BytesIO):
    """A stream that gives the file header, then so many bytes, then the rest."""

    def __init__(self, content, first):
        super().__init__(content)
        self.ends = [24, 24 + first, len(content)]

    def readinto(self, buffer):
        here = self.tell()
        return super().readinto(buffer[:next((end for end in self.ends if end > here), here) - here])


def read(source, batches=None):
    """All FRAME rows, and the captured bytes of each frame."""
    batches = batches or [Batch(64)]
    reader = Reader(io.BytesIO(source) if isinstance(source, bytes) else source)
    rows, payloads, turn = [], [], 0
    while reader.next(batches[turn % len(batches)]):
        batch = batches[turn % len(batches)]
        array, data = batch.frame_array, batch.data_bytes
        rows.append(array)
        payloads += [data[start:start + length] for start, length in
                     zip((array["offset"] - batch.data_offset).tolist(), array["cap_len"].tolist(), strict=True)]
        turn += 1
    return reader, np.concatenate(rows) if rows else None, payloads


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
@pytest.mark.parametrize("n", [1, 63, 64, 65, 1000])
def test_classic_pcap(order, nano, n):
    made = frames(n)
    reader, rows, payloads = read(pcap(made, order=order, nano=nano, link_type=113), [Batch(64), Batch(64)])
    assert rows["number"].tolist() == list(range(1, n + 1))
    assert rows["time_ns"].tolist() == [frame.time for frame in made]
    assert rows["cap_len"].tolist() == [len(frame.data) for frame in made]
    assert rows["wire_len"].tolist() == [frame.wire_len for frame in made]
    assert set(rows["link_type"]) == {113}
    assert payloads == [frame.data for frame in made]
    assert reader.damage is None
    assert reader.n_frames == n


def test_a_source_that_gives_few_bytes_at_a_time():
    made = frames(50)
    assert read(Dribble(pcap(made)))[2] == [frame.data for frame in made]


def test_offsets_are_positions_in_the_capture():
    made = frames(500, 700)
    capture = pcap(made)
    rows = read(capture)[1]
    assert [capture[start:start + length] for start, length in
            zip(rows["offset"].tolist(), rows["cap_len"].tolist(), strict=True)] == [frame.data for frame in made]


@pytest.mark.parametrize("cut", [1, 15, 16, 40])
def test_everything_before_a_cut_is_delivered(cut):
    made = frames(100)
    capture = pcap(made)
    start = len(capture) - 16 - len(made[-1].data)
    reader, rows, _ = read(capture[:start + cut])
    assert len(rows) == 99
    assert reader.damage[0] == start


def test_an_absurd_record_length_ends_the_capture():
    made = frames(5)
    capture, start = bytearray(pcap(made)), len(pcap(made[:4]))
    capture[start + 8:start + 12] = b"\xff\xff\xff\x7f"
    reader, rows, _ = read(bytes(capture))
    assert len(rows) == 4
    assert reader.damage[0] == start


def test_a_cut_capture_is_not_taken_for_a_variant():
    """Read with the longer record headers of a variant, the second record holds one header more, of a cut record."""
    held = struct.pack("<II", 2, 500) + bytes(10) + struct.pack("<IIIIQ", 5, 5, 90_000, 90_000, 0)
    made = [Frame(T0, data, len(data)) for data in (bytes(62), held)]
    _, rows, payloads = read(File(pcap(made) + bytes(4)), [Batch(64)])
    assert rows["time_ns"].tolist() == [T0, T0]
    assert payloads == [bytes(62), held]


@pytest.mark.parametrize("first", range(1, 280))
def test_where_a_piece_of_a_stream_ends_does_not_make_a_variant(first):
    """Loopback of IPv6 has the zeros that make a cut record look like one of a variant."""
    made = [Frame(T0, (b"\0" * 3 + b"\x1c" + b"\x60" + bytes(23)) + bytes(15) + b"\1" + bytes(15) + b"\1" + bytes(more),
                  64 + more) for more in (0, 0, 600)]
    assert read(Pieces(pcap(made), first))[2] == [frame.data for frame in made]


def test_an_odd_time_alone_does_not_make_a_variant():
    """Read with the longer record headers of variants, the second record is as odd, or more."""
    record = struct.pack("<II", 60, 60) + b"\xff" * 60
    _, rows, _ = read(pcap([]) + struct.pack("<II", 1, 2) + record + struct.pack("<II", 1, 1_000_000) + record)
    assert rows["cap_len"].tolist() == [60, 60]


def test_a_variant_with_an_odd_time_beats_a_record_too_long_for_any_capture():
    """With the usual header of 16 bytes the second record begins 8 bytes earlier, and its length is the time."""
    first = struct.pack("<IIII", 1, 2, 60, 60) + bytes(8 + 60)
    _, rows, _ = read(pcap([], snaplen=65535) + first + struct.pack("<IIII", 300_000, 5_000_000, 4, 9) + bytes(8 + 4))
    assert rows["wire_len"].tolist() == [60, 9]


@pytest.mark.parametrize("content", [b"", b"\xd4", b"hello, this is a text file, not a capture", bytes(100)])
def test_not_a_capture(content):
    with pytest.raises(CaptureError):
        Reader(io.BytesIO(content))


def test_a_capture_without_frames():
    reader, rows, _ = read(pcap([]))
    assert rows is None
    assert reader.damage is None
