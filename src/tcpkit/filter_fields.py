"""Columns as display filters see them: every occurrence of a field in a row."""
from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from tcpcore.fieldtext import TextKind as Kind
from tcpcore.flags import TunnelHas
from tcpcore.records import ANALYSIS, SEGMENT
from tcpkit.columns import Column
from tcpkit.display_values import Occurrence
from tcpkit.fields import BOTH, OUTER_NUMBERS, find_column, index_columns
from tcpkit.packet_columns import PAYLOAD
from tcpkit.values import Array, Mask, Rows, of_version, present, tunnel_numbers, tunnel_values

PROTOCOLS = {"ip": "ip.src", "ipv6": "ipv6.src", "tcp": "tcp.srcport"}
KINDS = {
    Kind.UNSIGNED: "uint", Kind.HEX: "uint", Kind.SACK_EDGE: "uint", Kind.SIGNED: "int", Kind.SECONDS: "time",
    Kind.SINCE_START: "time", Kind.REAL: "real"}
ROOM = {name: dtype for record in (SEGMENT, ANALYSIS) for name, (dtype, *_) in (record.fields or {}).items()}
MAPPED = np.uint64(0xFFFF << 32)          # rows hold an IPv4 address as ::ffff:a.b.c.d
UNFILTERED = frozenset({Kind.INFO, Kind.PAYLOAD, Kind.LETTERS, Kind.VERDICT})
# In tables without the headers' own columns, these stand for the ends of the connection.
ENDS = {"ip.src": "src", "ip.dst": "dst", "ipv6.src": "src", "ipv6.dst": "dst"}


def known_names(columns: Iterable[Column]) -> frozenset[str]:
    """Every name a filter over these columns may use."""
    index = _filterable(columns)
    groups = {name for name in (*BOTH, *PROTOCOLS, *ENDS) if _members(name, index)}
    return frozenset(groups | index.keys())


def members(name: str, columns: Iterable[Column]) -> list[Column]:
    """The columns that a name in a filter stands for."""
    index = _filterable(columns)
    return _members(name, index) or [find_column(name, index)]


def _members(name: str, index: dict[str, Column]) -> list[Column]:
    """Empty for a name that is not known."""
    names = BOTH.get(name, (PROTOCOLS.get(name, name),))
    if names[0] in index:
        return [index[each] for each in names]
    if name in ENDS:
        return [index[ENDS[name]]] if ENDS[name] in index else []
    ends = {column.name: column for column in index.values()
            if (column.name.endswith("_port") if name == "tcp.port" else column.kind == Kind.ADDRESS)}
    return list(ends.values()) if name in BOTH else []


def _filterable(columns: Iterable[Column]) -> dict[str, Column]:
    return index_columns(column for column in columns if column.kind not in UNFILTERED)


def largest(column: Column) -> int | None:
    """The largest whole number that tshark's field can hold: what a packet's row has room for."""
    dtype = ROOM.get("src_port" if column.name.endswith("_port") else column.field)
    whole = column.kind in OUTER_NUMBERS or KINDS.get(column.kind) in ("uint", "int")
    return int(np.iinfo(dtype).max) if dtype and whole else None


