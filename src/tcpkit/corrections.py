"""Verdicts that later segments have changed: applied to rows, and as a table."""
from __future__ import annotations

import numpy as np

from tcpcore.batch import Batch
from tcpcore.records import VERDICT
from tcpkit.columns import Schema, number
from tcpkit.table import Table
from tcpkit.values import Array
from tcpkit.verdict_columns import VERDICT_COLUMNS

CORRECTIONS = Schema("corrections", (
    number("frame", "frame.number", "frame", "number of the frame it is about"),
    number("changed_by", "", "by", "number of the frame that has changed the verdict"),
    *VERDICT_COLUMNS), ("frame", "changed_by", "verdict_text"))
ROW = np.dtype([*((name, VERDICT[name]) for name in VERDICT.names or ()), ("frame", np.uint64), ("by", np.uint64)],
               align=True)
# Frames, VERDICT rows for them, and the frames that brought the changes.
Changes = tuple[Array, Array, Array]
AMENDED = tuple(name for name in VERDICT.names or () if name != "reserved")


def correction_table(changes: Changes) -> Table:
    """What a batch changes, in the order of its making: of several corrections of a frame the last one counts."""
    rows = np.zeros(len(changes[0]), ROW)
    rows["frame"], verdicts, rows["by"] = changes
    for name in VERDICT.names or ():
        rows[name] = verdicts[name]
    return Table(rows, CORRECTIONS)


def amend(rows: Array, frames: Array, verdicts: Array) -> None:
    """Correct ``rows``, which are in the order of their frames; of several verdicts on one the last counts."""
    latest_frames, latest = np.unique(frames[::-1], return_index=True)
    _, at, which = np.intersect1d(rows["frame"], latest_frames, assume_unique=True, return_indices=True)
    chosen = verdicts[::-1][latest[which]]
    for name in AMENDED:
        if rows.dtype.fields and name in rows.dtype.fields:
            rows[name][at] = chosen[name]


class Corrections:
    """What later segments make of the verdicts of a whole pass."""

    def __init__(self) -> None:
        self._frames = [np.empty(0, np.uint64)]
        self._rows: list[Array] = [np.empty(0, VERDICT)]

    def collect(self, batch: Batch) -> None:
        if batch.corrections:
            frames, rows, _ = batch.corrections
            self.add(frames, rows)

    def add(self, frames: Array, rows: Array) -> None:
        self._frames.append(frames)
        self._rows.append(rows)

    def __len__(self) -> int:
        return sum(map(len, self._frames))

    def apply(self, rows: Array) -> None:
        """Correct ``rows``, which are in the order of their frames."""
        amend(rows, np.concatenate(self._frames), np.concatenate(self._rows))

    def taken(self, last: int) -> tuple[Array, Array]:
        """What is known of frames up to this one, which is let go of."""
        frames, rows = np.concatenate(self._frames), np.concatenate(self._rows)
        ready = frames <= last
        self._frames, self._rows = [frames[~ready]], [rows[~ready]]
        return frames[ready], rows[ready]
