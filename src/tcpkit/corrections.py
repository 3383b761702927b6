"""The corrections table: verdicts on rows given out before that later segments have changed."""
from __future__ import annotations

import numpy as np

from tcpcore.records import VERDICT
from tcpkit.columns import Schema, number
from tcpkit.table import Table
from tcpkit.values import Array
from tcpkit.verdict_columns import VERDICT_COLUMNS

CORRECTIONS = Schema("corrections", (number("frame", "frame.number", "frame", "number of the frame it is about"),
                                     *VERDICT_COLUMNS), ("frame", "verdict_text"))
ROW = np.dtype([*((name, VERDICT[name]) for name in VERDICT.names or ()), ("frame", np.uint64)], align=True)


def correction_table(frames: Array, verdicts: Array) -> Table:
    """In the order of their making: of several for a frame the last one counts."""
    rows = np.zeros(len(frames), ROW)
    rows["frame"] = frames
    for name in VERDICT.names or ():
        rows[name] = verdicts[name]
    return Table(rows, CORRECTIONS)
