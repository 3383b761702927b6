"""Half-open connections over time, by server and port, in bounded memory."""
from __future__ import annotations

import numpy as np

from tcpkit.tally import first_of_runs, mixed
from tcpkit.values import Array

SERVICE = ("server_hi", "server_lo", "server_port", "ip_version")
HALF_OPEN_FIELDS = (*SERVICE, "begun", "completed", "failed")
COUNTS = ("begun", "completed", "failed", "left", "again")
SHORTEST = 125_000_000           # ns of a step
STEPS = 1024                     # of a service at most; then they become twice as long
ROW = np.dtype([("key", np.uint64), ("server_hi", np.uint64), ("server_lo", np.uint64), ("step", np.int64),
                *((name, np.int64) for name in COUNTS), ("server_port", np.uint16), ("ip_version", np.uint8)])


class HalfOpen:
    """For each service and step of time: how many handshakes began and ended then, and how.

    ``left`` of those begun were never answered to the end, ``again`` of them although the SYN was repeated.
    Of more than ``most`` rows, the services with the fewest attempts are dropped.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.width = SHORTEST
        self.rows = np.empty(0, ROW)

    def add(self, attempts: Array) -> None:
        """A piece of them, in any order."""
        if not len(attempts):
            return
        ended = attempts[attempts["end_ns"] != 0]
        begun_rows, ended_rows = self._rows(attempts, "start_ns"), self._rows(ended, "end_ns")
        begun_rows["begun"] = 1
        begun_rows["left"] = attempts["open"]
        begun_rows["again"] = attempts["open"] * attempts["again"]
        ended_rows["completed"] = ended["completed"]
        ended_rows["failed"] = 1 - ended["completed"]
        self.rows = self._reduced(np.concatenate([self.rows, begun_rows, ended_rows]))
        while len(self.rows) and np.ptp(self.rows["step"]) >= STEPS:
            self.width *= 2
            self.rows["step"] //= 2
            self.rows = self._reduced(self.rows)
        self._bound()

    def totals(self) -> Array:
        """How many are half-open at the end of each row's step: what began by then and has not ended."""
        change = self.rows["begun"] - self.rows["completed"] - self.rows["failed"]
        starts = first_of_runs(self.rows["key"])
        total = np.cumsum(change)
        before = np.concatenate(([0], total))[starts]
        under_way: Array = total - np.repeat(before, np.diff(starts, append=len(total)))
        return under_way

    def _rows(self, attempts: Array, time: str) -> Array:
        rows = np.zeros(len(attempts), ROW)
        rows["key"] = mixed(attempts, SERVICE)
        rows["step"] = attempts[time] // self.width
        for name in SERVICE:
            rows[name] = attempts[name]
        return rows

    def _reduced(self, rows: Array) -> Array:
        rows = rows[np.lexsort((rows["step"], rows["key"]))]
        starts = first_of_runs(rows["key"], rows["step"])
        out = rows[starts]
        for name in COUNTS:
            out[name] = np.add.reduceat(rows[name], starts)
        return out

    def _bound(self) -> None:
        if len(self.rows) <= self._most:
            return
        starts = first_of_runs(self.rows["key"])
        lengths = np.diff(starts, append=len(self.rows))
        order = np.argsort(-np.add.reduceat(self.rows["begun"], starts), kind="stable")
        kept = np.zeros(len(starts), bool)
        kept[order[np.cumsum(lengths[order]) <= self._most // 2]] = True
        self.rows = self.rows[np.repeat(kept, lengths)]
