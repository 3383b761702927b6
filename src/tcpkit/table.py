"""Tables: one structured array, seen by columns."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from numbers import Number
from typing import TYPE_CHECKING, Any, BinaryIO, overload

import numpy as np

from tcpkit.columns import Column, Schema
from tcpkit.fields import Style, available, build_formatter, find_column, header, index_columns, known_columns
from tcpkit.grid import Grid, column_widths, grid
from tcpkit.text import counted
from tcpkit.values import Array, Rows, column_values, rows_at, stacked

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Selection = slice | Sequence[int] | list[str] | Array
LEAST = 12                       # letters of a column whose rows are not known beforehand
SHOWN = 10                       # rows in a repr: half from either end
BOOLS = (bool, np.bool_)


class Table:
    """Rows of one kind: ``array`` is the structured array itself, shape (rows,).

    ``table["seq"]`` and ``table["tcp.seq"]`` give a column, masked where rows have no value;
    ``table[10:20]``, ``table[mask]`` and ``table[indices]`` give a table, ``table[["stream", "seq"]]`` one of these
    columns; ``table[3]`` one row as a dict.
    """

    def __init__(self, array: Array, schema: Schema, *, tunnels: Array | None = None, start_ns: int = 0) -> None:
        self._rows = Rows(array, tunnels, start_ns)
        self._schema = schema
        self._available = available(schema.columns, array.dtype)
        self._index = index_columns(self._available)
        self.corrections: Table | None = None    # in a piece of packets: of its rows and earlier ones

    @property
    def array(self) -> Array:
        """The rows as a structured array; times are int64 nanoseconds, absent values 0."""
        return self._rows.array

    @property
    def columns(self) -> tuple[str, ...]:
        """Python names of the columns."""
        return tuple(column.name for column in self._available)

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, key: Selection) -> Table: ...
    def __getitem__(self, key: str | int | np.integer[Any] | Selection) -> Array | dict[str, Any] | Table:
        """FieldError for an unknown column, IndexError for a row beyond the end."""
        if isinstance(key, str):
            return column_values(self._rows, self._column(key))
        if isinstance(key, int | np.integer):
            return self._row(int(key))
        chosen = key if isinstance(key, slice) else _places(key)
        if isinstance(chosen, np.ndarray) and _are_names(chosen):
            return self._select(chosen.tolist())
        return self.like(self.array[chosen])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """One row after the other; slow for many, whose columns are better taken whole."""
        return (self._row(place) for place in range(len(self)))

    def __contains__(self, name: object) -> bool:
        """Whether there is a column of this name."""
        return isinstance(name, str) and name in self._index

    def where(self, display_filter: str) -> Table:
        """The rows that a display filter in Wireshark's syntax selects, all for an empty one; FilterError if wrong."""
        if display_filter == "":
            return self
        from tcpkit.display_filter import DisplayFilter
        from tcpkit.filter_fields import FilterFields

        return self[DisplayFilter(display_filter).mask(FilterFields(self._rows, self._available))]

    def to_arrow(self, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """A pyarrow.Table of the columns named, or all; absent values are null.  Needs pyarrow."""
        from tcpkit.convert import to_arrow

        return to_arrow(self._rows, self._chosen(columns))

    def to_pandas(self, columns: Sequence[str] | None = None) -> pandas.DataFrame:
        """A pandas.DataFrame with nullable types.  Needs pandas."""
        from tcpkit.convert import to_pandas

        return to_pandas(self._rows, self._chosen(columns))

    def to_polars(self, columns: Sequence[str] | None = None) -> polars.DataFrame:
        """A polars.DataFrame.  Needs polars and pyarrow."""
        from tcpkit.convert import to_polars

        return to_polars(self._rows, self._chosen(columns))

    def to_text(self, style: Style = "csv", columns: Sequence[str] | None = None, *, head: bool = True) -> bytes:
        """Header and rows as ``fields`` (tab-separated), ``csv``, or ``json`` (one object a line, no header)."""
        chosen = self._chosen(columns)
        names = header([column.name for column in chosen], style) if head else b""
        return names + self._text(chosen, style)

    def to_grid(self, columns: Sequence[str] | None = None) -> str:
        """Every row as aligned text below a line of names; without ``columns``, those that a short view shows."""
        lines = Grid(self._shown(columns))
        lines.measure(self._rows)
        return lines.header() + lines.lines(self._rows).decode()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype, copy=True) if copy else np.asarray(self.array, dtype)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        title = self._title()
        from shutil import get_terminal_size

        names, cells = self._summary(get_terminal_size((120, 24)).columns)
        return f"{title}\n{grid(names, cells)}" if cells else title

    def _repr_html_(self) -> str:
        from html import escape

        names, cells = self._summary(240)
        lines = ["<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"
                 for tag, row in [("th", names), *(("td", row) for row in cells)]]
        return f"<p>{escape(self._title())}</p><table>{''.join(lines)}</table>"

    def _title(self) -> str:
        return f"{self._schema.name}: {counted(len(self), 'row')}, {counted(len(self.columns), 'column')}"

    def like(self, array: Array, tunnels: Array | None = None) -> Table:
        """A table of this kind over other rows; they refer to the same tunnels unless others are given."""
        table = object.__new__(Table)
        table.__dict__.update(self.__dict__)
        table._rows = Rows(array, self._rows.tunnels if tunnels is None else tunnels, self._rows.start_ns)
        return table

    def _select(self, names: Sequence[str]) -> Table:
        """The same rows, seen by these columns only."""
        columns = self._chosen(names)
        schema = self._schema._replace(columns=columns, summary=tuple(column.name for column in columns))
        table = Table(self.array, schema, tunnels=self._rows.tunnels, start_ns=self._rows.start_ns)
        table.corrections = self.corrections
        return table

    def _column(self, name: str) -> Column:
        return find_column(name, self._index)

    def _chosen(self, names: Sequence[str] | None) -> tuple[Column, ...]:
        return self._available if names is None else known_columns(names, self._index)

    def _shown(self, names: Sequence[str] | None) -> tuple[Column, ...]:
        """In lines of text."""
        return self._chosen(self._summary_names() if names is None else names)

    def _row(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        index %= len(self)
        row = Rows(self.array[index:index + 1], self._rows.tunnels, self._rows.start_ns)
        values = {column.name: column_values(row, column)[0] for column in self._available}
        return {name: _plain(value) for name, value in values.items()}

    def _text(self, columns: Sequence[Column], style: Style) -> bytes:
        formatter = build_formatter(columns, self.array.dtype, style)
        formatter.start_ns = self._rows.start_ns
        return formatter.rows(self.array, self._rows.tunnels)

    def _summary_names(self) -> list[str]:
        return [name for name in self._schema.summary if name in self._index]

    def _cells(self, columns: Sequence[str]) -> list[list[str]]:
        """The text of every cell, row by row."""
        lines = self._text(self._chosen(columns), "fields").decode().split("\n")[:-1]
        return [line.split("\t") for line in lines]

    def _summary(self, width: int) -> tuple[list[str], list[list[str]]]:
        """Names and cells of what a short view has room for."""
        names = self._summary_names()
        if len(self) > SHOWN:
            ends = self[:SHOWN // 2]._cells(names), self[-SHOWN // 2:]._cells(names)
            cells = [*ends[0], ["…"] * len(names), *ends[1]]
        else:
            cells = self._cells(names)
        widths = column_widths(names, cells)
        while len(names) > 1 and sum(widths) + 2 * len(widths) - 2 > width:
            names.pop()
            widths.pop()
        return names, [row[:len(names)] for row in cells]


def _places(key: Any) -> Array:
    """Rows, or names of columns, as an array; where it has no value nothing is chosen."""
    if isinstance(key, np.ma.MaskedArray):
        chosen: Array = key.filled(False) if key.dtype == bool else key.compressed()
        return chosen
    chosen = np.atleast_1d(np.asarray(key, np.intp if isinstance(key, Sequence) and not len(key) else None))
    return np.array([isinstance(one, BOOLS) and bool(one) for one in chosen]) if _is_mask_with_nulls(chosen) else chosen


def _is_mask_with_nulls(chosen: Array) -> bool:
    """That of pandas and Polars becomes objects; what stands for no value there is neither number nor text."""
    return chosen.dtype == object and chosen.ndim == 1 and len(chosen) > 0 and all(
        isinstance(one, BOOLS) or not isinstance(one, Number | str) for one in chosen)


def _are_names(chosen: Array) -> bool:
    return chosen.dtype.kind in "UO" and len(chosen) > 0 and all(isinstance(one, str) for one in chosen)


def _plain(value: Any) -> Any:
    """One value of a row: None if there is none, Python's own type but for times, which have none of nanoseconds."""
    if value is np.ma.masked:
        return None
    return value.item() if isinstance(value, np.generic) and value.dtype.kind not in "mM" else value


def joined(tables: Iterable[Table]) -> Table:
    """At least one table of a kind as one; tables whose rows refer to tunnels cannot be joined."""
    pieces = list(tables)
    return pieces[0] if len(pieces) == 1 else pieces[0].like(stacked([piece.array for piece in pieces]))


def lines_as_they_come(tables: Iterable[Table], columns: Sequence[str] | None = None) -> Iterator[bytes]:
    """The rows of tables of one kind below a line of names; columns grow wider as wider values come."""
    lines: Grid | None = None
    for table in tables:
        head = lines is None
        lines = lines or Grid(table._shown(columns), least=LEAST)
        lines.measure(table._rows)
        yield (lines.header().encode() if head else b"") + lines.lines(table._rows)


def in_order(table: Table, name: str) -> Table:
    """The rows by a column of the array, those alike as they are."""
    values = table.array[name]
    if np.all(values[:-1] <= values[1:]):
        return table
    return table.like(rows_at(table.array, np.argsort(values, kind="stable")))


def write_grid(tables: Iterable[Table], file: BinaryIO, columns: Sequence[str] | None = None) -> None:
    """The rows of tables of one kind, at least one, as ``to_grid`` shows them.

    Columns are as wide as their widest cell, so all rows wait until the last has come, many of them in a file.
    """
    from tcpkit.waiting import WaitingRows

    pieces = iter(tables)
    first = next(pieces)
    lines = Grid(first._shown(columns))
    with WaitingRows(first.array.dtype) as waiting:
        for table in chain([first], pieces):
            lines.measure(table._rows)
            waiting.append(table.array)
        file.write(lines.header().encode())
        for rows in waiting.pieces():
            file.write(lines.lines(table.like(rows)._rows))
