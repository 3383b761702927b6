"""Captures that claim or unfold to more than they hold: bombs, nesting, loops, blocks and options of absurd length."""
from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zlib
from functools import reduce

import lz4.frame
import numpy as np
import pytest
import zstandard

import tcpkit
from confined import MIB, assert_linear, run
from floods import RAW_IP, header, records
from odd_frames import extension
from packets import (
    T0,
    Frame,
    ethernet,
    ipv4,
    ipv6,
    pcapng_block,
    pcapng_interface,
    pcapng_option,
    pcapng_packet,
    pcapng_section,
    tcp,
)

INNER = ipv4("10.0.0.1", "10.0.0.2", tcp(1, 2, 3, payload=b"x"))
INFO = "told = tcpkit.open(path).info.to_dict()['frames']"
DECODE = 'tcpkit.open(path, stages=["decode"], threads=1).pipeline().run()'
COMPRESSORS = {"gzip": lambda data: gzip.compress(data, 9), "zst": zstandard.ZstdCompressor(level=3).compress,
               "lz4": lz4.frame.compress, "xz": lambda data: lzma.compress(data, preset=0), "bz2": bz2.compress}


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_decompression_bombs(tmp_path, kind):
    """One record of zeros after the other, 100 MiB; all are read, few are held."""
    path = tmp_path / "bomb"
    path.write_bytes(COMPRESSORS[kind](header() + bytes(100 * MIB)))
    assert run(INFO, path, memory=80 * MIB).told == 100 * MIB // 16


def test_xz_that_claims_a_dictionary_of_gigabytes(tmp_path):
    path = tmp_path / "x.xz"
    data = bytearray(lzma.compress(header() + records(INNER, 100)))
    at, size = 12, 4 * (data[12] + 1)                            # the block header: ends in its checksum
    data[at + 4] = 40                                            # the dictionary: 2^32 - 1 bytes
    data[at + size - 4:at + size] = struct.pack("<I", zlib.crc32(data[at:at + size - 4]))
    path.write_bytes(data)
    with pytest.raises(tcpkit.CaptureError, match="xz data that look back more than 128 MiB"):
        tcpkit.open(path)


def test_a_bomb_in_a_bomb(tmp_path):
    """What is compressed twice is no capture; it is not unfolded again and again."""
    path = tmp_path / "bomb"
    path.write_bytes(reduce(lambda data, _: gzip.compress(data), range(5), header() + bytes(MIB)))
    with pytest.raises(tcpkit.CaptureError, match="gzip"):
        tcpkit.open(path)


@pytest.mark.parametrize("claim", [
    struct.pack("<IIII", 0, 0, 0x7FFFFFFF, 0x7FFFFFFF), struct.pack("<IIII", 0, 0, 262144, 0xFFFFFFFF),
    struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 0)])
def test_a_record_that_claims_what_is_not_there(tmp_path, claim):
    path = tmp_path / "x"
    path.write_bytes(header() + records(INNER, 3) + claim + bytes(100))
    assert run(INFO, path, memory=50 * MIB, seconds=20).told == 3


@pytest.mark.parametrize("total", [0x7FFFFFFC, 0xFFFFFFFC, 128 << 20, 0, 4, 8])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, 10, 0x0A0D0D0A, 0xBAD, 99])
def test_blocks_of_absurd_length(tmp_path, kind, total):
    capture = pcapng_section() + pcapng_interface() + struct.pack("<II", kind, total) + b"\x4d\x3c\x2b\x1a" + bytes(64)
    found = tcpkit.open(io.BytesIO(capture))
    assert found.info.frames == 0
    assert len(found.warnings) == 1


