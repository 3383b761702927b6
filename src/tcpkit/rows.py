"""Keeps the rows of many batches in one growing array."""
from __future__ import annotations

import mmap

import numpy as np

from tcpcore.batch import Batch
from tcpcore.records import TUNNEL
from tcpkit.values import Array

FIRST = 1 << 20                  # bytes


class RowStore:
    """Rows batch after batch, and the TUNNEL rows they refer to.

    The rows lie in an anonymous mapping: it grows without being copied, and untouched memory costs nothing.
    """

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._dtype = dtype
        self._memory = mmap.mmap(-1, FIRST, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._n = 0
        self._tunnels: list[Array] = []
        self._n_tunnels = 0

    def append(self, batch: Batch) -> None:
        """Copy the rows of a batch."""
        start, end = self._n, self._n + batch.n_rows
        if end * self._dtype.itemsize > len(self._memory):
            self._memory.resize(max(end * self._dtype.itemsize, len(self._memory) * 2))
        rows = np.frombuffer(self._memory, self._dtype, end)
        batch.copy_rows(rows, start)
        if batch.n_tunnels:
            # Tunnel numbers count within their batch; here, through all of them.
            numbers = rows["tunnel"][start:]
            numbers[numbers > 0] += self._n_tunnels
            self._tunnels.append(batch.tunnel_array)
            self._n_tunnels += batch.n_tunnels
        self._n = end

    def finish(self) -> tuple[Array, Array]:
        """All rows, and all tunnels; nothing can be added afterwards."""
        self._memory.resize(max(self._n * self._dtype.itemsize, 1))
        return np.frombuffer(self._memory, self._dtype, self._n), np.concatenate([np.empty(0, TUNNEL), *self._tunnels])
