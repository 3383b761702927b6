"""The byte streams of a capture: slices of it, in order, with their holes."""
from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import index
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from tcpcore.flags import ChunkKind
from tcpcore.overlap import OverlapRule, resolve
from tcpcore.records import CHUNK
from tcpcore.stream_index import StreamIndex
from tcpkit.connection import no_stream
from tcpkit.errors import HoleError
from tcpkit.follow import Ends, ends_in, records_of_ends
from tcpkit.policies import DEFAULT_POLICY, rule_of
from tcpkit.stream_bytes import IN_MEMORY, PayloadBytes
from tcpkit.stream_columns import CHUNKS, KINDS
from tcpkit.table import Table
from tcpkit.values import Array

if TYPE_CHECKING:
    from tcpkit.pipeline import Pipeline


PIECE = 1 << 16                  # segments


class FrameRange(NamedTuple):
    """Bytes of a stream that one frame carries; ``frame`` is None where they are not captured."""

    frame: int | None
    offset: int
    length: int


class Run(NamedTuple):
    """Bytes in a row without a hole."""

    offset: int
    length: int


class Side:
    """What one end sent: ``len()`` bytes, of which those in holes are not there.

    Bytes are read when asked for; asking for bytes in a hole is a HoleError, never zeros.
    """

    def __init__(self, stream: int, name: str, segments: Array, acked: int, fin: int, data: PayloadBytes,
                 rule: OverlapRule) -> None:
        self.stream = stream
        self.name = name                         # "client" or "server"
        self.fin = fin if fin >= 0 else None     # place of the FIN; bytes may lie behind it
        self.acked = max(acked, 0)               # bytes before it were acknowledged
        self.segments = segments                 # CHUNK rows as sent, in order of arrival
        self._data = data
        self._rule = rule

    def __repr__(self) -> str:
        return f"<{self.name} of stream {self.stream}: {len(self):,} bytes, {len(self.holes)} holes>"

    def __len__(self) -> int:
        """Bytes up to the last known one, those in holes too."""
        rows = self._rows
        return int(rows["offset"][-1] + rows["length"][-1]) if len(rows) else 0

    @cached_property
    def chunks(self) -> Table:
        """All of the stream in order: what each frame carries of it, and what is missing."""
        return Table(self._rows, CHUNKS)

    @property
    def holes(self) -> Table:
        """The chunks that are not data."""
        return Table(self._rows[self._rows["kind"] != ChunkKind.CHUNK_DATA], CHUNKS)

    @cached_property
    def _rows(self) -> Array:
        rows = resolve(self.segments, self._rule, self.acked)
        data = rows["kind"] == ChunkKind.CHUNK_DATA
        rows["reason"][data] = rows["position"][data] >= IN_MEMORY       # then the column "position" is masked
        end = int(rows["offset"][-1] + rows["length"][-1]) if len(rows) else 0
        # Rule TAIL: told by a FIN, or by an acknowledgement; one that goes a byte too far is that of a FIN.
        known = self.fin if self.fin is not None else self.acked - (self.acked == end + 1)
        if known <= end:
            return rows
        tail = np.zeros(2, CHUNK)
        middle = min(max(self.acked, end), known)
        tail["offset"], tail["length"] = (end, middle), (middle - end, known - middle)
        tail["kind"] = ChunkKind.CHUNK_UNSEEN, ChunkKind.CHUNK_MISSING
        return np.concatenate([rows, tail[tail["length"] > 0]])

    def views(self, offset: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """The bytes as slices of the capture, one for each frame's part, without copying."""
        for row, start, end in self._parts(offset, length):
            if row["kind"] != ChunkKind.CHUNK_DATA:
                raise HoleError(self.stream, self.name, start, end - start, KINDS[row["kind"]])
            yield self._data.view(int(row["position"]) + start - int(row["offset"]), end - start)

    def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """Bytes from ``offset`` on, up to the end or ``length`` of them."""
        return b"".join(self.views(offset, length))

    def __bytes__(self) -> bytes:
        return self.read()

    def runs(self) -> Iterator[Run]:
        """The parts between holes, for ``read(*run)`` or ``views(*run)``."""
        begin = end = 0
        for row in self._rows[self._rows["kind"] == ChunkKind.CHUNK_DATA]:
            if row["offset"] != end:
                if end > begin:
                    yield Run(begin, end - begin)
                begin = int(row["offset"])
            end = int(row["offset"] + row["length"])
        if end > begin:
            yield Run(begin, end - begin)

    def frames_of(self, offset: int, length: int) -> list[FrameRange]:
        """Which frames carry these bytes."""
        return [FrameRange(int(row["frame"]) if row["kind"] == ChunkKind.CHUNK_DATA else None, start, end - start)
                for row, start, end in self._parts(offset, length)]

    def payload(self, segment: Array) -> memoryview:
        """The captured bytes of one of ``segments``, whether they are part of the stream or lost to another copy."""
        return self._data.view(int(segment["position"]), int(segment["captured"]))

    def bytes_at(self, positions: Array) -> Array:
        """Single captured bytes, by the positions that ``segments`` and ``chunks`` tell."""
        return self._data.at(positions)

    def with_rule(self, rule: OverlapRule) -> Side:
        """The same segments as a host reads them that follows another overlap rule."""
        fin = -1 if self.fin is None else self.fin
        return Side(self.stream, self.name, self.segments, self.acked, fin, self._data, rule)

    def find(self, pattern: bytes, start: int = 0) -> int:
        """Where ``pattern`` first begins at or after ``start``, -1 if nowhere; never across a hole."""
        for run in self.runs():
            if run.offset + run.length <= start:
                continue
            place, tail = max(run.offset, start), b""
            for view in self.views(place, run.offset + run.length - place):
                window = tail + view
                at = window.find(pattern)
                if at >= 0:
                    return place - len(tail) + at
                place += len(view)
                tail = window[max(0, len(window) - len(pattern) + 1):]
        return -1

    def open(self) -> io.BufferedReader:
        """A file to read from; HoleError where bytes are missing."""
        return io.BufferedReader(_SideFile(self))

    def _parts(self, offset: int, length: int | None) -> Iterator[tuple[Array, int, int]]:
        """The chunks that [offset, offset + length) touches, and from where to where."""
        offset = index(offset)                   # numbers of NumPy do not go with positions beyond 63 bits
        end = len(self) if length is None else min(offset + index(length), len(self))
        if offset < 0 or (length is not None and length < 0):
            raise ValueError("offset and length count from 0")
        at = int(np.searchsorted(self._rows["offset"], offset, "right")) - 1
        while offset < end:
            row = self._rows[at]
            stop = min(end, int(row["offset"] + row["length"]))
            yield row, offset, stop
            offset, at = stop, at + 1


class _SideFile(io.RawIOBase):
    def __init__(self, side: Side) -> None:
        self._side = side
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: len(self._side)}[whence]
        if place < 0:
            raise ValueError("before the beginning")
        self._place = place
        return place

    def readinto(self, buffer: memoryview) -> int:      # type: ignore[override]
        """The bytes of one frame at a time."""
        view = next(self._side.views(self._place, len(buffer)), memoryview(b""))
        buffer[:len(view)] = view
        self._place += len(view)
        return len(view)


