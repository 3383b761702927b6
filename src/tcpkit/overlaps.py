"""Copies of the same bytes that differ: what one host reads there, another may not."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tcpcore.flags import ChunkKind
from tcpkit.policies import POLICIES
from tcpkit.streams import Side, Stream, Streams
from tcpkit.values import Array

SEEN = 1 << 15                   # differences that are remembered, at least, not to be told again


class Difference(NamedTuple):
    """Bytes of a stream of which the capture holds two versions.

    ``policies`` names those under which each version is read; with a single one there, all hosts agree: the other
    came when the bytes had been delivered.
    """

    stream: int
    side: str
    offset: int
    kept: bytes                  # under the streams' own policy
    other: bytes
    frame: int                   # that carries `kept`
    other_frame: int
    policies: dict[bytes, tuple[str, ...]]

    @property
    def evades(self) -> bool:
        """Whether hosts disagree on what was said."""
        return len(self.policies) > 1

    def to_dict(self) -> dict[str, Any]:
        """One row of text and numbers; bytes that are no letters are escaped."""
        readers = {version: ", ".join(policies) for version, policies in self.policies.items()}
        return {"stream": self.stream, "sender": self.side, "offset": self.offset, "length": len(self.kept),
                "frame": self.frame, "kept": repr(self.kept)[2:-1],
                "other_frame": self.other_frame, "other": repr(self.other)[2:-1], "evades": self.evades,
                "kept_by": readers.get(self.kept, ""), "other_by": readers.get(self.other, "")}


def differences(streams: Iterable[Stream]) -> Iterator[Difference]:
    """Every place where a later or losing copy differs from what is read."""
    for stream in overlapping(streams) if isinstance(streams, Streams) else streams:
        for side in (stream.client, stream.server):
            if len(_sharing(side.segments)):
                yield from _of_side(side)


def overlapping(streams: Streams) -> Iterator[Stream]:
    """Those with segments that share bytes, which are few: the others are not looked at one by one."""
    for segments in streams.segment_pieces():
        for number in np.unique(_sharing(segments)).tolist():
            yield streams[number]


def _sharing(segments: Array) -> Array:
    """The stream of each segment that begins before the one ahead of it in the same side ends."""
    order = np.lexsort((segments["offset"], segments["direction"], segments["stream"]))
    sides = segments["stream"][order].astype(np.uint64) * 2 + segments["direction"][order]
    starts = segments["offset"][order]
    ends = starts + segments["captured"][order]
    shared: Array = sides[1:][(sides[1:] == sides[:-1]) & (starts[1:] < ends[:-1])] // 2
    return shared


def _of_side(side: Side) -> Iterator[Difference]:
    readers = _Readers(side)
    told = _Told()
    for segment in side.segments[_disputed(side)]:
        start, end = max(int(segment["offset"]), 0), min(int(segment["offset"] + segment["captured"]), len(side))
        rows = _rows_of(side, start, end)
        kept, other = _bytes_of(side, rows), np.frombuffer(side.payload(segment), np.uint8)
        other = other[start - int(segment["offset"]):end - int(segment["offset"])]
        theirs = (rows["kind"] != ChunkKind.CHUNK_DATA) | (rows["frame"] == segment["frame"])
        differ = (kept != other) & ~np.repeat(theirs, rows["length"])
        places = _places(differ, rows["length"])
        if places:
            readers.look_at(start + places[0][1], start + places[-1][2])
        for row, first, last in places:
            version = other[first:last].tobytes()
            if told.again(start + first, version):
                continue
            yield Difference(side.stream, side.name, start + first, kept[first:last].tobytes(), version,
                             int(rows["frame"][row]), int(segment["frame"]), readers.of(start + first, start + last))


def _disputed(side: Side) -> Array:
    """Which segments do not have all of their place for themselves."""
    rows, segments = side.chunks.array, side.segments
    if not len(rows):                            # all of it lies before the stream
        return np.zeros(len(segments), bool)
    starts, ends = np.maximum(segments["offset"], 0), segments["offset"] + segments["captured"]
    first = np.searchsorted(rows["offset"], starts, "right") - 1
    alone = (rows["frame"][first] == segments["frame"]) & (rows["offset"][first] + rows["length"][first] >= ends)
    disputed: Array = ~alone & (starts < np.minimum(ends, len(side)))
    return disputed


def _rows_of(side: Side, start: int, end: int) -> Array:
    """The chunks from ``start`` to ``end``, cut to them."""
    offsets = side.chunks.array["offset"]
    rows = side.chunks.array[np.searchsorted(offsets, start, "right") - 1:np.searchsorted(offsets, end, "left")].copy()
    before = np.maximum(start - rows["offset"], 0)
    stops = np.minimum(rows["offset"] + rows["length"], end)
    rows["offset"] += before
    rows["position"] += before.astype(np.uint64)
    rows["length"] = stops - rows["offset"]
    return rows


def _bytes_of(side: Side, rows: Array) -> Array:
    """What these chunks hold; 0 in holes."""
    lengths = rows["length"]
    data = np.repeat(rows["kind"] == ChunkKind.CHUNK_DATA, lengths)
    before_rows = (rows["offset"] - rows["offset"][0]).astype(np.uint64)
    positions = np.repeat(rows["position"] - before_rows, lengths) + np.arange(len(data), dtype=np.uint64)
    out = np.zeros(len(data), np.uint8)
    out[data] = side.bytes_at(positions[data])
    return out


def _places(differ: Array, lengths: Array) -> list[tuple[int, int, int]]:
    """Of each chunk with bytes that differ: which it is, the first of them, and the place after the last."""
    places = np.flatnonzero(differ)
    chunks = np.searchsorted(np.cumsum(lengths), places, "right")
    first, last = np.flatnonzero(np.diff(chunks, prepend=-1)), np.flatnonzero(np.diff(chunks, append=-1))
    return list(zip(chunks[first].tolist(), places[first].tolist(), (places[last] + 1).tolist(), strict=True))


class _Readers:
    """What hosts read, by their policies, in one part of the stream at a time."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._start = 0
        self._read: dict[int, Array] = {}        # by rule
        self._agree = False

    @cached_property
    def _alike(self) -> list[tuple[Side, list[int]]]:
        """The rules by what is read under them anywhere, which for most streams is the same under several."""
        found: list[tuple[Side, list[int]]] = []
        for rule in dict.fromkeys(POLICIES.values()):
            side = self._side.with_rule(rule)
            rows = side.chunks.array
            same = next((rules for other, rules in found if np.array_equal(other.chunks.array, rows)), None)
            if same is None:
                found.append((side, [rule]))
            else:
                same.append(rule)
        return found

    def look_at(self, start: int, end: int) -> None:
        """All have the same holes."""
        self._start = start
        parts = [(_bytes_of(side, _rows_of(side, start, end)), rules) for side, rules in self._alike]
        self._read = {rule: part for part, rules in parts for rule in rules}
        self._agree = all(np.array_equal(part, parts[0][0]) for part, _ in parts[1:])

    def of(self, start: int, end: int) -> dict[bytes, tuple[str, ...]]:
        """The policies by what is read under them."""
        part = slice(start - self._start, end - self._start)
        if self._agree:
            return {next(iter(self._read.values()))[part].tobytes(): tuple(POLICIES)}
        policies: dict[bytes, tuple[str, ...]] = {}
        for policy, rule in POLICIES.items():
            version = self._read[rule][part].tobytes()
            policies[version] = (*policies.get(version, ()), policy)
        return policies


class _Told:
    """What has been told of late, not to be told again; in bounded memory."""

    def __init__(self) -> None:
        self._now: set[int] = set()
        self._before: set[int] = set()

    def again(self, offset: int, version: bytes) -> bool:
        key = hash((offset, version))
        if key in self._now or key in self._before:
            return True
        self._now.add(key)
        if len(self._now) >= SEEN:
            self._before, self._now = self._now, set()
        return False
