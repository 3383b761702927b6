"""Segments sent again, one by one, from the rows of the analysis and verdict stages."""
from __future__ import annotations

import numpy as np

from tcpcore.flags import Finding
from tcpcore.records import VERDICT
from tcpkit.corrections import AMENDED, Corrections
from tcpkit.pipeline import Pipeline
from tcpkit.retransmission_columns import RETRANSMISSIONS
from tcpkit.table import Table
from tcpkit.values import Array, stacked

COPIED = ("time_ns", "frame", "src_hi", "src_lo", "dst_hi", "dst_lo", "stream", "seq", "payload_len", "src_port",
          "dst_port", "flags", "direction", "ip_version")
FIELDS = {"original": "original_frame", "delay": "since_original"}


def retransmission_table(pipeline: Pipeline) -> Table:
    """One row for each segment of the pass that repeats an earlier one; runs the pass."""
    dtype = _row_type(pipeline.batch.dtype, judged="verdicts" in pipeline.stages)
    parts, corrections = [np.empty(0, dtype)], Corrections()
    for batch in pipeline:
        parts.append(_pick(batch.array, dtype))
        corrections.collect(batch)
    rows = stacked(parts)
    corrections.apply(rows)
    return Table(rows, RETRANSMISSIONS, start_ns=pipeline.start_ns)


def _row_type(source: np.dtype[np.void], *, judged: bool) -> np.dtype[np.void]:
    """If they are judged, the fields of VERDICT as they lie there, then the others, the widest first."""
    fields = [(name, VERDICT[name]) for name in VERDICT.names or () if judged]
    others = [*((name, source[field]) for name, field in FIELDS.items()), *((name, source[name]) for name in COPIED)]
    fields += sorted(others, key=lambda field: -field[1].itemsize)
    return np.dtype([*fields, ("tshark_kind", np.dtype(np.uint8))], align=True)


def _pick(rows: Array, dtype: np.dtype[np.void]) -> Array:
    chosen = rows[(rows["findings"] & Finding.RETRANSMISSION) != 0]
    out = np.zeros(len(chosen), dtype)
    for name in (*COPIED, *(name for name in AMENDED if name in (dtype.names or ()))):
        out[name] = chosen[name]
    for name, field in FIELDS.items():
        out[name] = chosen[field]
    findings = chosen["findings"]
    fast = (findings & Finding.FAST_RETRANSMISSION) != 0
    out["tshark_kind"] = np.where(findings & Finding.SPURIOUS_RETRANSMISSION, 2, fast)
    return out