def test_a_block_that_claims_much_takes_no_memory_for_it(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(pcapng_section() + struct.pack("<II", 99, 100 << 20) + bytes(1000))
    run(INFO, path, memory=50 * MIB, seconds=20)


@pytest.mark.parametrize("make", [
    lambda n: [pcapng_interface(options=pcapng_option(2, b"eth0"))] * n,
    lambda n: [pcapng_interface(), pcapng_interface(options=pcapng_option(1, b"c" * 10) * n)],
    lambda n: [pcapng_section(options=pcapng_option(1, b"comment"))] * n,
    lambda n: [pcapng_block(4, struct.pack("<HHI4s", 1, 8, 1, b"abc\0") * (n % 10_000 + 1))] * (n // 10_000 + 1),
    lambda n: [pcapng_interface(), *[pcapng_block(5, bytes(12))] * n],
    lambda n: [pcapng_block(10, bytes(8))] * n,
    lambda n: [pcapng_interface(), *[pcapng_block(99, bytes(4))] * n],
], ids=["interfaces", "comments", "sections", "names", "statistics", "secrets", "unknown"])
def test_any_number_of_descriptions(tmp_path, make):
    n = 100_000
    paths = tmp_path / "small", tmp_path / "large"
    for path, count in zip(paths, (n // 4, n), strict=True):
        path.write_bytes(pcapng_section() + b"".join(make(count)))
    assert_linear(INFO, *paths, memory=100 * MIB)


def test_a_million_interfaces(tmp_path):
    """And a frame of the last; those beyond 4096 are counted, but not described."""
    packet = ethernet(INNER)
    paths = tmp_path / "small", tmp_path / "large"
    for path, count in zip(paths, (250_000, 1_000_000), strict=True):
        path.write_bytes(pcapng_section() + pcapng_interface(options=pcapng_option(2, b"eth0")) * count
                         + pcapng_packet(Frame(T0, packet, len(packet)), count - 1))
    cost = assert_linear("""
        found = tcpkit.open(path)
        told = [found.info.frames, len(found.info.interfaces), len(found.packets)]
        told += [(flaw.kind, flaw.count) for flaw in found.info.quality if flaw.unit == "descriptions"]
    """, *paths, memory=100 * MIB)
    assert cost.told[:3] == [1, 4096, 1]
    names = MIB // (len("eth0") + 64) + 1                        # that are kept
    assert cost.told[3:] == [["descriptions", 1_000_000 - 4096 + 1_000_000 - names]]


def nested(wrap, size: int) -> bytes:
    packet = INNER
    while len(packet) < size:
        packet = wrap(packet)
    return packet


NESTED = {
    "IP in IP": (RAW_IP, lambda packet: ipv4("10.0.0.3", "10.0.0.4", packet, 4)),
    "IPv6 in IPv6": (RAW_IP, lambda packet: ipv6("fd00::3", "fd00::4", packet, 41 if packet[0] >> 4 == 6 else 4)),
    "GRE": (RAW_IP, lambda packet: ipv4("10.0.0.3", "10.0.0.4", b"\0\0\x08\0" + packet, 47)),
    "VLAN": (1, lambda packet: ethernet(packet, 0x8100) if packet is INNER else
             packet[:12] + b"\x81\0\0\1" + packet[12:]),
    "MPLS": (1, lambda packet: ethernet(b"\0\1\1\1" + packet, 0x8847) if packet is INNER else
             packet[:14] + b"\0\1\0\1" + packet[14:]),
    "ICMP quoting": (RAW_IP, lambda packet: ipv4("10.0.0.3", "10.0.0.4", b"\3\3\0\0\0\0\0\0" + packet, 1)),
    "IPv6 extensions": (RAW_IP, lambda packet: ipv6("fd00::1", "fd00::2", b"".join(
        [extension(60, b"\1\4")] * 8000 + [extension(6, b"\1\4"), tcp(1, 2, 3)]), 60)),
    "IPv6 padding": (RAW_IP, lambda packet: ipv6("fd00::1", "fd00::2", b"".join(
        [extension(60, bytes(2000))] * 30 + [extension(6, bytes(2000)), tcp(1, 2, 3)]), 0)),
}


@pytest.mark.parametrize("kind", NESTED)
def test_nesting_ends(tmp_path, kind):
    """Frames of 60,000 bytes of headers; each costs a bounded amount of work."""
    link_type, wrap = NESTED[kind]
    packet = nested(wrap, 50_000)[:65_000]
    paths = tmp_path / "small", tmp_path / "large"
    for path, n in zip(paths, (250, 1000), strict=True):
        path.write_bytes(header(link_type) + records(packet, n))
    cost = assert_linear(DECODE, *paths, memory=100 * MIB)
    assert cost.seconds < 20


@pytest.mark.parametrize("options", [b"\x01" * 40, b"\x02\x00" * 20, b"\x05\x00" + bytes(38), b"\xfe\x01" * 20,
                                     b"\x03\x28", b"\x02\x02" * 20, b"\x05\x02" * 20, b"\xff" * 40, b"\x1e\x02" * 20])
def test_options_that_go_nowhere(options):
    packet = ipv4("10.0.0.1", "10.0.0.2", tcp(1, 2, 3, options=options.ljust(40, b"\0")))
    packets = tcpkit.open(io.BytesIO(header() + records(packet, 5))).packets
    assert len(packets) == 5


def test_radiotap_whose_bitmaps_go_on(tmp_path):
    """Each 32-bit word of what is present announces another one."""
    words = b"\xff\xff\xff\xff" * 10_000
    path = tmp_path / "x"
    path.write_bytes(header(127) + records(struct.pack("<BBH", 0, 0, 40_004) + words, 1000))
    run(DECODE, path, memory=100 * MIB, seconds=20)


def test_a_length_of_zero_in_every_place(tmp_path):
    """Of a tunnel, zeros instead of each header in turn: nothing is read twice."""
    packet = np.frombuffer(nested(NESTED["GRE"][1], 2000), np.uint8)
    rows = np.repeat(packet[None], 500, axis=0)
    for i in range(500):
        rows[i, 4 * i:4 * i + 4] = 0
    path = tmp_path / "x"
    path.write_bytes(header() + b"".join(records(row.tobytes(), 1) for row in rows))
    run(DECODE, path, memory=50 * MIB, seconds=20)
