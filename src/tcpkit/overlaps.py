"""Copies of the same bytes that differ: what one host reads there, another may not."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tcpkit.columns import ENDS
from tcpkit.policies import POLICIES
from tcpkit.streams import Side, Streams
from tcpkit.values import Array


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


def differences(streams: Streams) -> Iterator[Difference]:
    """Every place where a later or losing copy differs from what is read."""
    for stream in streams:
        for name in ENDS:
            if _overlaps(getattr(stream, name).segments):
                yield from _of_side(streams, stream.number, name)


def _overlaps(segments: Array) -> bool:
    """Whether two segments share a byte; quick, since most sides have none that do."""
    starts, ends = segments["offset"], segments["offset"] + segments["captured"]
    order = np.argsort(starts, kind="stable")
    return bool((np.maximum.accumulate(ends[order])[:-1] > starts[order][1:]).any()) if len(segments) > 1 else False


def _of_side(streams: Streams, number: int, name: str) -> Iterator[Difference]:
    side: Side = getattr(streams[number], name)
    seen: set[tuple[int, bytes]] = set()
    by_rule = {rule: getattr(streams.with_policy(policy)[number], name)
               for policy, rule in reversed(POLICIES.items())}
    for segment in side.segments:
        for offset, kept, other, frame in _differing(side, segment):
            if (offset, other) not in seen:
                seen.add((offset, other))
                policies: dict[bytes, tuple[str, ...]] = {}
                for policy, rule in POLICIES.items():
                    version = by_rule[rule].read(offset, len(kept))      # all have the same holes
                    policies[version] = (*policies.get(version, ()), policy)
                yield Difference(number, name, offset, kept, other, frame, int(segment["frame"]), policies)


def _differing(side: Side, segment: Array) -> Iterator[tuple[int, bytes, bytes, int]]:
    """(offset, kept bytes, the segment's bytes, frame of the kept ones), one for each frame that won them."""
    start = max(int(segment["offset"]), 0)
    theirs = memoryview(side.payload(segment))[start - int(segment["offset"]):]
    for frame, offset, length in side.frames_of(start, len(theirs)):
        if frame is None or frame == segment["frame"]:
            continue
        kept, other = side.read(offset, length), bytes(theirs[offset - start:offset - start + length])
        if kept != other:
            places = np.flatnonzero(np.frombuffer(kept, np.uint8) != np.frombuffer(other, np.uint8))
            first, last = int(places[0]), int(places[-1]) + 1
            yield offset + first, kept[first:last], other[first:last], frame
