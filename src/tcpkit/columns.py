"""What a column of a table is: names, row field, presence, text form, meaning."""
from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from tcpcore.fieldtext import TextKind as Kind
from tcpcore.flags import TunnelHas

if TYPE_CHECKING:
    from tcpcore.codes import Codes

Stage = Literal["decode", "flows", "analysis", "lifecycle", "verdicts"]
EPOCH = "ns since 1970"
MARK = ("", "1")
ENDS = ("client", "server")


class When(NamedTuple):
    """A value is there if ``(row[field] & mask == value) == equal``."""

    field: str
    mask: int
    value: int
    equal: bool = True


class Column(NamedTuple):
    """One column.

    ``name`` is the Python name, ``wireshark`` the name in display filters and ``fields``; ``field`` is the
    row field that holds the value, which is there if all of ``when`` hold; ``stage`` computes it.
    """

    name: str
    wireshark: str
    field: str
    kind: Kind
    doc: str
    when: tuple[When, ...] = ()
    unit: str = ""
    stage: Stage = "decode"
    mask: int = 0
    words: tuple[str, ...] = ()
    other: str = ""


def words_of(codes: type[Codes], prefix: str = "", dash: str = "_") -> tuple[str, ...]:
    """The names of codes that count from 0, as they are printed."""
    numbers = codes.__members__
    names = (name.removeprefix(prefix).replace("_", dash) for name in sorted(numbers, key=numbers.__getitem__))
    return tuple(name if dash == "-" else name.lower() for name in names)


def number(name: str, wireshark: str, field: str, doc: str, when: tuple[When, ...] = (), unit: str = "",
           stage: Stage = "decode") -> Column:
    return Column(name, wireshark, field, Kind.UNSIGNED, doc, when, unit, stage)


def text(name: str, doc: str) -> Column:
    return Column(name, "", name, Kind.LETTERS, doc)


def duration(name: str, wireshark: str, field: str, doc: str, when: tuple[When, ...], stage: Stage) -> Column:
    return Column(name, wireshark, field, Kind.SECONDS, doc, when, "ns", stage)


def mark(name: str, wireshark: str, field: str, bits: int, doc: str, when: tuple[When, ...] = ()) -> Column:
    """Something the header shows: 1 or absent."""
    return Column(name, wireshark, field, Kind.BITS, doc, when, mask=bits, words=MARK)


def address(name: str, wireshark: str, kind: Kind, doc: str, field: str, destination: bool = False) -> Column:
    return Column(name, wireshark, field, kind, doc, mask=int(destination), other="ip_version")


def end_address(name: str, doc: str, wireshark: str = "") -> Column:
    """The address of one end, of either version."""
    return Column(name, wireshark, f"{name}_hi", Kind.ADDRESS, doc, other="ip_version")


def outermost(name: str, wireshark: str, field: str, doc: str, other: str, kind: Kind = Kind.OUTER_NUMBER, *,
              has: int = TunnelHas.OUTER_IPV4) -> Column:
    """A number of the frame's first IP header of one version: ``other`` is the TUNNEL field of an outer one."""
    return Column(name, wireshark, field, kind, doc, mask=has, other=other)


def computed_by(stage: Stage, *columns: Column) -> tuple[Column, ...]:
    return tuple(column._replace(stage=stage) for column in columns)


class Schema(NamedTuple):
    """What a kind of table holds; ``summary`` names the columns that a short view shows."""

    name: str
    columns: tuple[Column, ...]
    summary: tuple[str, ...]
