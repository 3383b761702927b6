"""A display filter as the last step before rows are delivered."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tcpcore.batch import Batch
from tcpkit.columns import Column, Stage
from tcpkit.display_filter import DisplayFilter
from tcpkit.fields import stages_of
from tcpkit.filter_fields import FilterFields, members
from tcpkit.packet_columns import PACKETS
from tcpkit.values import Array, Rows


class RowFilter:
    """Keeps the rows of each batch that a display filter selects; ``stages`` compute what it asks for."""

    def __init__(self, text: str) -> None:
        self._filter = DisplayFilter(text)
        self.stages = stages_asked(self._filter, PACKETS)

    def process(self, batch: Batch, start_ns: int) -> None:
        """Drop the rows of ``batch`` that are not selected."""
        batch.keep(self.mask(Rows(batch.array, batch.tunnel_array, start_ns)))

    def mask(self, rows: Rows) -> Array:
        """For each row whether it is selected."""
        return self._filter.mask(FilterFields(rows, PACKETS))


class NoRows(dict[str, Array]):
    """Of any table: a filter evaluated over them fails as it would over rows, before any are read."""

    def __missing__(self, name: str) -> Array:
        return np.empty(0, np.uint64)


def stages_asked(display_filter: DisplayFilter, columns: Iterable[Column]) -> frozenset[Stage]:
    """Those that compute what the filter speaks of; FilterError if it cannot be asked of these columns."""
    known = tuple(columns)
    nothing: Any = NoRows()
    display_filter.mask(FilterFields(Rows(nothing), known))
    return stages_of(column for name in display_filter.fields for column in members(name, known))
