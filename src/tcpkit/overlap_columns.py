"""`tcpkit overlaps`, `Difference.to_dict`: one row for each place of a stream where two copies of its bytes differ."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import MARK, Column, Schema, number, text

OVERLAPS = Schema("overlaps", (
    number("stream", "tcp.stream", "stream", "number of the connection"),
    text("sender", "whose bytes: client or server"),
    number("offset", "", "offset", "where they begin in what it sent"),
    number("length", "", "length", "how many there are", unit="bytes"),
    number("frame", "", "frame", "frame of the copy that is read under the default policy"),
    text("kept", "its bytes, those that are no letters escaped"),
    number("other_frame", "", "other_frame", "frame of the other copy"),
    text("other", "its bytes"),
    Column("evades", "", "evades", Kind.BITS, "hosts read them differently", mask=1, words=MARK),
    text("kept_by", "overlap policies under which the first copy is read"),
    text("other_by", "... and the other"),
), ("stream", "sender", "offset", "frame", "kept", "other_frame", "other", "evades", "other_by"))
