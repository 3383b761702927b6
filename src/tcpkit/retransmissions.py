"""Segments sent again, one by one, from the rows of the analysis and verdict stages."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tcpcore.flags import Finding, SegmentKind
from tcpcore.records import VERDICT
from tcpkit.corrections import AMENDED, Corrections, amend
from tcpkit.pipeline import Pipeline
from tcpkit.retransmission_columns import RETRANSMISSIONS
from tcpkit.settling import settle
from tcpkit.table import Table
from tcpkit.values import Array
from tcpkit.waiting import WaitingRows

AT_ONCE = 1 << 16                # corrections that wait for others
STEP = 1 << 12                   # rows that are looked through for those of one go
LAST = (1 << 64) - 1             # frame

COPIED = ("time_ns", "frame", "src_hi", "src_lo", "dst_hi", "dst_lo", "stream", "seq", "payload_len", "src_port",
          "dst_port", "flags", "direction", "ip_version")
# By their numbers among KINDS; the last that holds counts: a fast or spurious one is a retransmission too (RT-8).
TSHARK_KINDS = ((1, Finding.RETRANSMISSION), (2, Finding.FAST_RETRANSMISSION), (3, Finding.SPURIOUS_RETRANSMISSION),
                (4, Finding.OUT_OF_ORDER))


def retransmission_pieces(pipeline: Pipeline) -> Iterator[Table]:
    """One row for each segment of the pass that was sent again, as tshark or its verdict has it; at least one piece.

    The pass, which goes through the analysis and the verdicts, is made before the first: any segment may change what
    is said of one long before.
    """
    dtype = _row_type(pipeline.batch.dtype)
    late = Corrections()
    with WaitingRows(dtype) as waiting:
        rows = Correctable(waiting)
        for piece in settle(pipeline, late):
            rows.append(_pick(piece.rows, dtype))
            if len(late) >= AT_ONCE:
                rows.amend(*late.taken(int(piece.rows["frame"][-1])))
        rows.amend(*late.taken(LAST))
        for array in waiting.pieces():
            yield Table(array, RETRANSMISSIONS, start_ns=pipeline.start_ns)


class Correctable:
    """Rows that wait, in the order of their frames."""

    def __init__(self, rows: WaitingRows) -> None:
        self._rows = rows
        self._firsts: list[int] = []             # frames of the first row and every STEP-th after it

    def append(self, rows: Array) -> None:
        self._firsts += rows["frame"][-len(self._rows) % STEP::STEP].tolist()
        self._rows.append(rows)

    def amend(self, frames: Array, verdicts: Array) -> None:
        """Of several verdicts on one the last counts."""
        steps = np.searchsorted(np.array(self._firsts, np.uint64), frames, "right") - 1
        for step in np.unique(steps[steps >= 0]).tolist():
            rows, chosen = self._rows.read(step * STEP, STEP), steps == step
            amend(rows, frames[chosen], verdicts[chosen])
            self._rows.write(step * STEP, rows)


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
