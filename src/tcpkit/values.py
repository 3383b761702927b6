"""The values of a column as NumPy arrays, masked where a row has none."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcpcore.fieldtext import TextKind as Kind
from tcpcore.flags import TunnelHas
from tcpcore.records import TUNNEL
from tcpkit.columns import EPOCH, Column
from tcpkit.fields import OUTER_NUMBERS, build_formatter

if TYPE_CHECKING:
    from numpy.typing import NDArray

# As NDArray is, which takes a while to import.
Array = np.ndarray[tuple[Any, ...], np.dtype[Any]]
Mask = np.ndarray[tuple[Any, ...], np.dtype[np.bool_]]
TEXTS = frozenset({Kind.ADDRESS, Kind.OUTER_IPV4, Kind.OUTER_IPV6, Kind.INFO, Kind.SET, Kind.LETTERS, Kind.VERDICT})
EARLIEST = -1 << 63          # ns: before all times, of which some are before 1970


class Rows(NamedTuple):
    """Rows of one table, the TUNNEL rows they refer to, and the time of the capture's first frame."""

    array: Array
    tunnels: Array | None = None
    start_ns: int = 0


def stacked(arrays: Sequence[Array]) -> Array:
    """Rows of one dtype one after the other; what pads a row is zero, unlike with np.concatenate."""
    out = np.zeros(sum(map(len, arrays)), arrays[0].dtype)
    at = 0
    for array in arrays:
        out[at:at + len(array)] = array
        at += len(array)
    return out


def rows_at(array: Array, places: Array) -> Array:
    """Rows in another order, with what pads them."""
    return array.view(f"V{array.dtype.itemsize}")[places].view(array.dtype)


def column_values(rows: Rows, column: Column) -> Array:
    """The values: times as datetime64, durations as timedelta64, marks as bool, words and addresses as text."""
    values, there = dense_values(rows, column)
    return values if there is None else np.ma.MaskedArray(values, mask=~there)


def dense_values(rows: Rows, column: Column) -> tuple[Array, Mask | None]:
    """The values of every row, and which of them mean something (None: all)."""
    there = present(rows.array, column)
    if column.kind in TEXTS:
        return _texts(rows, column, there)
    if column.kind in (Kind.TUNNEL_KIND, Kind.TUNNEL_NUMBER):
        numbers, there = tunnel_numbers(rows, column)
        return (np.array(column.words)[numbers] if column.words else numbers), there
    if column.kind in OUTER_NUMBERS:
        return outer_numbers(rows, column)
    raw = rows.array[column.field]
    if column.kind == Kind.BITS:
        bits = (raw & column.mask) != 0
        # A mark is set or not; a flag of the header can also be unknown.
        return (bits, there) if column.words[0] or there is None else (bits & there, None)
    if column.kind == Kind.WORD:
        return np.array(column.words)[np.minimum(raw, len(column.words) - 1)], there
    if column.kind == Kind.SACK_EDGE:
        return raw - rows.array["ack_raw"] + rows.array["ack64"].astype(np.uint32), there
    if column.kind == Kind.SINCE_START:
        return (raw - rows.start_ns).view("timedelta64[ns]"), there
    if column.kind == Kind.SECONDS:
        return np.ascontiguousarray(raw).view("datetime64[ns]" if column.unit == EPOCH else "timedelta64[ns]"), there
    return raw, there


def tunnel_numbers(rows: Rows, column: Column) -> tuple[Array, Mask]:
    """Kinds or numbers of the outermost tunnels, and which rows have one."""
    return tunnel_values(rows, column.other or "kind", column.mask)


def outer_numbers(rows: Rows, column: Column) -> tuple[Array, Mask]:
    """Of the outermost header of a version, and which rows have one."""
    outer, inside = tunnel_values(rows, column.other, column.mask)
    return np.where(inside, outer, rows.array[column.field]), inside | of_version(rows, column.mask)


def of_version(rows: Rows, has: int) -> Mask:
    """Where the IP header nearest to TCP is of the version whose outer headers this TunnelHas bit tells of."""
    there: Mask = rows.array["ip_version"] == (6 if has == TunnelHas.OUTER_IPV6 else 4)
    return there


def tunnel_values(rows: Rows, field: str, has: int = 0) -> tuple[Array, Mask]:
    """A field of each row's tunnel, and which rows have one with all of these TunnelHas bits."""
    if rows.tunnels is None or not len(rows.tunnels):
        return np.zeros(len(rows.array), TUNNEL[field]), np.zeros(len(rows.array), bool)
    inside = rows.array["tunnel"] > 0
    at = np.where(inside, rows.array["tunnel"] - 1, 0)
    return rows.tunnels[field][at], inside & ((rows.tunnels["has"][at] & has) == has)


def present(array: Array, column: Column) -> Mask | None:
    """Which rows have the value; None if all have."""
    if not column.when:
        return None
    there = np.ones(len(array), bool)
    for when in column.when:
        there &= ((array[when.field] & when.mask) == when.value) == when.equal
    return there


def text_buffer(rows: Rows, column: Column) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The texts of all rows one after the other, and where each begins and the last ends."""
    formatter = build_formatter([column], rows.array.dtype)
    formatter.start_ns = rows.start_ns
    lines = np.frombuffer(formatter.rows(rows.array, rows.tunnels), np.uint8)
    ends = np.flatnonzero(lines == ord("\n"))
    offsets = np.concatenate(([0], ends - np.arange(len(ends))))
    return lines[lines != ord("\n")], offsets


def _texts(rows: Rows, column: Column, there: Mask | None) -> tuple[Array, Mask | None]:
    letters, offsets = text_buffer(rows, column)
    text = letters.tobytes()
    values = np.array([text[a:b].decode() for a, b in itertools.pairwise(offsets)], object)
    empty = offsets[1:] == offsets[:-1]
    if empty.any():
        there = ~empty if there is None else there & ~empty
    return values, there
