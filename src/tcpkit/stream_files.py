"""Writes every stream of a capture to files of its own, in one pass."""
from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

from tcpcore.flags import ChunkKind
from tcpkit.follow import Ends
from tcpkit.stream_scan import StreamScan

OPEN_FILES = 128                 # kept open; the one not used for longest is closed


class StreamFiles:
    """One file for each direction of each stream that carried bytes: ``00003-client-10.0.0.1_50000-10.0.0.2_80``.

    Bytes that are not in the capture are written as Wireshark writes them, "[n bytes missing in capture file]" and
    a zero byte; ``missing`` counts them.
    """

    def __init__(self, directory: Path) -> None:
        self.missing = 0
        self._directory = directory
        self._open: OrderedDict[tuple[int, int], BinaryIO] = OrderedDict()
        self._begun: set[int] = set()            # 2 * stream + direction
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def files(self) -> int:
        """Written so far."""
        return len(self._begun)

    def write(self, scan: StreamScan) -> None:
        """Write all that a scan passes on."""
        try:
            for piece in scan:
                if piece.kind == ChunkKind.CHUNK_END:
                    self._close(piece.stream)
                elif piece.kind == ChunkKind.CHUNK_DATA:
                    self._file(piece.stream, piece.direction, scan).write(piece)
                else:
                    self.missing += piece.length
                    hole = b"[%d bytes missing in capture file]\0" % piece.length
                    self._file(piece.stream, piece.direction, scan).write(hole)
        finally:
            for file in self._open.values():
                file.close()

    def _file(self, stream: int, direction: int, scan: StreamScan) -> BinaryIO:
        key = stream, direction
        if key not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            path = self._directory / file_name(stream, direction, scan.ends(stream))
            self._open[key] = path.open("ab" if 2 * stream + direction in self._begun else "wb")
            self._begun.add(2 * stream + direction)
        self._open.move_to_end(key)
        return self._open[key]

    def _close(self, stream: int) -> None:
        for direction in (0, 1):
            file = self._open.pop((stream, direction), None)
            if file:
                file.close()


def file_name(stream: int, direction: int, ends: Ends) -> str:
    """Made of numbers only, whatever the capture holds."""
    side = "client" if direction == ends.client else "server"
    sender, receiver = (f"{address.replace(':', '.')}_{port}" for address, port in (ends.of(direction),
                                                                                   ends.of(1 - direction)))
    return f"{stream:05}-{side}-{sender}-{receiver}"
