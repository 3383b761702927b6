"""A display filter as the last step before rows are delivered."""
from __future__ import annotations

from tcpcore.batch import Batch
from tcpkit.columns import Stage
from tcpkit.display_filter import DisplayFilter
from tcpkit.fields import stages_of
from tcpkit.filter_fields import FilterFields, known_names, members
from tcpkit.packet_columns import PACKETS
from tcpkit.values import Array, Rows


class RowFilter:
    """Keeps the rows of each batch that a display filter selects; ``stages`` compute what it asks for."""

    def __init__(self, text: str) -> None:
        self._filter = DisplayFilter(text)
        self._filter.check(known_names(PACKETS))
        columns = [column for name in self._filter.fields for column in members(name, PACKETS)]
        self.stages: frozenset[Stage] = stages_of(columns)

    def process(self, batch: Batch, start_ns: int) -> None:
        """Drop the rows of ``batch`` that are not selected."""
        batch.keep(self.mask(Rows(batch.array, batch.tunnel_array, start_ns)))

    def mask(self, rows: Rows) -> Array:
        """For each row whether it is selected."""
        return self._filter.mask(FilterFields(rows, PACKETS))
