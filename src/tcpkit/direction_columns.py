"""The columns of the directions table: what each end of a connection sent, and how it fared."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import ENDS, Column, Schema, When, computed_by, end_address, number
from tcpkit.verdict_figures import VERDICT_COUNTS, VERDICT_RATES, VERDICT_TIMES

# What the analysis counts for each direction, in tshark's words, and what it means.
COUNTS = (
    ("retransmissions", "segments sent again, fast and spurious ones too (RT-8)"),
    ("fast_retransmissions", "sent again after duplicate ACKs (RT-4)"),
    ("spurious_retransmissions", "sent again though acknowledged (RT-3)"),
    ("out_of_order", "late segments, not sent again (RT-5)"),
    ("lost_segments", "times that something before a segment was missing (LS-1)"),
    ("ack_lost_segments", "acknowledgements of data never seen (AL-1)"),
    ("duplicate_acks", "duplicate ACKs (DA-1)"),
    ("zero_windows", "segments that say there is no room (ZW-1)"),
    ("zero_window_probes", "probes of the other end's closed window (ZW-2)"),
    ("zero_window_probe_acks", "answers to such probes (ZW-3)"),
    ("windows_full", "segments that fill the other end's window (WF-1)"),
    ("window_updates", "segments that only change the window (WU-1)"),
    ("keep_alives", "keep-alives (KA-1)"),
    ("keep_alive_acks", "answers to keep-alives (KA-2)"),
)
# Round trips of the data that the direction sends, after Karn's rule.
TIMES = (
    ("rtt_min", "shortest round trip"), ("rtt_median", "median of the round trips, within 1/32"),
    ("rtt_mean", "mean of the round trips"), ("rtt_max", "longest round trip"),
)
JUDGED_ANY = (When("judged_segments", 0xFFFFFFFF, 0, equal=False),)
SENT_ANY = (When("packets", 0xFFFFFFFF, 0, equal=False),)
SAMPLED = (When("rtt_samples", 0xFFFFFFFF, 0, equal=False),)
SAMPLED_TWICE = (When("rtt_samples", 0xFFFFFFFE, 0, equal=False),)


def rate_of(count: str) -> str:
    """Name of the rate that belongs to a count."""
    return count.removesuffix("s") + "_rate"


def rate(name: str, doc: str) -> Column:
    return Column(name, "", name, Kind.REAL, f"{doc}, over the segments sent", SENT_ANY, "ratio")


# Which direction of which connection a row is about.
SENDER = (
    number("stream", "tcp.stream", "stream", "number of the connection (ST-1)"),
    number("direction", "tcpkit.direction", "direction",
           "0: from the end that sent the stream's first frame; 1: to it"),
    Column("sender", "", "sender", Kind.WORD, "which end sends", words=ENDS),
    end_address("src", "address of the sender", "tcpkit.src"),
    number("src_port", "tcp.srcport", "src_port", "its port"),
    end_address("dst", "address of the receiver", "tcpkit.dst"),
    number("dst_port", "tcp.dstport", "dst_port", "its port"),
)
DIRECTIONS = Schema("directions", (
    *computed_by("flows", *SENDER, number("packets", "", "packets", "segments sent"),
                 number("payload_bytes", "", "payload_bytes", "payload sent", unit="bytes")),
    *computed_by(
        "analysis",
        *(number(name, "", name, doc) for name, doc in COUNTS),
        rate("loss_rate", "segments sent again and not spurious"),
        *(rate(rate_of(name), name.replace("_", " ")) for name, _ in COUNTS),
        number("rtt_samples", "", "rtt_samples", "round trips measured: data acknowledged and sent only once"),
        *(Column(name, "", name, Kind.SECONDS, doc, SAMPLED, "ns") for name, doc in TIMES),
        Column("rtt_deviation", "", "rtt_deviation", Kind.SECONDS, "standard deviation of the round trips",
               SAMPLED_TWICE, "ns"),
        number("max_in_flight", "", "max_in_flight", "most bytes sent and not yet acknowledged (BF-2)", unit="bytes"),
        Column("zero_window_time", "", "zero_window_ns", Kind.SECONDS, "how long the sender had no room to receive",
               unit="ns")),
    *computed_by(
        "verdicts",
        *(number(name, "", name, doc) for name, _, doc in VERDICT_COUNTS),
        *(Column(name, "", name, Kind.SECONDS, doc, unit="ns") for name, _, doc in VERDICT_TIMES),
        *(Column(name, "", name, Kind.REAL, doc, JUDGED_ANY, "ratio") for name, doc in VERDICT_RATES)),
), ("stream", "sender", "src", "src_port", "dst", "dst_port", "packets", "retransmissions", "loss_rate",
    "out_of_order", "duplicate_acks", "rtt_min", "rtt_mean", "rtt_max", "max_in_flight", "zero_window_time"))
