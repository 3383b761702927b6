"""Where the payload bytes of a capture are read again: the mapped file, or a copy in memory."""
from __future__ import annotations

import mmap
import os
from typing import Any

import numpy as np

from tcpkit.compression import HEAD, find_format
from tcpkit.rotated import files_of
from tcpkit.values import Array

IN_MEMORY = 1 << 63              # chunk position: counts through the copy, not the file


class PayloadBytes:
    """The file is mapped, not read: it must not be cut shorter while its streams are looked at."""

    def __init__(self, path: str | None) -> None:
        self._kept = bytearray()
        self._file: memoryview | None = None
        if path is not None:
            with open(path, "rb") as file:
                self._file = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    @property
    def keeps_all(self) -> bool:
        """Whether every payload must be given to ``keep``: there is no file to read again."""
        return self._file is None

    def keep(self, data: bytes) -> None:
        self._kept += data

    def view(self, position: int, length: int) -> memoryview:
        """The bytes at a chunk's position."""
        if position & IN_MEMORY:
            position ^= IN_MEMORY
            return memoryview(self._kept)[position:position + length].toreadonly()
        assert self._file is not None
        return self._file[position:position + length]

    def at(self, positions: Array) -> Array:
        """The bytes at many positions, each that of one byte."""
        out = np.empty(len(positions), np.uint8)
        kept = positions >= IN_MEMORY
        if kept.any():
            out[kept] = np.frombuffer(self._kept, np.uint8)[positions[kept] - np.uint64(IN_MEMORY)]
        if not kept.all():
            assert self._file is not None
            out[~kept] = np.frombuffer(self._file, np.uint8)[positions[~kept]]
        return out


def plain_file(source: Any) -> str | None:
    """The path of a capture that lies uncompressed in one regular file, in which frames can be found by offset."""
    if hasattr(source, "readinto"):
        return None
    files = files_of(source)
    path = files[0]
    if len(files) != 1 or not isinstance(path, str | os.PathLike) or not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return os.fspath(path) if find_format(file.read(HEAD)) is None else None
