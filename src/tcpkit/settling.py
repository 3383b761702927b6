"""Rows held back until what the following segments make of their verdicts is in them."""
from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tcpcore.batch import Batch
from tcpkit.corrections import Changes, Corrections, amend
from tcpkit.values import Array

WINDOW = 1 << 14                 # frames


class Piece(NamedTuple):
    """Rows, the TUNNEL rows they refer to, and what has been found out of the verdicts on these and earlier ones."""

    rows: Array
    tunnels: Array
    changes: Changes | None = None


def settle(batches: Iterable[Batch], late: Corrections | None = None) -> Iterator[Piece]:
    """The rows of ``batches`` with the verdicts that the next WINDOW frames leave them, wherever batches end.

    What changes them after that goes to ``late``.
    """
    held: deque[Piece] = deque()
    for batch in batches:
        if batch.n_rows:
            held.append(Piece(batch.array, batch.tunnel_array))
        if batch.corrections:
            frames, verdicts, by = batch.corrections
            near = by - frames <= WINDOW
            if near.any():
                for rows, *_ in held:
                    amend(rows, frames[near], verdicts[near])
            if late is not None and not near.all():
                late.add(frames[~near], verdicts[~near])
        while held and held[0].rows["frame"][-1] + WINDOW <= held[-1].rows["frame"][-1]:
            yield held.popleft()
    yield from held
