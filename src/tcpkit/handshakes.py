"""The handshakes table: how each connection was set up, and what was agreed."""
from __future__ import annotations

import numpy as np

from tcpcore.flags import Offer, Outcome
from tcpkit.columns import ENDS
from tcpkit.directed import ends, join
from tcpkit.handshake_columns import HANDSHAKES
from tcpkit.table import Table
from tcpkit.values import Array

NEEDS_BOTH = Offer.OFFER_WINDOW_SCALE | Offer.OFFER_SACK | Offer.OFFER_TIMESTAMPS | Offer.OFFER_ECN
BACKOFFS = ("syn_backoff_first", "syn_backoff_last", "synack_backoff_first", "synack_backoff_last")


def handshake_table(flows: Array, lifecycle: Array) -> Table:
    """One row for each stream of which a SYN or SYN+ACK was captured; the two arrays speak of the same streams."""
    begun = lifecycle["handshake"] == 1
    flows, records = flows[begun], lifecycle[begun]
    fields = {"stream": flows["stream"], "ip_version": flows["ip_version"], "outcome": records["outcome"]}
    fields |= ends(flows, flows["client"], ENDS)
    for name in ("syn", "synack"):
        fields[f"{name}_retransmissions"] = np.maximum(records[f"{name}_count"], 1) - 1
    known = _times(records) | _offers(records) | _sizes(records)
    for name, (values, there) in known.items():
        fields[name], fields[f"{name}_known"] = np.where(there, values, 0), there.view(np.uint8)
    return Table(join(fields), HANDSHAKES)


def _times(records: Array) -> dict[str, tuple[Array, Array]]:
    """Values, and where there are any.

    Nothing is measured from a SYN or SYN+ACK that was captured behind its answer, or whose answer echoes another.
    """
    syn, synack, ack = (records[f"{name}_ns"] for name in ("syn", "synack", "ack"))
    request, response = records["request_ns"], records["response_ns"]
    asked, told = records["syn_sent_ns"], records["synack_sent_ns"]
    server, client = synack - asked, ack - told
    known = records["syn_count"] > 0             # a capture may begin at time 0
    measured = (asked != 0) | ((syn == 0) & (records["syn_count"] == 1))
    answered, begun = known & measured & (synack != 0), known & (ack != 0) & (ack >= syn)
    acknowledged = (told != 0) & (ack != 0) & (records["outcome"] != Outcome.OUTCOME_SIMULTANEOUS)
    return {
        "syn": (syn, known), "synack": (synack, synack != 0), "ack": (ack, ack != 0),
        "server_rtt": (server, answered), "client_rtt": (client, acknowledged),
        "initial_rtt": (server + client, answered & acknowledged), "setup_time": (ack - syn, begun),
        "request_time": (request - ack, (request >= ack) & (ack != 0)),
        "response_time": (response - request, response != 0),
        **{name: (records[name], records[f"{name.partition('_')[0]}_count"] > 1) for name in BACKOFFS}}


def _sizes(records: Array) -> dict[str, tuple[Array, Array]]:
    columns = {"largest": "largest", "largest_datagram": "datagram", "fragments": "fragments"}
    return {f"{name}_{end}": (records[f"{end}_{field}"], records[f"{end}_{field}"] > 0)
            for name, field in columns.items() for end in ENDS}


def _offers(records: Array) -> dict[str, tuple[Array, Array]]:
    seen = {"client": records["syn_count"] > 0, "server": records["synack_count"] > 0}
    offers = {end: records[f"{end}_offers"] for end in ENDS}
    fields = {}
    for end in ENDS:
        fields[f"offers_{end}"] = offers[end], seen[end]
        fields[f"mss_{end}"] = records[f"{end}_mss"], offers[end] & Offer.OFFER_MSS != 0
        fields[f"wscale_{end}"] = records[f"{end}_wscale"], offers[end] & Offer.OFFER_WINDOW_SCALE != 0
    both = (offers["client"] & offers["server"] & Offer.OFFER_MSS) != 0
    fields["mss"] = np.minimum(records["client_mss"], records["server_mss"]), both
    # A SYN+ACK only answers what the SYN offers (RFC 7323 section 1.3, RFC 2018 section 2), so it tells both.
    asked = np.where(seen["client"], offers["client"], NEEDS_BOTH)
    fields["agreed"] = asked & offers["server"] & NEEDS_BOTH, seen["server"]
    return fields
