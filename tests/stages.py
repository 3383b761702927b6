"""Runs the compiled stages over a capture given as bytes."""
from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from packets import T0, Frame, pcap
from tcpcore.analysis import Analysis
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flows import FlowTable
from tcpcore.records import TUNNEL
from tcpcore.verdicts import Verdicts

SEED = bytes(range(24))
IN_ARENA = 1 << 63


@dataclass
class Decoded:
    """What decoding made of some frames; ``payloads`` are the captured bytes each row points to."""

    rows: np.ndarray
    statuses: list[int]
    tunnels: list[np.void]
    payloads: list[bytes]
    decoder: Decoder


def run_decode(frames, *, link_type: int = 1, size: int = 64) -> Decoded:
    """Decode ``frames``: each its bytes, or a packets.Frame if its time or length on the wire matter."""
    whole = [frame if isinstance(frame, Frame) else Frame(T0 + i, frame, len(frame)) for i, frame in enumerate(frames)]
    reader, batch = Reader(io.BytesIO(pcap(whole, link_type=link_type, nano=True))), Batch(size)
    done = Decoded(np.empty(0, batch.dtype), [], [], [], Decoder())
    while reader.next(batch):
        done.decoder.process(batch)
        rows, tunnels, data, arena = batch.array, batch.tunnel_array, batch.data_bytes, batch.arena_bytes
        for row in rows:
            at, joined = int(row["payload_offset"]) & ~IN_ARENA, int(row["payload_offset"]) & IN_ARENA
            held, start = (arena, 0) if joined else (data, batch.data_offset)
            done.payloads.append(held[at - start:][:row["payload_captured"]])
            done.tunnels.append(tunnels[row["tunnel"] - 1] if row["tunnel"] else np.zeros(1, TUNNEL)[0])
        done.rows = np.concatenate([done.rows, rows])
        done.statuses += batch.frame_array["status"].tolist()
    return done


def process_all_but(capture: bytes, stage, batch: Batch, n: int):
    """Let ``stage`` have all before batch ``n``, which is left in ``batch`` for it."""
    reader, decoder, flows = Reader(io.BytesIO(capture)), Decoder(), FlowTable(seed=SEED)
    for _ in range(n):
        stage.process(batch)
        assert reader.next(batch)
        decoder.process(batch)
        flows.process(batch)


def run_flows(capture: bytes, *, frames: int = 64, table: FlowTable | None = None, analysis: Analysis | None = None):
    """Rows of every batch joined, and the table of streams; with ``analysis`` the rows have its part."""
    reader, decoder, batch = Reader(io.BytesIO(capture)), Decoder(), Batch(frames, analysis=analysis is not None)
    table = FlowTable(seed=SEED) if table is None else table
    rows = []
    while reader.next(batch):
        decoder.process(batch)
        table.process(batch)
        if analysis is not None:
            analysis.process(batch)
        rows.append(batch.array)
    return np.concatenate(rows) if rows else batch.array, table


def run_analysis(capture: bytes, *, frames: int = 64):
    """Rows of every batch joined, with the analysis part, and the FLOW_ANALYSIS records of the streams."""
    analysis = Analysis(summary=True)
    rows, table = run_flows(capture, frames=frames, analysis=analysis)
    return rows, analysis.records(table)


def judged_batches(capture: bytes, size: int) -> Iterator[Batch]:
    """The one batch again and again, with the first verdicts on the next ``size`` frames."""
    reader, decoder, batch = Reader(io.BytesIO(capture)), Decoder(), Batch(size, verdicts=True)
    flows, verdicts = FlowTable(seed=SEED), Verdicts()
    while reader.next(batch):
        decoder.process(batch)
        flows.process(batch)
        verdicts.process(batch)
        yield batch
