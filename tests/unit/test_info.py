"""What is said of a capture as a whole, beside capinfos where there is one."""
from __future__ import annotations

import gzip
import io
import json
import shutil
import struct
import subprocess

import pytest

import tcpkit
from packets import (
    T0,
    Conversation,
    Frame,
    pcap,
    pcapng,
    pcapng_block,
    pcapng_interface,
    pcapng_option,
    pcapng_packet,
    pcapng_section,
)

S = 1_000_000_000


def info(capture: bytes):
    return tcpkit.open(io.BytesIO(capture)).info


def rich_pcapng() -> bytes:
    """Two sections, three interfaces, comments, names, secrets, statistics."""
    def name(address, text):
        record = address + text + b"\0"
        return struct.pack("<HH", 1, len(record)) + record + bytes(-len(record) % 4)

    frames = Conversation().handshake().frames
    statistics = struct.pack("<III", 0, 0, 99) + pcapng_option(4, struct.pack("<Q", 1000)) + \
        pcapng_option(5, struct.pack("<Q", 7))
    return b"".join([
        pcapng_section(options=pcapng_option(2, b"a machine") + pcapng_option(3, b"an OS")
                       + pcapng_option(4, b"a program") + pcapng_option(1, b"first\x1b[31m remark\nand more")),
        pcapng_interface(1, snaplen=96, options=pcapng_option(2, b"eth0") + pcapng_option(11, b"\0tcp port 80")
                         + pcapng_option(8, struct.pack("<Q", 10**9))),
        pcapng_interface(113, options=pcapng_option(9, b"\x09")),
        pcapng_packet(frames[0], options=pcapng_option(1, b"a SYN") + pcapng_option(1, b"twice")),
        pcapng_packet(frames[1], units_per_second=1_000_000),
        pcapng_block(4, name(b"\x0a\0\0\1", b"client") + name(b"\x0a\0\0\2", b"server") + struct.pack("<HH", 0, 0)),
        pcapng_block(10, struct.pack("<II", 0x544C534B, 4) + b"keys"),
        pcapng_block(5, statistics),
        pcapng_section(">", pcapng_option(4, b"another program", ">")),
        pcapng_interface(1, order=">"),
        pcapng_packet(frames[2], order=">"),
    ])