class FilterFields:
    """The fields of one table; the ``Fields`` that a DisplayFilter is evaluated over."""

    def __init__(self, rows: Rows, columns: Sequence[Column]) -> None:
        self._rows = rows
        self._columns = tuple(columns)

    def __len__(self) -> int:
        return len(self._rows.array)

    def names(self) -> Iterable[str]:
        return known_names(self._columns)

    def unfiltered(self) -> Collection[str]:
        return index_columns([PAYLOAD, *(column for column in self._columns if column.kind in UNFILTERED)])

    def occurrences(self, name: str) -> list[Occurrence]:
        columns = members(name, self._columns)
        occurrences = [each for column in columns for each in self._occurrences(column)]
        if name in PROTOCOLS:
            return [Occurrence("protocol", each.present, each.present) for each in occurrences]
        return [replace(each, largest=largest(columns[0])) for each in occurrences]

    def _occurrences(self, column: Column) -> list[Occurrence]:
        if column.kind in (Kind.OUTER_IPV4, Kind.OUTER_IPV6):
            return self._addresses(column)
        if column.kind in OUTER_NUMBERS:
            return self._of_headers("uint", column.mask, self._rows.array[column.field],
                                    tunnel_values(self._rows, column.other, column.mask))
        if column.kind == Kind.SACK_EDGE:
            return self._sack_blocks(column)
        if column.kind == Kind.SET:
            return self._set(column)
        return [self._occurrence(column)]

    def _occurrence(self, column: Column) -> Occurrence:
        if column.kind == Kind.ADDRESS:
            return self._end(column)
        if column.kind in (Kind.TUNNEL_KIND, Kind.TUNNEL_NUMBER):
            numbers, inside = tunnel_numbers(self._rows, column)
            return Occurrence("text" if column.words else "uint", numbers, inside, column.words, closed=True)
        there = self._there(column)
        raw = self._rows.array[column.field]
        if column.kind == Kind.BITS:
            bits = (raw & column.mask) != 0
            return Occurrence("bool", bits.astype(np.uint8), there) if column.words[0] else \
                Occurrence("label", bits, there & bits)
        if column.kind == Kind.WORD:
            return Occurrence("text", np.minimum(raw, len(column.words) - 1), there, column.words, closed=True)
        if column.kind == Kind.SINCE_START:
            raw = raw - self._rows.start_ns
        return Occurrence(KINDS[column.kind], raw, there)

    def _set(self, column: Column) -> list[Occurrence]:
        """Each word of the set, where it is in it."""
        bits, there = self._rows.array[column.field], self._there(column)
        return [Occurrence("text", np.broadcast_to(np.uint8(i), len(self)), there & (bits >> i & 1 != 0), column.words,
                           closed=True)
                for i in range(len(column.words))]

    def _end(self, column: Column) -> Occurrence:
        """An address of either version."""
        array, name = self._rows.array, column.field.removesuffix("_hi")
        pairs = np.stack([array[f"{name}_hi"], array[f"{name}_lo"]], axis=1)
        return Occurrence("address", pairs, self._there(column))

    def _there(self, column: Column) -> Mask:
        there = present(self._rows.array, column)
        return np.ones(len(self), bool) if there is None else there

    def _of_headers(self, kind: str, has: int, nearest: Array, outer: tuple[Array, Mask]) -> list[Occurrence]:
        """Of the header nearest to TCP, and of the outermost one if that is another of the same version."""
        return [Occurrence(kind, nearest, of_version(self._rows, has)), Occurrence(kind, *outer)]

    def _addresses(self, column: Column) -> list[Occurrence]:
        array = self._rows.array
        end = "dst" if column.mask else "src"
        nearest = np.stack([array[f"{end}_hi"], array[f"{end}_lo"]], axis=1)
        if column.kind == Kind.OUTER_IPV6:
            high, inside = tunnel_values(self._rows, f"outer6_{end}_hi", TunnelHas.OUTER_IPV6)
            low, _ = tunnel_values(self._rows, f"outer6_{end}_lo")
            return self._of_headers("ipv6", TunnelHas.OUTER_IPV6, nearest, (np.stack([high, low], axis=1), inside))
        low, inside = tunnel_values(self._rows, f"outer4_{end}", TunnelHas.OUTER_IPV4)
        pairs = np.stack([np.zeros(len(self), np.uint64), low.astype(np.uint64) | MAPPED], axis=1)
        return self._of_headers("ipv4", TunnelHas.OUTER_IPV4, nearest, (pairs, inside))

    def _sack_blocks(self, column: Column) -> list[Occurrence]:
        """All blocks, where the column itself is only the first; edges of a cut option too, as far as they go."""
        array = self._rows.array
        side, base = column.field.removesuffix("0"), array["ack_raw"] - array["ack64"].astype(np.uint32)
        there = [(array["sack_count"] > i) | (array[f"{side}{i}"] != 0) for i in range(4)]
        first = present(array, column)
        return [Occurrence("uint", array[f"{side}{i}"] - base, there[i] if i or first is None else there[i] | first)
                for i in range(4)]
