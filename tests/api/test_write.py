"""Frames written to another capture: the same ones, read by tshark too."""
from __future__ import annotations

import io
import shutil
import subprocess

import numpy as np
import pytest

import tcpkit
from conversations import random_capture
from packets import (
    Conversation,
    Frame,
    ethernet,
    ipv4,
    pcap,
    pcapng_interface,
    pcapng_option,
    pcapng_packet,
    pcapng_section,
    tcp,
)
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader

FRAMES = random_capture(5, conversations=20)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.pcap"
    path.write_bytes(pcap(FRAMES, nano=True))
    return path


def frames_of(path):
    """(time, captured bytes, wire length, link type) of each frame of a capture file."""
    reader, batch, out = Reader(io.BytesIO(path.read_bytes())), Batch(), []
    while reader.next(batch):
        data = batch.data_bytes
        for frame in batch.frame_array:
            start = int(frame["offset"]) - batch.data_offset
            out.append((int(frame["time_ns"]), data[start:start + int(frame["cap_len"])],
                        int(frame["wire_len"]), int(frame["link_type"])))
    return out


def tshark(path, *arguments):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    return subprocess.run(["tshark", "-n", "-r", path, *arguments], capture_output=True, text=True,
                          check=True).stdout.splitlines()


@pytest.mark.parametrize("name", ["all.pcap", "all.pcapng", "all"])
def test_everything_is_written_as_it_was(source, tmp_path, name):
    target = tmp_path / name
    assert tcpkit.open(source).write(target) == len(FRAMES)
    assert frames_of(target) == [(each.time, each.data, each.wire_len, 1) for each in FRAMES]
    assert target.read_bytes()[:4] == (b"\x0a\x0d\x0d\x0a" if name.endswith("ng") else b"\x4d\x3c\xb2\xa1")


@pytest.mark.parametrize("name", ["some.pcap", "some.pcapng"])
def test_tshark_reads_what_is_written(source, tmp_path, name):
    target = tmp_path / name
    tcpkit.open(source).write(target, where="tcp.stream < 8")
    expected = tshark(source, "-Y", "tcp.stream < 8", "-T", "fields", "-e", "frame.time_epoch", "-e", "tcp.seq_raw")
    assert tshark(target, "-T", "fields", "-e", "frame.time_epoch", "-e", "tcp.seq_raw") == expected
    assert len(expected) > 20


def test_streams(source, tmp_path):
    capture, target = tcpkit.open(source), tmp_path / "some.pcap"
    expected = capture.packets.where("tcp.stream in {1, 3} and tcp.len > 0")["time"].tolist()
    assert capture.write(target, where="tcp.len > 0", streams=[1, 3]) == len(expected)
    assert tcpkit.open(target).packets["time"].tolist() == expected
    with pytest.raises(IndexError, match="there is no stream 999"):
        capture.write(target, streams=[999])
    for none in (-1, 1 << 40):
        with pytest.raises(IndexError, match=f"no stream {none}"):
            capture.write(target, streams=[none])
    assert tcpkit.open(target).packets["time"].tolist() == expected              # as it was


def test_streams_of_an_array(source, tmp_path):
    capture, target = tcpkit.open(source), tmp_path / "out.pcap"
    for numbers in ([0], [1, 3]):
        n_frames = capture.write(target, streams=numbers)
        assert capture.write(target, streams=np.array(numbers)) == n_frames
    before = target.read_bytes()
    assert capture.write(target, streams=[]) == capture.write(target, streams=np.array([], int)) == 0
    assert target.read_bytes() == before


def test_capture_filter_chooses_frames_without_tcp_too(tmp_path):
    udp = Frame(FRAMES[0].time, ethernet(ipv4("10.9.9.9", "10.9.9.8", bytes(20), 17)), 54)
    path, target = tmp_path / "a.pcap", tmp_path / "b.pcap"
    path.write_bytes(pcap([*FRAMES[:20], udp, *FRAMES[20:40]], nano=True))
    assert tcpkit.open(path, capture_filter="udp").write(target) == 1
    assert frames_of(target)[0][1] == udp.data
    assert tcpkit.open(path, capture_filter="udp").write(target, where="tcp") == 0
    assert frames_of(target) == []


def test_every_interface_keeps_its_link_type(tmp_path):
    """The second interface's first frame comes long after the first batch has been written."""
    data = ipv4("10.0.0.1", "10.0.0.2", bytes(20))
    nanoseconds = pcapng_option(9, b"\x09")
    frames = [Frame(1_700_000_000_000_000_000 + i, ethernet(data) if i < 5000 else data, 60) for i in range(5001)]
    path, target = tmp_path / "two.pcapng", tmp_path / "again.pcapng"
    path.write_bytes(b"".join([
        pcapng_section(), pcapng_interface(1, options=nanoseconds), pcapng_interface(101, options=nanoseconds),
        *(pcapng_packet(frame, int(i == 5000), units_per_second=10**9) for i, frame in enumerate(frames))]))
    assert tcpkit.open(path).write(target) == 5001
    assert frames_of(target) == frames_of(path)
    assert frames_of(target)[-1][3] == 101
    with pytest.raises(tcpkit.CaptureError, match=r"one link type.*\.pcapng"):
        tcpkit.open(path).write(tmp_path / "two.pcap")


