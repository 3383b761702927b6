"""Aligned text: a few cells at hand, or any number of rows in two passes over them."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import Column
from tcpkit.fields import build_formatter
from tcpkit.values import TEXTS, Rows

LEFT = TEXTS | {Kind.WORD, Kind.TUNNEL_KIND}       # text begins at the left, numbers end at the right


class Grid:
    """Rows as aligned lines: first ``measure`` all of them, then write the ``header`` and all ``lines``."""

    def __init__(self, columns: Sequence[Column], least: int = 0) -> None:
        self._columns = columns
        self._widths = [max(len(column.name), least) for column in columns]

    def measure(self, rows: Rows) -> None:
        """Make room for these rows."""
        letters = np.frombuffer(self._text(rows, None), np.uint8)
        ends = np.flatnonzero((letters == ord("\t")) | (letters == ord("\n")))
        lengths = np.diff(ends, prepend=-1).reshape(-1, max(len(self._columns), 1)) - 1
        self._widths = np.maximum(self._widths, lengths.max(axis=0, initial=0)).tolist()

    def header(self) -> str:
        return "  ".join(column.name.ljust(width) if column.kind in LEFT else column.name.rjust(width)
                         for column, width in zip(self._columns, self._widths, strict=True)).rstrip() + "\n"

    def lines(self, rows: Rows) -> bytes:
        """These rows, each ending in a newline."""
        widths = [-width if column.kind in LEFT else width
                  for column, width in zip(self._columns, self._widths, strict=True)]
        widths[-1:] = [max(width, 0) for width in widths[-1:]]       # no blanks at the end of a line
        return self._text(rows, widths)

    def _text(self, rows: Rows, widths: Sequence[int] | None) -> bytes:
        formatter = build_formatter(self._columns, rows.array.dtype, widths=widths)
        formatter.start_ns = rows.start_ns
        return formatter.rows(rows.array, rows.tunnels)


def column_widths(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """Room each column needs."""
    return [max(map(len, column)) for column in zip(names, *cells, strict=True)]


def grid(names: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Lines with aligned columns: numbers to the right, anything else to the left."""
    widths = column_widths(names, cells)
    right = [all(not cell or cell[0] in "-0123456789…" for cell in column)
             for column in zip(*cells, strict=True)] or [False] * len(names)
    return "\n".join(
        "  ".join(cell.rjust(width) if to_right else cell.ljust(width)
                  for cell, width, to_right in zip(row, widths, right, strict=True)).rstrip()
        for row in [names, *cells])
