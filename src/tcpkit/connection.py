"""All segments of one connection, with what the whole capture tells of them."""
from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcpkit.corrections import Corrections
from tcpkit.flows import flow_table
from tcpkit.rows import RowStore
from tcpkit.trackers import StreamRecords
from tcpkit.values import Array

if TYPE_CHECKING:
    from tcpkit.capture import Capture

LAST = (1 << 32) - 1             # stream that a filter may ask for


class Connection(NamedTuple):
    """``rows`` have the final verdicts, ``flow`` is its row of the flows table, ``client`` the client's direction."""

    rows: Array
    flow: dict[str, Any]
    client: int


def read_connection(capture: Capture, stream: int) -> Connection:
    """One pass; beside the pass itself, memory grows with the stream's segments.  IndexError without such a stream."""
    if stream > LAST:
        raise no_stream(stream)
    pipeline = capture.pipeline(("analysis", "lifecycle", "verdicts"), where=f"tcp.stream == {stream}", detail="all")
    store, corrections = RowStore(pipeline.batch.dtype), Corrections()
    records = []
    for batch in pipeline:
        store.append(batch)
        if batch.released is not None and stream in batch.released["flows"]["stream"]:
            records.append(StreamRecords(**batch.released))
        if batch.corrections:
            frames, verdicts, by = batch.corrections
            ours = np.isin(by, batch.array["frame"])         # a segment changes the verdicts on its own stream's only
            corrections.add(frames[ours], verdicts[ours])
    rows, _ = store.finish()
    corrections.apply(rows)
    for streams in chain(records, pipeline.stream_records()):
        at = np.flatnonzero(streams.flows["stream"] == stream)
        if len(at):
            flow = flow_table(streams._replace(verdicts=None))[int(at[0])]
            return Connection(rows, flow, int(streams.flows["client"][at[0]]))
    raise no_stream(stream)


def no_stream(stream: int) -> IndexError:
    return IndexError(f"there is no stream {stream}")
