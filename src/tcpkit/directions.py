"""The directions table: two rows for each stream, what either end sent and how it fared."""
from __future__ import annotations

import numpy as np

from tcpkit.directed import ends, join, pick, ratio
from tcpkit.direction_columns import COUNTS, DIRECTIONS, rate_of
from tcpkit.flows import mean_round_trip, needed_retransmissions
from tcpkit.table import Table
from tcpkit.values import Array
from tcpkit.verdict_figures import verdict_figures

FIGURES = ("rtt_samples", "rtt_min", "rtt_median", "rtt_max", "max_in_flight", "zero_window_ns")


def direction_table(records: Array, analysis: Array, verdicts: Array | None = None) -> Table:
    """``records`` are those of FlowTable, the others those of Analysis and Verdicts for the same streams."""
    first, second = (_direction_rows(records, analysis, verdicts, direction) for direction in (0, 1))
    rows = np.zeros(2 * len(records), first.dtype)
    rows[0::2], rows[1::2] = first, second
    return Table(rows, DIRECTIONS)


def _direction_rows(records: Array, analysis: Array, verdicts: Array | None, direction: int) -> Array:
    packets = pick(records, direction, "packets")
    fields = {"stream": records["stream"], "ip_version": records["ip_version"], "packets": packets,
              "direction": np.full(len(records), direction, np.uint8),
              "sender": (records["client"] != direction).view(np.uint8),
              "payload_bytes": pick(records, direction, "payload_bytes"),
              "loss_rate": ratio(needed_retransmissions(analysis, direction), packets)}
    fields |= ends(records, direction, ("src", "dst"))
    for name, _ in COUNTS:
        fields[name] = pick(analysis, direction, name)
        fields[rate_of(name)] = ratio(fields[name], packets)
    fields |= {name: pick(analysis, direction, name) for name in FIGURES}
    fields["rtt_mean"] = mean_round_trip(analysis, direction)
    variance = ratio(pick(analysis, direction, "rtt_squares"), fields["rtt_samples"].astype(np.float64) - 1)
    fields["rtt_deviation"] = np.rint(np.sqrt(variance)).astype(np.int64)
    if verdicts is not None:
        fields |= verdict_figures(verdicts, direction)
    return join(fields)
