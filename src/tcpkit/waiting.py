"""Rows that wait until all of their table is known: a few in memory, more in a temporary file."""
from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile

import numpy as np

from tcpkit.output_file import named_errors
from tcpkit.values import Array, rows_at, stacked

IN_MEMORY = 16 << 20             # bytes
AT_ONCE = 1 << 14                # rows that are read
APART = 1 << 9                   # ... here and there: the system brings some 64 KiB with each
FILE = "temporary file (in TMPDIR)"


class WaitingRows:
    """Rows of one dtype, with what pads them; OSError where there is no room for the file."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._dtype = dtype
        self._file = SpooledTemporaryFile(IN_MEMORY)         # noqa: SIM115  (closed by __exit__)
        self._n = 0

    def __enter__(self) -> WaitingRows:
        return self

    def __exit__(self, *error: object) -> None:
        with named_errors(FILE):                 # what was written last may be on its way still
            self._file.close()

    def __len__(self) -> int:
        return self._n

    def append(self, rows: Array) -> None:
        self.write(self._n, rows)
        self._n += len(rows)

    def write(self, start: int, rows: Array) -> None:
        """In place of those from ``start`` on."""
        with named_errors(FILE):
            self._file.seek(start * self._dtype.itemsize)
            self._file.write(rows.tobytes())

    def read(self, start: int, n: int) -> Array:
        """As many of ``n`` rows from ``start`` on as there are."""
        with named_errors(FILE):
            self._file.seek(start * self._dtype.itemsize)
            return np.frombuffer(bytearray(self._file.read(n * self._dtype.itemsize)), self._dtype)

    def at(self, places: Array) -> Array:
        """The rows at these places."""
        if self._n * self._dtype.itemsize <= IN_MEMORY:
            return rows_at(self.read(0, self._n), places)
        return stacked([rows_at(self._mapped(), places[start:start + APART]) for start in range(0, len(places), APART)])

    def pieces(self) -> Iterator[Array]:
        """All rows, in the order they came in, at least one piece."""
        for start in range(0, max(self._n, 1), AT_ONCE):
            yield self.read(start, AT_ONCE)

    def _mapped(self) -> Array:
        """The file, mapped anew each time: the pages that are read stay in memory until then."""
        with named_errors(FILE):
            self._file.flush()
            mapped: Array = np.memmap(self._file, self._dtype, "r")
            return mapped
