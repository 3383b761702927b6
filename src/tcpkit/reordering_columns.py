"""`Capture.reordering`, `tcpkit retransmissions --view reordering`: how far from their places segments came."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import Column, Schema, number
from tcpkit.direction_columns import SENDERS, address

REORDERING = Schema("reordering", (
    number("stream", "tcp.stream", "stream", "number of the connection (ST-1)"),
    number("direction", "tcpkit.direction", "direction",
           "0: from the end that sent the stream's first frame; 1: to it"),
    Column("sender", "", "sender", Kind.WORD, "which end sends", words=SENDERS),
    address("src", "address of the sender"),
    number("src_port", "tcp.srcport", "src_port", "its port"),
    address("dst", "address of the receiver"),
    number("dst_port", "tcp.dstport", "dst_port", "its port"),
    Column("displacement", "", "displacement", Kind.SIGNED,
           "places behind its own (RFC 5236), negative: before it, at least"),
    Column("at_most", "", "at_most", Kind.SIGNED, "the same, at most; -64: or more"),
    number("segments", "", "segments", "segments that came so many places from their own"),
    Column("density", "", "density", Kind.REAL, "the same over all segments that have a place", unit="ratio"),
    number("too_late", "", "too_late", "segments of this sender without a place: overtaken by more than 64 others, or "
           "by their own retransmission"),
), ("stream", "sender", "src", "src_port", "dst", "dst_port", "displacement", "at_most", "segments", "density",
    "too_late"))
