"""The text kernel against Python's own formatting of the same rows."""
from __future__ import annotations

import socket

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcpcore.fieldtext import Formatter, TextKind
from tcpcore.flags import SegmentKind, TunnelHas
from tcpcore.records import SEGMENT, TUNNEL, VERDICT

U64 = st.integers(0, 2**64 - 1)
I64 = st.integers(-2**63, 2**63 - 1)


def at(field):
    return SEGMENT.fields[field][1]


def rows(n=1, **fields):
    array = np.zeros(n, SEGMENT)
    for name, value in fields.items():
        array[name] = value
    return array


def text(array, kind, field, *, tunnels=None, start_ns=0, **options):
    formatter = Formatter(start_ns=start_ns)
    formatter.add(kind, at(field), SEGMENT.fields[field][0].itemsize, **options)
    return formatter.rows(array, tunnels).decode().removesuffix("\n")


@given(U64)
@example(0)
@example(99)
@example(100)
@example(2**64 - 1)
def test_unsigned(value):
    assert text(rows(frame=value), TextKind.UNSIGNED, "frame") == str(value)


@pytest.mark.parametrize(("field", "largest"), [("ttl", 2**8), ("window", 2**16), ("seq", 2**32), ("frame", 2**64)])
def test_unsigned_of_every_size(field, largest):
    assert text(rows(**{field: largest - 1}), TextKind.UNSIGNED, field) == str(largest - 1)


@given(I64)
@example(-2**63)
def test_signed(value):
    assert text(rows(seq64=value), TextKind.SIGNED, "seq64") == str(value)


@given(I64)
@example(-1)
@example(-2**63)
def test_seconds_have_nine_decimals(value):
    sign, (whole, rest) = "-" * (value < 0), divmod(abs(value), 10**9)
    assert text(rows(time_ns=value), TextKind.SECONDS, "time_ns") == f"{sign}{whole}.{rest:09d}"


def test_time_since_start_may_be_negative():
    assert text(rows(time_ns=5), TextKind.SINCE_START, "time_ns", start_ns=10**9) == "-0.999999995"


@given(st.integers(0, 2**16 - 1))
def test_hexadecimal_keeps_leading_zeros(value):
    assert text(rows(flags=value), TextKind.HEX, "flags") == f"0x{value:04x}"
    assert text(rows(tos=value & 255), TextKind.HEX, "tos") == f"0x{value & 255:02x}"


groups = st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF]) | st.integers(0, 0xFFFF), min_size=8, max_size=8)


@given(groups)
@example([0] * 8)
@example([0] * 7 + [1])
@example([0] * 6 + [0x0102, 0x0304])
@example([0] * 5 + [0xFFFF, 0x0102, 0x0304])
@example([0] * 6 + [0x0100, 0])
@example([1, 0, 0, 2, 3, 0, 0, 4])
def test_ipv6_as_the_c_library_writes_it(words):
    packed = b"".join(word.to_bytes(2, "big") for word in words)
    high, low = int.from_bytes(packed[:8], "big"), int.from_bytes(packed[8:], "big")
    row = rows(src_hi=high, src_lo=low, ip_version=6)
    expected = socket.inet_ntop(socket.AF_INET6, packed)
    assert text(row, TextKind.ADDRESS, "src_hi", other=at("ip_version")) == expected
    assert text(row, TextKind.OUTER_IPV6, "src_hi") == expected
    assert text(row, TextKind.OUTER_IPV4, "src_hi") == ""


@given(st.binary(min_size=4, max_size=4))
def test_ipv4(packed):
    row = rows(dst_lo=0xFFFF << 32 | int.from_bytes(packed, "big"), ip_version=4)
    assert text(row, TextKind.ADDRESS, "dst_hi", other=at("ip_version")) == socket.inet_ntoa(packed)
    assert text(row, TextKind.OUTER_IPV4, "dst_hi", mask=1) == socket.inet_ntoa(packed)


