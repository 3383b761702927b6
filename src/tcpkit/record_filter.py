"""Display filters over rows that are dicts of a table's columns, texts of any length among them, one row at a time."""
from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import Schema
from tcpkit.display_filter import DisplayFilter
from tcpkit.display_values import Occurrence
from tcpkit.fields import index_columns

KINDS = {Kind.UNSIGNED: "uint", Kind.REAL: "real", Kind.LETTERS: "text", Kind.BITS: "label"}


class RecordFilter:
    """``selects(row)`` tells whether a display filter chooses the row; FilterError for a wrong one, none is all."""

    def __init__(self, text: str, schema: Schema) -> None:
        self._filter = DisplayFilter(text) if text else None
        self._columns = index_columns(schema.columns)
        self.selects(dict.fromkeys(self._columns))       # fails as it would over any row

    def selects(self, row: dict[str, Any]) -> bool:
        self._row = row
        return self._filter is None or bool(self._filter.mask(self)[0])

    def __len__(self) -> int:
        return 1

    def names(self) -> Iterable[str]:
        return self._columns

    def unfiltered(self) -> Collection[str]:
        return ()

    def occurrences(self, name: str) -> list[Occurrence]:
        """As Fields of the row that was asked for last."""
        column = self._columns[name]
        kind, value = KINDS[column.kind], self._row[column.name]
        there = np.array([bool(value) if kind == "label" else value is not None])
        if kind == "text":
            return [Occurrence(kind, np.zeros(1, np.int64), there, (value or "",))]
        return [Occurrence(kind, np.array([value or 0]), there)]