class Stream:
    """One connection: ``client`` and ``server`` are what they sent; ``ends`` tells who they are."""

    def __init__(self, number: int, ends: Ends, first: Side, second: Side) -> None:
        self.number = number
        self.ends = ends
        self.client, self.server = (second, first) if ends.client else (first, second)

    def __repr__(self) -> str:
        return f"Stream({self.number}: {self.client!r}, {self.server!r})"


class Streams(Sequence[Stream]):
    """Every stream of a capture, by its number."""

    def __init__(self, segments: Array, sides: Array, records: Array, data: PayloadBytes, policy: str) -> None:
        self.policy = policy
        self._segments = segments
        self._sides = sides
        self._records = records[np.argsort(records["stream"], kind="stable")]
        self._data = data

    def __repr__(self) -> str:
        return f"Streams({len(self):,})"

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, number: int) -> Stream: ...
    @overload
    def __getitem__(self, number: slice) -> list[Stream]: ...
    def __getitem__(self, number: int | slice) -> Stream | list[Stream]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        at = index(number)
        if not -len(self) <= at < len(self):
            raise no_stream(at)
        ends = ends_in(self._records[at])
        stream = int(self._records[at]["stream"])
        return Stream(stream, ends, self._side(stream, 0, ends), self._side(stream, 1, ends))

    def with_policy(self, policy: str) -> Streams:
        """The same streams as a host that follows another overlap policy receives them (docs/streams.md)."""
        rule_of(policy)
        return Streams(self._segments, self._sides, self._records, self._data, policy)

    def segment_pieces(self) -> Iterator[Array]:
        """The CHUNK rows of all segments as sent, some ten thousand at a time, those of a stream together."""
        start, count = 0, len(self._segments)
        while start < count:
            last = self._segments[min(start + PIECE, count) - 1]
            side = self._sides[2 * int(last["stream"]) + 1]      # the other end's segments lie before its own
            end = int(side["first"] + side["n_segments"])
            yield self._segments[start:end]
            start = end

    def _side(self, stream: int, direction: int, ends: Ends) -> Side:
        at = 2 * stream + direction
        name = "client" if direction == ends.client else "server"
        if at >= len(self._sides):               # no whole segment of it
            return Side(stream, name, self._segments[:0], 0, -1, self._data, rule_of(self.policy))
        side = self._sides[at]
        first = int(side["first"])
        return Side(stream, name, self._segments[first:first + int(side["n_segments"])], int(side["acked"]),
                    int(side["fin"]), self._data, rule_of(self.policy))


def index_streams(pipeline: Pipeline, data: PayloadBytes) -> Streams:
    """Find where the bytes of all streams lie; payloads are kept only if they must be (memory: docs/bulk.md)."""
    index = StreamIndex(keep=data.keeps_all)
    records = []
    for batch in pipeline:
        index.process(batch)
        data.keep(index.take_kept())
        if batch.released is not None:
            records.append(records_of_ends(batch.released["flows"]))
    records += [records_of_ends(streams.flows) for streams in pipeline.stream_records()]
    return Streams(*index.finish(), np.concatenate(records), data, DEFAULT_POLICY)