def test_outer_addresses_come_from_the_tunnel():
    tunnels = np.zeros(2, TUNNEL)
    tunnels[1]["has"], tunnels[1]["outer4_src"], tunnels[1]["outer4_dst"] = TunnelHas.OUTER_IPV4, 0x01020304, 0x05060708
    row = rows(tunnel=2, ip_version=6, src_lo=1)
    assert text(row, TextKind.OUTER_IPV4, "src_hi", tunnels=tunnels) == "1.2.3.4"
    assert text(row, TextKind.OUTER_IPV4, "dst_hi", mask=1, tunnels=tunnels) == "5.6.7.8"
    assert text(row, TextKind.OUTER_IPV6, "src_hi", tunnels=tunnels) == "::1"


def test_a_tunnel_number_without_tunnels_is_ignored():
    assert text(rows(tunnel=7, ip_version=4, src_lo=1), TextKind.OUTER_IPV4, "src_hi") == "0.0.0.1"


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_sack_edges_count_from_the_base_of_the_ack(edge, ack_raw, base):
    row = rows(sack_le0=edge, ack_raw=ack_raw, ack64=(ack_raw - base) % 2**32)
    assert text(row, TextKind.SACK_EDGE, "sack_le0") == str((edge - base) % 2**32)


def test_words_and_bits():
    assert text(rows(direction=1), TextKind.WORD, "direction", words=[b"up", b"down"]) == "down"
    assert text(rows(direction=9), TextKind.WORD, "direction", words=[b"up", b"down"]) == "9"
    assert text(rows(flags=2), TextKind.BITS, "flags", mask=2, words=[b"0", b"1"]) == "1"
    assert text(rows(flags=5), TextKind.BITS, "flags", mask=2, words=[b"0", b"1"]) == "0"


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.booleans())
def test_a_cell_is_there_if_its_conditions_hold(present, mask, value, equal):
    cell = text(rows(present=present, seq=7), TextKind.UNSIGNED, "seq", absent=b"none",
                conditions=[(at("present"), mask, value, equal)])
    assert cell == ("7" if ((present & mask) == value) == equal else "none")


def test_cells_are_quoted_padded_and_joined():
    formatter = Formatter(row_end=b"}\n")
    formatter.add(TextKind.UNSIGNED, at("seq"), 4, prefix=b'{"seq":', width=4)
    formatter.add(TextKind.ADDRESS, at("src_hi"), 8, other=at("ip_version"), prefix=b',"src":', quoted=True, width=-12)
    formatter.add(TextKind.UNSIGNED, at("ack"), 4, prefix=b",", width=-3)
    assert formatter.rows(rows(seq=12, src_lo=1)).decode() == '{"seq":  12,"src":"0.0.0.1"   ,0}\n'


def test_any_slice_of_an_array_will_do():
    formatter = Formatter()
    formatter.add(TextKind.UNSIGNED, at("seq"), 4)
    array = rows(6)
    array["seq"] = range(6)
    assert formatter.rows(array[::2]) == b"0\n2\n4\n"
    assert formatter.rows(array[::-1]) == b"5\n4\n3\n2\n1\n0\n"
    assert formatter.rows(array[:0]) == b""


def test_payload_beyond_the_bytes_at_hand_is_left_out():
    assert text(rows(payload_offset=2**63 + 10, payload_captured=2**32 - 1), TextKind.PAYLOAD, "payload_captured") == ""


def test_rows_too_short_for_a_column_are_refused():
    formatter = Formatter()
    formatter.add(TextKind.INFO, 0, 0)
    with pytest.raises(TypeError):
        formatter.rows(np.zeros(1, TUNNEL))
    with pytest.raises(ValueError, match="dimension"):
        formatter.rows(np.zeros((1, 1), SEGMENT))
    with pytest.raises(TypeError):
        formatter.rows(rows(), rows())


@given(st.binary(min_size=VERDICT.itemsize, max_size=VERDICT.itemsize))
def test_any_verdict_is_one_line(data):
    formatter = Formatter()
    formatter.add(TextKind.VERDICT, 0, 8)
    assert formatter.rows(np.frombuffer(data, VERDICT)).decode().count("\n") == 1


@pytest.mark.parametrize(("after", "words"), [
    (0, "after 0 µs"), (41_400, "after 41 µs"), (999_500, "after 1.0 ms"), (9_949_999, "after 9.9 ms"),
    (9_950_000, "after 10 ms"), (212_000_000, "after 212 ms"), (9_999_499_999, "after 9999 ms"),
    (9_999_500_000, "after 10.0 s"), (-3_000_000, "3.0 ms before it")])
