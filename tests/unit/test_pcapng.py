"""pcapng by hand: byte orders, sections, clocks, options that lie, and captures that want too much memory."""
from __future__ import annotations

import io
import struct

import pytest

import tcpkit
from packets import (
    T0,
    Frame,
    pcapng_block,
    pcapng_interface,
    pcapng_option,
    pcapng_packet,
    pcapng_section,
)
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.metadata import KEPT, TEXT_KEPT

FRAME = Frame(T0, bytes(range(61)), 100)
S = 1_000_000_000


def read(capture: bytes):
    reader, batch, rows = Reader(io.BytesIO(capture)), Batch(16), []
    while reader.next(batch):
        rows += [{name: int(row[name]) for name in row.dtype.names} for row in batch.frame_array]
    return reader, rows


def packet_at(ticks: int, interface: int = 0) -> bytes:
    return pcapng_block(6, struct.pack("<IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, 0, 0))


@pytest.mark.parametrize(("resolution", "ticks", "ns"), [
    (0, 7, 7 * S), (3, 1, 1_000_000), (6, 1, 1000), (9, 1, 1), (12, 1999, 1), (28, 10**19, 1), (29, 2**64 - 1, 0),
    (127, 2**64 - 1, 0), (0x80, 3, 3 * S), (0x8A, 1023, 999_023_437), (0x8A, 1024, S), (0xA0, 2**32 + 1, S),
    (0xBF, 2**63, S), (0xFF, 2**64 - 1, 0), (6, 2**64 - 1, ((2**64 - 1) * 1000 + 2**63) % 2**64 - 2**63)])
def test_clock_ticks(resolution, ticks, ns):
    interface = pcapng_interface(options=pcapng_option(9, bytes([resolution])))
    assert read(pcapng_section() + interface + packet_at(ticks))[1][0]["time_ns"] == ns


@pytest.mark.parametrize("offset", [0, 1, -1, 3_999_999_999, -4_000_000_000, 8_000_000_000, -8_000_000_000])
@pytest.mark.parametrize("ticks", [0, 1, 10**15])
def test_a_clocks_offset(offset, ticks):
    interface = pcapng_interface(options=pcapng_option(14, struct.pack("<q", offset)))
    assert read(pcapng_section() + interface + packet_at(ticks))[1][0]["time_ns"] == offset * S + ticks * 1000


@pytest.mark.parametrize(("offset", "ticks", "n"), [
    (0, [2**63 // 1000, 2**63 // 1000 + 1], 1), (-(2**63) // S - 1, [0, 2 * 10**6], 1), (2**62, [1, 2], 2),
    (2**62, [2**63, 2**64 - 1], 2), (9_000_000_000, [0, 2**60], 1), (4_000_000_000, [0, 4 * 10**15 - 1], 0)])
def test_times_that_nanoseconds_cannot_hold_are_told(offset, ticks, n, tmp_path):
    interface = pcapng_interface(options=pcapng_option(14, struct.pack("<q", offset)))
    capture = pcapng_section() + interface + b"".join(map(packet_at, ticks))
    reader, rows = read(capture)
    times = [offset * S + tick * 1000 for tick in ticks]
    told = [(time + 2**63) % 2**64 - 2**63 for time in times]
    assert [row["time_ns"] for row in rows] == told
    assert reader.n_wrapped == n == sum(here != time for here, time in zip(told, times, strict=True))
    assert reader.damage is None
    path = tmp_path / "late.pcapng"
    path.write_bytes(capture)
    warnings = tcpkit.open([path, path]).warnings
    assert [f"2262): {n};" in str(warning) for warning in warnings] == [True, True] * bool(n)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("of_interface", "flags", "length"), [
    (None, None, 0), (4, None, 4), (32, None, 4), (4, 0x0001, 4), (4, 2 << 5, 2), (None, 4 << 5 | 1, 4)])
def test_the_check_sequence_is_as_long_as_the_packet_says_else_the_interface(order, of_interface, flags, length):
    """if_fcslen is in bits; some write bytes."""
    described = b"" if of_interface is None else pcapng_option(13, bytes([of_interface]), order)
    noted = b"" if flags is None else pcapng_option(2, struct.pack(order + "I", flags), order)
    capture = (pcapng_section(order) + pcapng_interface(order=order, options=described)
               + pcapng_packet(FRAME, order=order, options=noted))
    assert read(capture)[1][0]["fcs_len"] == length


def test_sections_of_both_byte_orders_number_their_interfaces_afresh():
    capture = b"".join([
        pcapng_section("<"), pcapng_interface(1, order="<"), pcapng_interface(101, order="<"),
        pcapng_packet(FRAME, 1, order="<"),
        pcapng_section(">"), pcapng_interface(113, order=">"), pcapng_packet(FRAME, 0, order=">"),
        pcapng_section("<"), pcapng_interface(228, order="<"), pcapng_packet(FRAME, 0, order="<")])
    reader, rows = read(capture)
    assert [(row["link_type"], row["interface_id"], row["time_ns"]) for row in rows] == [
        (101, 1, T0), (113, 2, T0), (228, 3, T0)]
    assert [(found.section, found.id) for found in reader.interfaces] == [(0, 0), (0, 1), (1, 0), (2, 0)]
    assert reader.damage is None


def test_an_interface_of_an_earlier_section_is_not_described():
    capture = pcapng_section() + pcapng_interface() * 2 + pcapng_section() + pcapng_interface() + packet_at(0, 1)
    reader, rows = read(capture)
    assert rows == []
    assert "interface 1" in reader.damage[1]


@pytest.mark.parametrize("length", [5, 1000, 0xFFFF])
@pytest.mark.parametrize("kind", ["section", "interface", "packet", "statistics"])
def test_an_option_that_reaches_beyond_its_block_is_damage(kind, length):
    lie = struct.pack("<HH", 1, length) + b"abcd"
    blocks = {"section": pcapng_section(options=lie), "interface": pcapng_interface(options=lie),
              "packet": pcapng_packet(FRAME, options=lie), "statistics": pcapng_block(5, bytes(12) + lie)}
    good = pcapng_section() + pcapng_interface() + pcapng_packet(FRAME)
    reader, rows = read(good + blocks[kind] + pcapng_packet(FRAME))
    assert len(rows) == 1
    assert reader.damage[0] == len(good)
    assert "option" in reader.damage[1]


def test_what_follows_the_end_of_options_is_not_looked_at():
    ended = pcapng_option(1, b"x") + struct.pack("<HH", 0, 0) + struct.pack("<HH", 1, 60_000)
    reader, rows = read(pcapng_section(options=ended) + pcapng_interface(options=ended)
                        + pcapng_packet(FRAME, options=ended))
    assert (len(rows), reader.damage) == (1, None)


def test_unknown_blocks_are_skipped_whatever_their_size():
    unknown = pcapng_block(0x70000000, bytes(5_000_000))
    reader, rows = read(pcapng_section() + unknown + pcapng_interface() + unknown + pcapng_packet(FRAME) + unknown)
    assert (len(rows), reader.damage) == (1, None)


def test_hundreds_of_thousands_of_interfaces_are_told_apart_but_not_all_described():
    n = 100_000
    named = pcapng_interface(options=pcapng_option(2, b"n" * 100))
    reader, rows = read(pcapng_section() + named * n + pcapng_interface(113) + packet_at(1, n))
    assert (rows[0]["interface_id"], rows[0]["link_type"]) == (n, 113)
    assert len(reader.interfaces) == KEPT
    assert reader.metadata.n_interfaces == n + 1


def test_comments_without_end_are_kept_up_to_a_limit():
    comment = pcapng_option(1, b"c" * 60_000)
    reader, _ = read(pcapng_section() + pcapng_section(options=comment) * 100)
    assert sum(len(text) for section in reader.metadata.sections for text in section.comments) <= TEXT_KEPT
    assert reader.metadata.n_sections == 101


def test_a_claim_of_memory_is_not_believed(tmp_path):
    """A block of 100 MB of which only a little is there."""
    reader, rows = read(pcapng_section() + pcapng_interface() + pcapng_packet(FRAME)
                        + struct.pack("<II", 6, 100 << 20) + bytes(1000))
    assert len(rows) == 1
    assert "in the middle" in reader.damage[1]
