"""A capture in parts that are read apart, such as the files of a rotated set on several machines, and joined again."""
from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tcpcore.batch import Batch
from tcpcore.flow_merge import FlowMerger
from tcpcore.flows import SLOT_BYTES, FlowTable
from tcpkit.budget import LIMIT, checked, max_flows
from tcpkit.conversations import conversation_table
from tcpkit.flows import flow_table
from tcpkit.pipeline import FrameReader, Pipeline
from tcpkit.rotated import open_reader
from tcpkit.table import Table
from tcpkit.trackers import StreamRecords
from tcpkit.values import Array

TABLES = ("flows", "conversations")


class Part(NamedTuple):
    """What one part tells of its streams, and what it takes to join it to the others."""

    records: Array               # FLOW rows, of pieces of streams where the parts before decide
    n_frames: int
    first_ns: int                # time of the first frame
    latest_ns: int               # of any frame
    open_datagrams: int          # of which the next part may have the missing fragments
    warnings: list[str]


class PartPass(Pipeline):
    """A pass over one part, in which streams are told apart as far as that is possible without the parts before.

    What a stream does after it has given up its place to others is another piece, joined as those across a seam.
    """

    def __init__(self, reader: FrameReader, capture_filter: str, memory_limit: int) -> None:
        super().__init__(reader, ("flows",), capture_filter=capture_filter, rows=False, detail="all",
                         payload=False)
        self._trackers.flows = FlowTable(pieces=True, max_flows=max_flows(checked(memory_limit), SLOT_BYTES))
        self.n_frames = 0
        self.latest_ns = 0

    def part(self) -> Part:
        records = np.concatenate([piece.flows for piece in self.stream_pieces()])
        records = records[np.argsort(records["first_frame"])]
        return Part(records, self.n_frames, self.start_ns, self.latest_ns,
                    self._decoder.fragments.incomplete, [str(warning) for warning in self.warnings])

    def _read(self, batch: Batch) -> bool:
        more = super()._read(batch)
        if more and batch.n_frames:
            latest = int(batch.frame_array["time_ns"].max())
            self.latest_ns = max(self.latest_ns, latest) if self.n_frames else latest
            self.n_frames += batch.n_frames
        return more


def read_part(source: Any, capture_filter: str = "", memory_limit: int = LIMIT) -> Part:
    """``memory_limit``: bytes, for all but the records.  CaptureError if ``source`` is no capture."""
    return PartPass(open_reader(source), capture_filter, memory_limit).part()


def join_parts(parts: Sequence[Part], table: str) -> Table | None:
    """The table of all parts, in whatever order they are given: what one pass over them in order of time tells.

    None if that cannot be told from the parts: they overlap in time, or a fragmented datagram may lie across a seam.
    """
    ordered = sorted((part for part in parts if part.n_frames), key=lambda part: part.first_ns)
    if any(one.latest_ns > following.first_ns or one.open_datagrams for one, following in pairwise(ordered)):
        return None
    merger, n_frames = FlowMerger(), 0
    for part in ordered:
        merger.add(part.records, n_frames)
        n_frames += part.n_frames
    records = merger.records()
    if table == "flows":
        return flow_table(StreamRecords(records))
    return conversation_table(records, ordered[0].first_ns if ordered else 0)