def test_counts_times_and_rates():
    frames = [Frame(T0 + i * S // 10, bytes(60), 100) for i in range(11)]
    found = info(pcap(frames, nano=True, snaplen=60))
    assert (found.frames, found.captured_bytes, found.wire_bytes) == (11, 660, 1100)
    assert (found.first_ns, found.last_ns, found.duration) == (T0, T0 + S, 1.0)
    assert (found.packet_rate, found.bit_rate, found.average_size) == (11, 8800, 100)
    assert found.strict_order
    assert found.decoded == {"link_truncated": 11}
    assert (found.segments, found.flows) == (0, 0)


def test_what_a_pcapng_file_says_of_itself():
    found = info(rich_pcapng())
    (file,) = found.files
    assert file.format == "pcapng"
    assert [(section.hardware, section.operating_system, section.application) for section in file.sections] == [
        ("a machine", "an OS", "a program"), (None, None, "another program")]
    assert file.sections[0].comments == ["first\x1b[31m remark\nand more"]
    first, second, third = found.interfaces
    assert (first.details.name, first.details.filter, first.details.snaplen, first.details.speed) == (
        "eth0", "tcp port 80", 96, 10**9)
    assert first.details.statistics == {"ticks": 99, "received": 1000, "dropped": 7}
    assert (second.link_name, second.details.resolution, second.frames) == ("Linux cooked", 9, 0)
    assert (third.details.section, third.frames) == (1, 1)
    assert (found.ipv4_names, found.ipv6_names, found.secrets, found.frame_comments) == (2, 0, 1, 2)
    (dropped,) = [flaw for flaw in found.quality if flaw.kind == "dropped"]
    assert (dropped.count, dropped.total) == (7, 1000)


def test_frames_without_a_time_do_not_count_for_times():
    frame = Conversation().c("S", 0).frames[0]
    simple = pcapng_block(3, struct.pack("<I", len(frame.data)) + frame.data)
    found = info(pcapng_section() + pcapng_interface() + pcapng_packet(frame) + simple)
    assert (found.frames, found.untimed_frames, found.first_ns, found.last_ns) == (2, 1, T0, T0)
    assert found.duration == 0
    assert found.packet_rate is None


def test_a_capture_that_begins_at_the_epoch_has_times():
    found = info(pcap([Frame(0, bytes(60), 60), Frame(5 * S, bytes(60), 60)]))
    assert (found.first_ns, found.last_ns, found.untimed_frames) == (0, 5 * S, 0)


def test_a_capture_without_frames():
    found = info(pcap([]))
    assert (found.frames, found.first_ns, found.duration, found.average_size) == (0, None, 0, None)
    assert found.quality == ()


def test_a_set_of_files(tmp_path):
    frames = Conversation().handshake().frames
    (tmp_path / "a.gz").write_bytes(gzip.compress(pcapng(frames[:1])))
    (tmp_path / "b").write_bytes(pcap(frames[1:], link_type=1))
    found = tcpkit.open(tmp_path).info
    assert [(file.format, file.compression, file.frames) for file in found.files] == [
        ("pcapng", "gzip", 1), ("pcap", None, 2)]
    assert found.files[1].size == (tmp_path / "b").stat().st_size
    assert (found.frames, found.flows) == (3, 1)


def test_damage_is_told_of_its_file():
    (file,) = info(pcap(Conversation().handshake().frames)[:-3]).files
    assert file.damage == "at byte 172: the capture ends in the middle of a record"
    assert file.frames == 2


def test_the_same_pass_serves_the_flows():
    capture = tcpkit.open(io.BytesIO(Conversation().handshake().pcap()))
    assert capture.info.flows == len(capture.flows)
    assert capture.warnings == []


def test_json_is_json_and_text_cannot_steer_a_terminal(tmp_path, cli):
    path = tmp_path / "x.pcapng"
    path.write_bytes(rich_pcapng())
    done = cli("info", path, "--format", "json")
    assert done.status == 0
    found = json.loads(done.out)
    assert found["interfaces"][0]["details"]["name"] == "eth0"
    assert found["quality"][0]["kind"]
    text = cli("info", path).out.decode()
    assert text == f"{tcpkit.open(path).info}\n"
    assert "first\\x1b[31m remark\\nand more" in text
    assert "\x1b" not in text
    assert "dropped 7" in text


def test_times_that_no_calendar_has_and_many_interfaces(tmp_path, cli):
    path = tmp_path / "x.pcapng"
    frame = Frame(0, bytes(60), 60)
    far = pcapng_interface(1, options=pcapng_option(9, b"\0") + pcapng_option(14, struct.pack("<q", 1 << 62)))
    path.write_bytes(pcapng_section() + far + pcapng_interface() * 5000 + pcapng_packet(frame)
                     + pcapng_packet(frame, 5000))
    done = cli("info", path)
    assert (done.status, done.err.count(b"\n")) == (1, 1)
    assert b"does not fit into 64 bits of nanoseconds (1677 to 2262): 1;" in done.err
    assert b"more interfaces" in done.out


@pytest.mark.skipif(shutil.which("capinfos") is None, reason="capinfos is not installed")
def test_agrees_with_capinfos(tmp_path):
    path = tmp_path / "x.pcapng"
    frames = [Frame(T0 + i * 123_456_000 % S, bytes(60 + i), 100 + i) for i in range(50)]
    path.write_bytes(pcapng(frames))
    names = ["Number of packets", "Data size (bytes)", "Capture duration (seconds)", "Start time", "End time",
             "Average packet size (bytes)", "Average packet rate (packets/sec)", "Strict time order"]
    table = subprocess.run(["capinfos", "-TmcdSuaezxo", path], capture_output=True, check=True, text=True,
                           env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}).stdout
    head, values = (line.split(",") for line in table.splitlines())
    theirs = dict(zip(head, values, strict=True))
    found = tcpkit.open(path).info
    assert [int(theirs[names[0]]), int(theirs[names[1]])] == [found.frames, found.wire_bytes]
    assert float(theirs[names[2]]) == pytest.approx(found.duration)
    assert [float(theirs[names[3]]), float(theirs[names[4]])] == pytest.approx([found.first_ns / S, found.last_ns / S])
    assert float(theirs[names[5]]) == pytest.approx(found.average_size, abs=0.01)
    assert float(theirs[names[6]]) == pytest.approx(found.packet_rate, abs=0.01)
    assert (theirs[names[7]] == "True") == found.strict_order


def test_records_that_are_no_packets_have_numbers_only():
    frame = Frame(T0, bytes(60), 60)
    custom = pcapng_block(0xBAD, struct.pack("<I", 32473) + bytes(40))
    found = info(pcapng_section() + pcapng_interface() + custom + pcapng_packet(frame) + custom)
    assert (found.frames, found.packets, found.wire_bytes, found.interfaces[0].frames) == (3, 1, 60, 1)
    assert (found.first_ns, found.untimed_frames) == (T0, 0)
