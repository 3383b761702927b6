"""The flows table, from what the stages hold of each stream."""
from __future__ import annotations

import numpy as np

from tcpkit.columns import ENDS
from tcpkit.directed import ends, join, pick, ratio, sent
from tcpkit.endings import lifecycle_fields
from tcpkit.flow_columns import FLOWS
from tcpkit.table import Table
from tcpkit.trackers import StreamRecords
from tcpkit.values import Array
from tcpkit.verdict_figures import verdict_figures

SHARED = ("stream", "quoted", "first_ns", "earliest_ns", "latest_ns", "first_frame", "conversation_frame",
          "ip_version", "client_evidence", "evicted")


def flow_table(streams: StreamRecords) -> Table:
    """One row for each stream, with the columns of the stages that were run."""
    records = streams.flows
    fields = {name: records[name] for name in SHARED}
    client = records["client"]
    fields |= ends(records, client, ENDS)
    for figure in ("packets", "wire_bytes", "payload_bytes"):
        fields |= sent(records, client, figure, (f"{figure}_client", f"{figure}_server"))
    fields["duration"] = records["latest_ns"] - records["earliest_ns"]
    if streams.analysis is not None:
        fields |= _trouble(streams.analysis, records, client)
    if streams.lifecycle is not None:
        fields |= lifecycle_fields(streams.lifecycle)
    if streams.verdicts is not None:
        for end, direction in (("client", client), ("server", 1 - client)):
            figures = verdict_figures(streams.verdicts, direction)
            fields |= {f"{name}_{end}": values for name, values in figures.items()}
    return Table(join(fields), FLOWS)


def latest_times(records: Array) -> Array:
    """Of each stream's last frame; of one without conversation frames, whose times are 0, of its first."""
    without = (records["earliest_ns"] == 0) & (records["latest_ns"] == 0)
    latest: Array = np.maximum(np.where(without, records["first_ns"], records["latest_ns"]), records["first_ns"])
    return latest


def mean_round_trip(analysis: Array, direction: Array | int) -> Array:
    """Of the data that the direction sends, in ns; 0 without samples."""
    samples = pick(analysis, direction, "rtt_samples")
    return np.rint(ratio(pick(analysis, direction, "rtt_sum"), samples)).astype(np.int64)


def needed_retransmissions(analysis: Array, direction: Array | int) -> Array:
    """Those not spurious: an estimate of how many segments were lost."""
    return pick(analysis, direction, "retransmissions") - pick(analysis, direction, "spurious_retransmissions")


def _trouble(analysis: Array, records: Array, client: Array) -> dict[str, Array]:
    """What the analysis adds to a flow."""
    fields = {"initial_rtt": analysis["initial_rtt"], "completeness": analysis["completeness"],
              "initial_rtt_known": (analysis["initial_rtt"] != 0).view(np.uint8)}
    for end, direction in (("client", client), ("server", 1 - client)):
        packets = pick(records, direction, "packets")
        for figure in ("retransmissions", "rtt_samples", "rtt_min"):
            fields[f"{figure}_{end}"] = pick(analysis, direction, figure)
        fields[f"rtt_mean_{end}"] = mean_round_trip(analysis, direction)
        fields[f"loss_rate_{end}"] = ratio(needed_retransmissions(analysis, direction), packets)
    return fields
