"""Columns by either name, and rows as text in the forms of ``fields``, CSV and JSON."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from tcpcore.fieldtext import Formatter
from tcpcore.fieldtext import TextKind as Kind
from tcpcore.records import TUNNEL
from tcpkit.columns import Column, Stage, When
from tcpkit.errors import FieldError, refuse_one
from tcpkit.text import one_line

Style = Literal["fields", "csv", "json"]
Condition = tuple[int, int, int, bool]
BOOLEANS = ("false", "true")
QUOTED = {
    "fields": frozenset[Kind](),
    "csv": frozenset({Kind.INFO, Kind.VERDICT}),
    "json": frozenset({Kind.HEX, Kind.WORD, Kind.SET, Kind.ADDRESS, Kind.OUTER_IPV4, Kind.OUTER_IPV6, Kind.PAYLOAD,
                       Kind.INFO, Kind.LETTERS, Kind.TUNNEL_KIND, Kind.VERDICT, Kind.OUTER_HEX}),
}
OWN = "tcpkit."                  # what the names of fields begin with that tshark does not have
# Names that mean several fields at once; only filters know them.
BOTH = {
    "ip.addr": ("ip.src", "ip.dst"), "ipv6.addr": ("ipv6.src", "ipv6.dst"), "tcp.port": ("tcp.srcport", "tcp.dstport")}
OUTER_NUMBERS = (Kind.OUTER_NUMBER, Kind.OUTER_HEX)
OF_TUNNELS = (Kind.TUNNEL_NUMBER, *OUTER_NUMBERS)           # `other` is a field of TUNNEL rows
EIGHT_BYTES = (Kind.SECONDS, Kind.SINCE_START, Kind.REAL)


def contract_names(*, own: bool = True) -> tuple[str, ...]:
    """The Wireshark name of every packets column; without ``own``, only of those that tshark has too.

    Any of them may be asked for in ``scan(columns=...)``, ``packets[name]``, ``tcpkit fields -e`` and display filters.
    """
    from tcpkit.packet_columns import PACKETS

    names = (column.wireshark for column in PACKETS)
    return tuple(name for name in names if own or not name.startswith(OWN))


def find_fields(names: Iterable[str]) -> tuple[str, ...]:
    """The Wireshark names of packets columns given by either name; FieldError for one that does not exist."""
    from tcpkit.packet_columns import PACKETS

    return tuple(column.wireshark for column in find_columns(names, PACKETS))


def index_columns(columns: Iterable[Column]) -> dict[str, Column]:
    """Columns by Python name and by Wireshark name."""
    return {name: column for column in columns for name in (column.name, column.wireshark) if name}


def find_column(name: str, known: dict[str, Column]) -> Column:
    """The column of that name; FieldError, with the nearest name if any is near, if there is none."""
    if name in known:
        return known[name]
    from difflib import get_close_matches

    near = ([each for each in BOTH.get(name, ()) if each in known] or get_close_matches(name, known, 1)
            or [each for each in known if each.startswith(f"{name}.")])
    raise FieldError(name, near[0] if near else "")


def find_columns(names: Iterable[str], columns: Iterable[Column]) -> tuple[Column, ...]:
    """Those of the columns that have these names, in their order; FieldError for a name that none has."""
    return known_columns(names, index_columns(columns))


def known_columns(names: Iterable[str], known: dict[str, Column]) -> tuple[Column, ...]:
    """The same of columns by name; TypeError for a text, whose letters would be taken for names."""
    refuse_one(names, "columns")
    return tuple(find_column(name, known) for name in names)


def stages_of(columns: Iterable[Column]) -> frozenset[Stage]:
    """The stages that compute these columns."""
    return frozenset(column.stage for column in columns)


def available(columns: Iterable[Column], dtype: np.dtype[Any]) -> tuple[Column, ...]:
    """The columns whose row fields are part of ``dtype``."""
    return tuple(column for column in columns if dtype.fields is not None and column.field in dtype.fields)


def build_formatter(columns: Sequence[Column], dtype: np.dtype[Any], style: Style = "fields",
                    widths: Sequence[int] | None = None) -> Formatter:
    """A formatter of rows of ``dtype``; with ``widths`` as aligned text."""
    if style not in QUOTED:
        raise ValueError(f'there is no style "{style}"; there are {", ".join(QUOTED)}')
    formatter = Formatter(row_end=b"}\n" if style == "json" else b"\n")
    for i, column in enumerate(columns):
        at, size = _place(dtype, column.field)
        if column.kind == Kind.TUNNEL_NUMBER:
            _, size = _place(TUNNEL, column.other)
        words = BOOLEANS if style == "json" and column.kind == Kind.BITS else column.words
        formatter.add(
            column.kind, at, 8 if column.kind in EIGHT_BYTES else size, other=_other(dtype, column), mask=column.mask,
            conditions=[_condition(dtype, when) for when in column.when],
            prefix=_prefix(style, i, column.name) if widths is None else b"  " if i else b"",
            absent=_absent(style, column),
            words=[one_line(word).encode() for word in words], quoted=column.kind in QUOTED[style],
            width=widths[i] if widths else 0)
    return formatter


def header(names: Iterable[str], style: Style) -> bytes:
    """What comes before the first row."""
    return b"" if style == "json" else (("," if style == "csv" else "\t").join(names) + "\n").encode()


def _prefix(style: Style, i: int, name: str) -> bytes:
    if style == "json":
        return f'{"," if i else "{"}"{name}":'.encode()
    return (b"," if style == "csv" else b"\t") if i else b""


def _absent(style: Style, column: Column) -> bytes:
    if style != "json":
        return b""
    return b"false" if column.kind == Kind.BITS and not column.words[0] else b"null"


def _place(dtype: np.dtype[Any], field: str) -> tuple[int, int]:
    """Offset and size of a row field."""
    if dtype.fields is None or field not in dtype.fields:
        raise TypeError(f"these rows have no {field}")
    base, offset = dtype.fields[field][:2]
    return offset, base.itemsize


def _other(dtype: np.dtype[Any], column: Column) -> int:
    """The second place a cell is made of: the IP version, where the analysis part begins, or of a TUNNEL row."""
    if column.kind in OF_TUNNELS:
        return _place(TUNNEL, column.other)[0]
    if column.kind == Kind.INFO:
        return _place(dtype, "ack_rtt")[0] if dtype.fields and "ack_rtt" in dtype.fields else -1
    return _place(dtype, column.other)[0] if column.other else -1


def _condition(dtype: np.dtype[Any], when: When) -> Condition:
    return _place(dtype, when.field)[0], when.mask, when.value, when.equal
