"""Damage and what is no capture: all before the damage is delivered, and the message names file, offset, cause."""
from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import struct

import lz4.frame
import pytest
import zstandard

import tcpkit
from packets import Frame, ethernet, ipv4, pcap, pcapng, pcapng_block, tcp
from tcpkit.errors import CaptureError

N = 40
COMPRESSORS = {"gz": gzip.compress, "zst": zstandard.compress, "lz4": lz4.frame.compress, "xz": lzma.compress,
               "bz2": bz2.compress}


def segment(i: int) -> bytes:
    return ethernet(ipv4("10.0.0.1", "10.0.0.2", tcp(5000 + i % 3, 80, 100 * i, 1, payload=bytes([i % 256]) * 100)))


FRAMES = [Frame(1_000_000 * i, segment(i), len(segment(i))) for i in range(N)]
PCAP, PCAPNG = pcap(FRAMES), pcapng(FRAMES)
RECORD, BLOCK = 16 + len(FRAMES[0].data), 32 + len(FRAMES[0].data) + 2
PCAP_END, PCAPNG_END = 24 + 20 * RECORD, len(PCAPNG) - 20 * BLOCK             # of frame 20


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new):]


# name -> (capture, whole frames before the damage, byte offset, cause)
DAMAGED = {
    "cut in a record's header": (PCAP[:PCAP_END + 7], 20, PCAP_END, "in the middle of a record"),
    "cut in a packet": (PCAP[:PCAP_END + 50], 20, PCAP_END, "in the middle of a record"),
    "cut by one byte": (PCAP[:-1], 39, len(PCAP) - RECORD, "in the middle of a record"),
    "absurd length": (changed(PCAP, PCAP_END + 8, b"\xff\xff\xff\x7f"), 20, PCAP_END, "claims 2147483647 captured"),
    "cut in a block's header": (PCAPNG[:PCAPNG_END + 5], 20, PCAPNG_END, "in the middle of a record"),
    "cut in a block": (PCAPNG[:PCAPNG_END + 90], 20, PCAPNG_END, "in the middle of a record"),
    "absurd block": (changed(PCAPNG, PCAPNG_END + 4, b"\xf0\xff\xff\xff"), 20, PCAPNG_END, "cannot be"),
    "block of nothing": (changed(PCAPNG, PCAPNG_END + 4, b"\0\0\0\0"), 20, PCAPNG_END, "block of 0 bytes"),
    "lengths differ": (changed(PCAPNG, PCAPNG_END + BLOCK - 4, b"\1\0\0\0"), 20, PCAPNG_END, "differs"),
    "no such interface": (changed(PCAPNG, PCAPNG_END + 8, b"\7\0\0\0"), 20, PCAPNG_END, "interface 7"),
    "longer than its block": (changed(PCAPNG, PCAPNG_END + 20, b"\0\1\0\0"), 20, PCAPNG_END, "cannot hold the 256"),
    "another byte order": (PCAPNG[:PCAPNG_END] + pcapng_block(6, bytes(40), ">"), 20, PCAPNG_END, "cannot be"),
    "a wrong section": (PCAPNG[:PCAPNG_END] + pcapng_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 9, 0, -1)), 20,
                        PCAPNG_END, "version 9.0"),
    "text": (PCAP[:PCAP_END] + b"and so on, and so on, and so on", 20, PCAP_END, "captured bytes"),
}
# name -> (content, what is said of it)
NO_CAPTURE = {
    "empty": (b"", "an empty file"),
    "text": (b"Dear reader, this is a letter.", "text"),
    "zeros": (bytes(1000), "nothing but zero bytes"),
    "noise": (b"\xde\xad\xbe\xef" * 20, "beginning with de ad be ef"),
    "only part of a header": (PCAP[:20], "ends within its header"),
    "only part of a section": (PCAPNG[:20], "ends within its section header"),
    "an unknown compression": (b"LZIP\1" + bytes(50), "lzip data, which is not supported"),
    "another unknown compression": (b"\x1f\x9d\x90" + bytes(50), "compress (.Z), which is not supported"),
    "an archive": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "a 7-Zip archive"),
    "compressed text": (gzip.compress(b"Dear reader, this is a letter."), "text"),
    "broken from the start": (b"\x1f\x8b\x08\0" + bytes(200), "damaged gzip data"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_all_before_the_damage_is_in_every_table(case):
    content, whole, offset, cause = DAMAGED[case]
    capture = tcpkit.open(io.BytesIO(content))
    good = tcpkit.open(io.BytesIO(pcap(FRAMES[:whole])))
    for table in ("packets", "flows", "conversations"):
        assert getattr(capture, table).to_text() == getattr(good, table).to_text()
        (warning,) = capture.warnings
        assert (warning.path, warning.offset) == ("capture", offset)
        assert cause in warning.cause
    assert capture.info.frames == whole
    assert sum(len(table) for table in tcpkit.scan(io.BytesIO(content))) == whole


@pytest.mark.parametrize("case", DAMAGED)
def test_strict_raises(case):
    content, _, offset, cause = DAMAGED[case]
    with pytest.raises(CaptureError, match=f"capture: at byte {offset}: .*{cause}"):
        _ = tcpkit.open(io.BytesIO(content), strict=True).packets


@pytest.mark.parametrize("case", DAMAGED)
@pytest.mark.parametrize("command", ["packets", "fields", "flows", "conversations", "info"])
def test_commands_deliver_what_they_have_and_say_why_no_more(tmp_path, cli, case, command):
    content, whole, offset, cause = DAMAGED[case]
    options = ["-e", "frame.number", "-e", "tcp.stream"] if command == "fields" else []
    (tmp_path / "bad").write_bytes(content)
    (tmp_path / "good").write_bytes(pcap(FRAMES[:whole]))
    bad, good = cli(command, tmp_path / "bad", *options), cli(command, tmp_path / "good", *options)
    if command != "info":
        assert bad.out == good.out
    assert good.err == b""
    assert (bad.status, good.status) == (1, 0)
    assert bad.err.decode().startswith(f"tcpkit: {tmp_path}/bad: at byte {offset}: ")
    assert cause in bad.err.decode()
    assert bad.err.count(b"\n") == 1


@pytest.mark.parametrize("case", NO_CAPTURE)
def test_what_is_no_capture(tmp_path, cli, case):
    content, found = NO_CAPTURE[case]
    path = tmp_path / "what"
    path.write_bytes(content)
    with pytest.raises(CaptureError) as error:
        tcpkit.open(path)
    assert found in str(error.value)
    done = cli("packets", path)
    assert (done.status, done.out) == (2, b"")
    assert done.err.decode() == f"tcpkit: {error.value}\n"


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_cut_compression(tmp_path, cli, kind):
    noise = random.Random(1)
    frames = [Frame(i, segment(i)[:54] + noise.randbytes(100), 154) for i in range(12_000)]
    data = COMPRESSORS[kind](pcap(frames))
    path, at = tmp_path / "x", len(data) * 3 // 4
    path.write_bytes(data[:at])
    done = cli("fields", path, "-e", "frame.number")
    assert done.status == 1
    assert f"{path}: at byte " in done.err.decode()
    assert f", near byte {at} of the file" in done.err.decode()
    numbers = [int(line) for line in done.out.split()[1:]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > (5_000 if kind == "bz2" else 8_000)     # bzip2 has blocks of 900 kB


def test_a_wrong_checksum_at_the_end_of_gzip_loses_little(tmp_path):
    data = gzip.compress(pcap(FRAMES * 1000))
    path = tmp_path / "x.gz"
    path.write_bytes(changed(data, len(data) - 7, bytes([data[-7] ^ 1])))
    capture = tcpkit.open(path)
    assert len(capture.packets) > len(FRAMES) * 1000 - 4096 // RECORD - 2
    assert "gzip" in capture.warnings[0].cause


def test_unknown_link_type(tmp_path, cli):
    path = tmp_path / "x"
    path.write_bytes(pcap(FRAMES, link_type=250))
    done = cli("packets", path)
    assert done.status == 1
    assert done.err.decode() == f"tcpkit: {path}: no frame can be decoded: link type 250 is not known\n"
    with pytest.raises(CaptureError, match="link type 250"):
        _ = tcpkit.open(path, strict=True).flows


def test_one_unknown_link_type_among_others_is_no_damage(tmp_path):
    (tmp_path / "a").write_bytes(pcap(FRAMES[:10], link_type=250))
    (tmp_path / "b").write_bytes(pcap(FRAMES[10:]))
    capture = tcpkit.open(tmp_path)
    assert (len(capture.packets), capture.warnings) == (30, [])


@pytest.mark.parametrize("make", [
    lambda path: path / "nothing", lambda path: path / "*.pcap", lambda path: path / "empty",
    lambda path: path / "notes",
])
def test_what_is_not_there(tmp_path, cli, make):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no capture")
    done = cli("flows", make(tmp_path))
    assert (done.status, done.out) == (2, b"")
    assert done.err.startswith(f"tcpkit: {make(tmp_path)}: ".encode())
    assert b"Traceback" not in done.err


def test_no_permission(tmp_path, cli):
    path = tmp_path / "secret.pcap"
    path.write_bytes(PCAP)
    assert cli("packets", path).status == 0
    path.chmod(0)
    ours = os.geteuid()
    try:
        os.seteuid(65534 if ours == 0 else ours)                  # nothing is forbidden to root
        done = cli("packets", path)
    finally:
        os.seteuid(ours)
    assert done == (2, b"", f"tcpkit: {path}: Permission denied\n".encode())


def test_reading_that_fails_is_damage():
    class Failing(io.BytesIO):
        def readinto(self, buffer):
            if self.tell() >= PCAP_END:
                raise OSError(5, "Input/output error")
            return super().readinto(buffer[:PCAP_END - self.tell()])

    capture = tcpkit.open(Failing(PCAP))
    assert len(capture.packets) == 20
    (warning,) = capture.warnings
    assert (warning.offset, warning.cause) == (PCAP_END, "reading fails: Input/output error")
    squeezed = gzip.compress(random.Random(0).randbytes(100) + PCAP)
    with pytest.raises(CaptureError):
        tcpkit.open(Failing(squeezed))


@pytest.mark.parametrize(("name", "shown"), [
    (os.fsdecode(b"\xff\xfe.pcap"), b"\\xff\\xfe.pcap"), ("a\u2028b", b"a\\u2028b"), ("a\U000e0001b", b"a\\U000e0001b"),
    ("\u00e9\u4e16", "\u00e9\u4e16".encode())], ids=ascii)
def test_what_of_a_file_name_is_no_letter_is_spelt_out(cli, name, shown):
    assert cli("flows", name).err == b"tcpkit: " + shown + b": No such file or directory\n"


def test_the_file_name_cannot_steer_a_terminal(tmp_path, cli):
    path = tmp_path / "x\x1b[2J\n"
    path.write_bytes(PCAP[:-1])
    done = cli("flows", path)
    assert b"\\x1b[2J\\n: at byte" in done.err
    assert b"\x1b" not in done.err