def test_what_is_read_is_never_overwritten(source):
    before = source.read_bytes()
    for capture in (tcpkit.open(source), tcpkit.open([source, source]), tcpkit.open(source.parent),
                    tcpkit.open(f"{source.parent}/*.pcap")):
        with pytest.raises(tcpkit.CaptureError, match="is being read"):
            capture.write(source)
    assert source.read_bytes() == before


def test_no_room_to_write(source):
    with pytest.raises(tcpkit.CaptureError, match="cannot be written"):
        tcpkit.open(source).write(source / "below")
    with pytest.raises(tcpkit.CaptureError, match="No space left"):
        tcpkit.open(source).write("/dev/full")


def test_damage_is_told_and_what_came_before_is_written(tmp_path):
    path, target = tmp_path / "cut.pcap", tmp_path / "whole.pcap"
    path.write_bytes(Conversation().handshake().pcap()[:-3])
    capture = tcpkit.open(path)
    assert capture.write(target) == 2
    assert [warning.offset for warning in capture.warnings] == [24 + 2 * (16 + 58)]


def test_what_is_read_through_a_file_object_is_never_overwritten(source, tmp_path):
    before = source.read_bytes()
    link = tmp_path / "link.pcap"
    link.hardlink_to(source)
    with source.open("rb") as file:
        for given in (file, [file]):
            file.seek(0)
            with pytest.raises(tcpkit.CaptureError, match="is being read"):
                tcpkit.open(given).write(link)
    assert source.read_bytes() == before
    assert tcpkit.open(io.BytesIO(before)).write(source) == len(FRAMES)


@pytest.mark.parametrize("name", ["again.pcap", "again.pcapng"])
def test_what_is_told_of_check_sequences_is_written_too(tmp_path, name):
    """Where IP tells no length, four bytes of one are payload for who does not know of it."""
    offloaded = ethernet(ipv4("10.0.0.1", "10.0.0.2", tcp(5000, 80, 1, payload=b"data"), total=0)) + b"\1\2\3\4"
    source, target = tmp_path / "source.pcapng", tmp_path / name
    source.write_bytes(pcapng_section() + pcapng_interface(options=pcapng_option(13, b"\x20"))
                       + pcapng_packet(Frame(0, offloaded, len(offloaded))))
    tcpkit.open(source).write(target)
    assert tcpkit.open(source).packets["payload_len"].tolist() == [4]
    assert tcpkit.open(target).packets["payload_len"].tolist() == [4]
    assert tshark(target, "-T", "fields", "-e", "tcp.len") == ["4"]


@pytest.mark.parametrize("name", ["again.pcap", "again.pcapng"])
def test_frames_may_differ_in_whether_they_end_in_a_check_sequence(tmp_path, name):
    """Received ones may have one that those sent lack: what the first batch has is not said of the others."""
    frame = ethernet(ipv4("10.0.0.1", "10.0.0.2", tcp(5000, 80, 1, payload=b"data")))
    checked = Frame(0, frame + b"\1\2\3\4", len(frame) + 4)
    source, target = tmp_path / "source.pcapng", tmp_path / name
    source.write_bytes(pcapng_section() + pcapng_interface()
                       + pcapng_packet(checked, options=pcapng_option(2, b"\x80\0\0\0")) * 5000
                       + pcapng_packet(Frame(0, frame, len(frame))))
    tcpkit.open(source).write(target)
    assert tcpkit.open(target).packets["payload_len"].tolist() == [4] * 5001


def test_each_frame_keeps_what_is_told_of_its_check_sequence(tmp_path):
    offloaded = ethernet(ipv4("10.0.0.1", "10.0.0.2", tcp(5000, 80, 1, payload=b"data"), total=0))
    source, target = tmp_path / "source.pcapng", tmp_path / "again.pcapng"
    source.write_bytes(pcapng_section() + pcapng_interface() + pcapng_packet(
        Frame(0, offloaded + bytes(4), len(offloaded) + 4), options=pcapng_option(2, b"\x80\0\0\0"))
        + pcapng_packet(Frame(0, offloaded, len(offloaded))))
    tcpkit.open(source).write(target)
    assert tcpkit.open(target).packets["payload_len"].tolist() == [4, 4]
    assert tshark(target, "-T", "fields", "-e", "tcp.len") == ["4", "4"]
