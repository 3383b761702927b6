"""Runs the compiled stages over a capture given as bytes."""
from __future__ import annotations

import io

import numpy as np

from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flows import FlowTable

SEED = bytes(range(24))


def run_flows(capture: bytes, *, frames: int = 64, table: FlowTable | None = None):
    """Rows of every batch joined, and the table of streams."""
    reader, decoder, batch = Reader(io.BytesIO(capture)), Decoder(), Batch(frames)
    table = FlowTable(seed=SEED) if table is None else table
    rows = []
    while reader.next(batch):
        decoder.process(batch)
        table.process(batch)
        rows.append(batch.array)
    return np.concatenate(rows) if rows else batch.array, table
