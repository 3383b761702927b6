"""What the verdicts add up to for one end of a connection: loss, reordering, duplication, recovery."""
from __future__ import annotations

from tcpkit.directed import pick, ratio
from tcpkit.values import Array

# What the verdicts add up to: column, field of FLOW_VERDICT, meaning.
VERDICT_COUNTS = (
    ("judged_segments", "segments", "segments that take sequence space, and probes"),
    ("sent_again", "retransmissions", "retransmissions, by their verdicts"),
    ("sent_needlessly", "needless", "of these: all of it had arrived"),
    ("lost_before_capture", "lost_before", "of these: the original was lost before the capture point"),
    ("lost_after_capture", "lost_after", "of these: it was lost after the capture point"),
    ("sent_fast", "fast", "of these: prompted by SACK or duplicate ACKs"),
    ("timeouts", "timeouts", "of these: in answer to a timeout"),
    ("tail_loss_probes", "tail_probes", "of these: tail loss probes"),
    ("recoveries", "recoveries", "loss events: recoveries begun"),
    ("reordered", "reordered", "segments overtaken on the path"),
    ("reordering_extent", "reorder_extent", "most later segments that came before one of them (RFC 4737 section 4.2)"),
    ("network_duplicates", "duplicates", "copies made by the path"),
    ("probes", "probes", "keep-alives and window probes"),
)
VERDICT_TIMES = (
    ("reordering_delay", "reorder_ns", "longest time a segment came after one that overtook it (RFC 4737 section 4.3)"),
    ("recovery_time", "recovery_ns", "spent in recoveries that ended"),
    ("timeout_time", "timeout_ns", "spent in recoveries from a timeout"),
)
VERDICT_RATES = (
    ("true_loss_rate", "segments sent again, and not needlessly, over all"),
    ("needless_share", "needless retransmissions over all"),
    ("reordered_rate", "reordered segments over all"),
    ("duplicated_rate", "copies made by the path over all"),
)
VERDICT_FIELDS = {name: field for name, field, _ in (*VERDICT_COUNTS, *VERDICT_TIMES)}


def verdict_figures(verdicts: Array, direction: Array | int) -> dict[str, Array]:
    """What really happened to the segments of the given direction, from FLOW_VERDICT rows."""
    fields = {name: pick(verdicts, direction, field) for name, field in VERDICT_FIELDS.items()}
    segments, again = fields["judged_segments"], fields["sent_again"]
    needless = fields["sent_needlessly"]
    return fields | {"true_loss_rate": ratio(again - needless, segments), "needless_share": ratio(needless, again),
                     "reordered_rate": ratio(fields["reordered"], segments),
                     "duplicated_rate": ratio(fields["network_duplicates"], segments)}
