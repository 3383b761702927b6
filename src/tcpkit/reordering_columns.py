"""`Capture.reordering`, `tcpkit retransmissions --view reordering`: how far from their places segments came."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import Column, Schema, number
from tcpkit.direction_columns import SENDER

REORDERING = Schema("reordering", (
    *SENDER,
    Column("displacement", "", "displacement", Kind.SIGNED,
           "places behind its own (RFC 5236), negative: before it, at least"),
    Column("at_most", "", "at_most", Kind.SIGNED, "the same, at most; -64: or more"),
    number("segments", "", "segments", "segments that came so many places from their own"),
    Column("density", "", "density", Kind.REAL, "the same over all segments that have a place", unit="ratio"),
    number("too_late", "", "too_late", "segments of this sender without a place: overtaken by more than 64 others, or "
           "by their own retransmission"),
), ("stream", "sender", "src", "src_port", "dst", "dst_port", "displacement", "at_most", "segments", "density",
    "too_late"))
