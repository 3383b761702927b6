"""Columns as display filters see them: every occurrence of a field in a row."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tcpcore.fieldtext import TextKind as Kind
from tcpcore.flags import TunnelHas
from tcpkit.columns import Column
from tcpkit.display_filter import Occurrence
from tcpkit.fields import find_column, index_columns
from tcpkit.values import Array, Rows, present

# Names that mean several fields at once.
BOTH = {
    "ip.addr": ("ip.src", "ip.dst"), "ipv6.addr": ("ipv6.src", "ipv6.dst"), "tcp.port": ("tcp.srcport", "tcp.dstport")}
PROTOCOLS = {"frame": "frame.number", "ip": "ip.src", "ipv6": "ipv6.src", "tcp": "tcp.srcport"}
KINDS = {
    Kind.UNSIGNED: "uint", Kind.HEX: "uint", Kind.SACK_EDGE: "uint", Kind.SIGNED: "int", Kind.SECONDS: "time",
    Kind.SINCE_START: "time"}
MAPPED = np.uint64(0xFFFF << 32)          # rows hold an IPv4 address as ::ffff:a.b.c.d
UNFILTERED = frozenset({Kind.INFO, Kind.PAYLOAD, Kind.ADDRESS})


class FilterFields:
    """The fields of one table; the ``Fields`` that a DisplayFilter is evaluated over."""

    def __init__(self, rows: Rows, columns: Sequence[Column]) -> None:
        self._rows = rows
        self._columns = index_columns(column for column in columns if column.kind not in UNFILTERED)

    def __len__(self) -> int:
        return len(self._rows.array)

    def names(self) -> Iterable[str]:
        groups = {name for name, members in BOTH.items() if members[0] in self._columns}
        protocols = {name for name, member in PROTOCOLS.items() if member in self._columns}
        return groups | protocols | self._columns.keys()

    def occurrences(self, name: str) -> list[Occurrence]:
        if name in BOTH:
            return [self._occurrence(find_column(member, self._columns)) for member in BOTH[name]]
        if name in PROTOCOLS:
            there = self._occurrence(find_column(PROTOCOLS[name], self._columns)).present
            return [Occurrence("protocol", there, there)]
        column = find_column(name, self._columns)
        return self._sack_blocks(column) if column.kind == Kind.SACK_EDGE else [self._occurrence(column)]

    def _occurrence(self, column: Column) -> Occurrence:
        if column.kind in (Kind.OUTER_IPV4, Kind.OUTER_IPV6):
            return self._address(column)
        everywhere = np.ones(len(self), bool)
        there = present(self._rows.array, column)
        there = everywhere if there is None else there
        raw = self._rows.array[column.field]
        if column.kind == Kind.BITS:
            bits = (raw & column.mask) != 0
            return Occurrence("uint", bits.astype(np.uint8), there) if column.words[0] else \
                Occurrence("label", bits, there & bits)
        if column.kind == Kind.WORD:
            return Occurrence("text", np.minimum(raw, len(column.words) - 1), there, column.words)
        if column.kind == Kind.SINCE_START:
            raw = raw - self._rows.start_ns
        return Occurrence(KINDS[column.kind], raw, there)

    def _address(self, column: Column) -> Occurrence:
        """The first header of the version, as the text kernel finds it: an outer one, or that nearest to TCP."""
        array, tunnels = self._rows.array, self._rows.tunnels
        end, is_ipv6 = "dst" if column.mask else "src", column.kind == Kind.OUTER_IPV6
        there = array["ip_version"] == (6 if is_ipv6 else 4)
        pairs = np.stack([array[f"{end}_hi"], array[f"{end}_lo"]], axis=1)
        if tunnels is not None and len(tunnels):
            outer = tunnels[np.maximum(array["tunnel"], 1) - 1]
            bit = TunnelHas.OUTER_IPV6 if is_ipv6 else TunnelHas.OUTER_IPV4
            inside = (array["tunnel"] > 0) & ((outer["has"] & bit) != 0)
            pairs[inside] = _outer_pairs(outer[inside], end, is_ipv6)
            there = there | inside
        return Occurrence("ipv6" if is_ipv6 else "ipv4", pairs, there)

    def _sack_blocks(self, column: Column) -> list[Occurrence]:
        """All blocks, where the column itself is only the first."""
        array = self._rows.array
        side, base = column.field.removesuffix("0"), array["ack_raw"] - array["ack"]
        return [Occurrence("uint", array[f"{side}{i}"] - base, array["sack_count"] > i) for i in range(4)]


def _outer_pairs(outer: Array, end: str, is_ipv6: bool) -> Array:
    if is_ipv6:
        return np.stack([outer[f"outer6_{end}_hi"], outer[f"outer6_{end}_lo"]], axis=1)
    return np.stack([np.zeros(len(outer), np.uint64), outer[f"outer4_{end}"].astype(np.uint64) | MAPPED], axis=1)
