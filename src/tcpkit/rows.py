"""Keeps the rows of many batches in one growing array."""
from __future__ import annotations

import numpy as np

from tcpcore.batch import Batch
from tcpcore.records import TUNNEL
from tcpkit.values import Array

FIRST = 4096                     # rows of the first piece of memory


class RowStore:
    """Rows batch after batch, and the TUNNEL rows they refer to."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._array = np.empty(FIRST, dtype)
        self._n = 0
        self._tunnels: list[Array] = []
        self._n_tunnels = 0

    def append(self, batch: Batch, chosen: Array | None = None) -> None:
        """Copy the rows of a batch, or only those ``chosen`` from its array."""
        start, end = self._n, self._n + (batch.n_rows if chosen is None else len(chosen))
        if end > len(self._array):
            self._array.resize(max(end, len(self._array) * 3 // 2), refcheck=False)
        if chosen is None:
            batch.copy_rows(self._array, start)
        else:
            self._array[start:end] = chosen
        if batch.n_tunnels:
            # Tunnel numbers count within their batch; here, through all of them.
            numbers = self._array["tunnel"][start:end]
            numbers[numbers > 0] += self._n_tunnels
            self._tunnels.append(batch.tunnel_array)
            self._n_tunnels += batch.n_tunnels
        self._n = end

    def finish(self) -> tuple[Array, Array]:
        """All rows, and all tunnels; nothing can be added afterwards."""
        self._array.resize(self._n, refcheck=False)
        return self._array, np.concatenate([np.empty(0, TUNNEL), *self._tunnels])
