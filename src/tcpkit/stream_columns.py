"""The columns of a stream's chunks."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import EPOCH, Column, Schema, When, number

# What a piece of a stream is, in the order of ChunkKind.
KINDS = ("data", "missing", "unseen", "cut", "dropped", "end")
CAPTURED = (When("kind", 0xFF, 0),)

CHUNKS = Schema("chunks", (
    number("offset", "tcpkit.chunk.offset", "offset", "place of its first byte in the stream; 0 follows the SYN",
           unit="bytes"),
    number("length", "tcpkit.chunk.length", "length", "bytes of the stream", unit="bytes"),
    Column("kind", "tcpkit.chunk.kind", "kind", Kind.WORD, "data; missing: not captured; unseen: not captured, but "
           "acknowledged; cut: captured without these bytes, the snap length was too short", words=KINDS),
    number("frame", "frame.number", "frame", "frame that carries it", CAPTURED),
    Column("time", "frame.time_epoch", "time_ns", Kind.SECONDS, "when that was captured", CAPTURED, EPOCH),
    number("position", "tcpkit.chunk.position", "position", "place of its first byte in the capture file",
           (*CAPTURED, When("reason", 0xFF, 0)), "bytes"),
), ("offset", "length", "kind", "frame", "time", "position"))
