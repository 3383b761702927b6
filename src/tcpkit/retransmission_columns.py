"""The columns of the retransmissions table."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import EPOCH, Column, Schema, When, computed_by, duration, end_address, number
from tcpkit.verdict_columns import JUDGED, KIND_WORDS, REPEATS, SHARED_COLUMNS, SINCE

KINDS = ("none", "retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order")

RETRANSMISSIONS = Schema("retransmissions", (
    *computed_by(
        "analysis",
        number("stream", "tcp.stream", "stream", "number of the connection (ST-1)"),
        number("direction", "tcpkit.direction", "direction",
               "0: from the end that sent the stream's first frame; 1: to it"),
        number("frame", "frame.number", "frame", "number of the frame that repeats"),
        Column("time", "frame.time_epoch", "time_ns", Kind.SECONDS, "when it was captured", unit=EPOCH),
        Column("time_since_start", "frame.time_relative", "time_ns", Kind.SINCE_START,
               "time since the capture's first frame", unit="ns"),
        end_address("src", "address of the sender", "tcpkit.src"),
        number("src_port", "tcp.srcport", "src_port", "its port"),
        end_address("dst", "address of the receiver", "tcpkit.dst"),
        number("dst_port", "tcp.dstport", "dst_port", "its port"),
        Column("flags", "tcp.flags", "flags", Kind.HEX, "the twelve flag bits"),
        number("seq", "tcp.seq", "seq", "sequence number, relative (RL-1)"),
        number("payload_len", "tcp.len", "payload_len", "payload (LN-1)", unit="bytes"),
        Column("kind", "tcpkit.retransmission.kind", "tshark_kind", Kind.WORD,
               "what tshark calls it (RT-3 to RT-6)", (When("tshark_kind", 0xFF, 0, equal=False),), words=KINDS)),
    number("original", "tcpkit.retransmission.original", "repeats",
           "frame of the first transmission, a later one if it was overtaken", REPEATS, stage="verdicts"),
    duration("delay", "tcpkit.retransmission.since_original", "repeats_after", SINCE, REPEATS, "verdicts"),
    Column("verdict", "tcpkit.segment.kind", "kind", Kind.WORD, "what the segment really was", JUDGED,
           stage="verdicts", words=KIND_WORDS),
    *SHARED_COLUMNS,
), ("stream", "direction", "frame", "time_since_start", "src", "src_port", "dst", "dst_port", "seq", "payload_len",
    "kind", "original", "delay", "verdict_text"))
