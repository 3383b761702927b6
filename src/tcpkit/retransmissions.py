"""Segments sent again, one by one, from the rows of the analysis and verdict stages."""
from __future__ import annotations

import numpy as np

from tcpcore.flags import Finding, SegmentKind
from tcpcore.records import VERDICT
from tcpkit.corrections import AMENDED, Corrections
from tcpkit.pipeline import Pipeline
from tcpkit.retransmission_columns import RETRANSMISSIONS
from tcpkit.settling import settle
from tcpkit.table import Table
from tcpkit.values import Array, stacked

COPIED = ("time_ns", "frame", "src_hi", "src_lo", "dst_hi", "dst_lo", "stream", "seq", "payload_len", "src_port",
          "dst_port", "flags", "direction", "ip_version")
# By their numbers among KINDS; the last that holds counts: a fast or spurious one is a retransmission too (RT-8).
TSHARK_KINDS = ((1, Finding.RETRANSMISSION), (2, Finding.FAST_RETRANSMISSION), (3, Finding.SPURIOUS_RETRANSMISSION),
                (4, Finding.OUT_OF_ORDER))


def retransmission_table(pipeline: Pipeline) -> Table:
    """One row for each segment of the pass that was sent again, as tshark or its verdict has it; runs the pass.

    The pass goes through the analysis and the verdicts.
    """
    dtype = _row_type(pipeline.batch.dtype)
    parts, corrections = [np.empty(0, dtype)], Corrections()
    for piece in settle(corrections.collected(pipeline)):
        parts.append(_pick(piece.rows, dtype))
    rows = stacked(parts)
    corrections.apply(rows)
    return Table(rows, RETRANSMISSIONS, start_ns=pipeline.start_ns)


def _row_type(source: np.dtype[np.void]) -> np.dtype[np.void]:
    """The fields of VERDICT as they lie there, then the others, the widest first."""
    fields = [(name, VERDICT[name]) for name in VERDICT.names or ()]
    fields += sorted(((name, source[name]) for name in COPIED), key=lambda field: -field[1].itemsize)
    return np.dtype([*fields, ("tshark_kind", np.dtype(np.uint8))], align=True)


def _pick(rows: Array, dtype: np.dtype[np.void]) -> Array:
    marked, judged = rows["findings"] & Finding.RETRANSMISSION != 0, rows["kind"] == SegmentKind.KIND_RETRANSMISSION
    chosen = rows[marked | judged]
    out = np.zeros(len(chosen), dtype)
    for name in (*COPIED, *AMENDED):
        out[name] = chosen[name]
    for kind, finding in TSHARK_KINDS:
        out["tshark_kind"][chosen["findings"] & finding != 0] = kind
    return out
