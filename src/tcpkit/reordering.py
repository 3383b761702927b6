"""The reordering table: the reorder density (RFC 5236) of each sender whose segments did not come in order."""
from __future__ import annotations

import numpy as np

from tcpkit.directed import ends, join, pick, ratio
from tcpkit.reordering_columns import REORDERING
from tcpkit.table import Table
from tcpkit.values import Array

STEPS = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 8), (9, 16), (17, 32), (33, 64))      # places
FIELDS = (*(f"early{step}_" for step in range(8, 0, -1)), *(f"late{step}_" for step in range(1, 9)))
PLACES = np.array([*((-least, -most) for least, most in reversed(STEPS)), (0, 0), *STEPS], np.int64)
UNPLACED = ("retransmissions", "duplicates", "probes", "undetermined", "too_late")


def reordering_table(records: Array, verdicts: Array) -> Table:
    """``records`` are those of FlowTable, ``verdicts`` those of Verdicts for the same streams."""
    first, second = (_density_rows(records, verdicts, direction) for direction in (0, 1))
    rows = np.concatenate([first, second])
    return Table(rows[np.lexsort((rows["displacement"], rows["direction"], rows["stream"]))], REORDERING)


def _density_rows(records: Array, verdicts: Array, direction: int) -> Array:
    """One for each displacement that occurs, 0 too, of those streams where another occurs."""
    counts = np.stack([pick(verdicts, direction, field) for field in FIELDS], axis=1).astype(np.int64)
    too_late = pick(verdicts, direction, "too_late")
    affected = counts.any(axis=1) | (too_late > 0)
    records, verdicts, counts, too_late = records[affected], verdicts[affected], counts[affected], too_late[affected]
    placed = pick(verdicts, direction, "segments").astype(np.int64)
    for field in UNPLACED:
        placed -= pick(verdicts, direction, field)
    counts = np.insert(counts, len(STEPS), placed - counts.sum(axis=1), axis=1)
    at, place = np.nonzero(counts)
    chosen, segments = records[at], counts[at, place]
    fields = {"stream": chosen["stream"], "ip_version": chosen["ip_version"],
              "direction": np.full(len(at), direction, np.uint8),
              "sender": (chosen["client"] != direction).view(np.uint8),
              "displacement": PLACES[place, 0], "at_most": PLACES[place, 1], "segments": segments.astype(np.uint32),
              "density": ratio(segments, placed[at]), "too_late": too_late[at]}
    return join(fields | ends(chosen, direction, ("src", "dst")))
