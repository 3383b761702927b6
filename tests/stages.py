"""Runs the compiled stages over a capture given as bytes."""
from __future__ import annotations

import io

import numpy as np

from tcpcore.analysis import Analysis
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flows import FlowTable

SEED = bytes(range(24))


def run_flows(capture: bytes, *, frames: int = 64, table: FlowTable | None = None, analysis: Analysis | None = None):
    """Rows of every batch joined, and the table of streams; with ``analysis`` the rows have its part."""
    reader, decoder, batch = Reader(io.BytesIO(capture)), Decoder(), Batch(frames, analysis=analysis is not None)
    table = FlowTable(seed=SEED) if table is None else table
    rows = []
    while reader.next(batch):
        decoder.process(batch)
        table.process(batch)
        if analysis is not None:
            analysis.process(batch, table)
        rows.append(batch.array)
    return np.concatenate(rows) if rows else batch.array, table


def run_analysis(capture: bytes, *, frames: int = 64):
    """Rows of every batch joined, with the analysis part, and the FLOW_ANALYSIS records of the streams."""
    analysis = Analysis(summary=True)
    rows, table = run_flows(capture, frames=frames, analysis=analysis)
    return rows, analysis.records(table)