def test_how_long_after_the_original(after, words):
    row = np.zeros(1, VERDICT)
    row["kind"], row["repeats"], row["repeats_after"] = SegmentKind.KIND_NETWORK_DUPLICATE, 7, after
    formatter = Formatter()
    formatter.add(TextKind.VERDICT, 0, 8)
    assert words in formatter.rows(row).decode()


def test_limits():
    with pytest.raises(ValueError, match="too many"):
        Formatter().add(TextKind.WORD, 0, 1, words=[b""] * 33)
    with pytest.raises(ValueError, match="to four bytes"):
        Formatter().add(TextKind.HEX, 0, 8)


def test_neighbours_that_need_bits_of_one_word_are_blank_each_for_itself():
    formatter = Formatter()
    for bit in range(4):
        formatter.add(TextKind.BITS, at("flags"), 2, mask=1 << bit, words=[b"", b"1"], prefix=b"\t")
    both = (at("flags") & ~3, 3 << 16, 3 << 16, True)
    formatter.add(TextKind.UNSIGNED, at("flags"), 2, conditions=[both], prefix=b"\t")
    array = rows(16)
    array["flags"] = range(16)
    for value, line in enumerate(formatter.rows(array).decode().splitlines()):
        marks = ["1" if value >> bit & 1 else "" for bit in range(4)]
        assert line.split("\t") == ["", *marks, str(value) if value & 3 == 3 else ""]


# Columns of few words, most of them marks, so that neighbours often need bits of the same one: blank together or not.
MASKS = st.sampled_from([1, 2, 3, 6, 0x0800])
conditions = st.lists(st.tuples(st.sampled_from([at("present"), at("stream")]), MASKS, st.sampled_from([0, 1, 2, 3]),
                                st.booleans()), max_size=2)
columns = st.fixed_dictionaries({
    "field": st.sampled_from(["flags", "flags", "flags", "window", "present", "stream", "wscale", "sack_count"]),
    "kind": st.sampled_from([TextKind.BITS, TextKind.BITS, TextKind.BITS, TextKind.UNSIGNED, TextKind.WORD]),
    "mask": MASKS, "conditions": conditions,
    "prefix": st.sampled_from([b"", b"\t", b',"a name longer than a store":']),
    "absent": st.sampled_from([b"", b"null", b"nothing to be seen here"]),
    "words": st.sampled_from([(b"", b"1"), (b"", b"1"), (b"0", b"1"), (b"", b"a word longer than one store")]),
    "quoted": st.booleans(), "width": st.sampled_from([0, 0, 0, 0, 0, 3, -3])})
small = st.sampled_from([0, 0, 1, 2, 3, 4, 0x0800, 0x1804])


def add_to(formatter, column):
    field = column["field"]
    formatter.add(column["kind"], at(field), SEGMENT.fields[field][0].itemsize,
                  **{name: column[name] for name in column.keys() - {"field", "kind"}})


@given(st.lists(columns, min_size=1, max_size=12), st.lists(st.tuples(*[small] * 6), min_size=1, max_size=4))
def test_columns_together_write_what_each_writes_alone(chosen, values):
    array = np.zeros(len(values), SEGMENT)
    for name, column in zip(("present", "stream", "flags", "window", "wscale", "sack_count"), zip(*values, strict=True),
                            strict=True):
        array[name] = np.array(column) & (2**(8 * SEGMENT.fields[name][0].itemsize) - 1)
    together = Formatter()
    cells = []
    for column in chosen:
        add_to(together, column)
        alone = Formatter(row_end=b"|\n")
        add_to(alone, {**column, "width": 0})
        cells.append([padded(cell.removesuffix("|"), column) for cell in alone.rows(array).decode().splitlines()])
    rows_expected = ["".join(row) for row in zip(*cells, strict=True)]
    if any(column["width"] for column in chosen):
        rows_expected = [row.rstrip(" ") for row in rows_expected]
    assert together.rows(array).decode().splitlines() == rows_expected


def padded(cell, column):
    """The cell behind its prefix, as wide as the column."""
    prefix, width = column["prefix"].decode(), column["width"]
    text = cell.removeprefix(prefix)
    return prefix + (text.rjust(width) if width > 0 else text.ljust(-width))
