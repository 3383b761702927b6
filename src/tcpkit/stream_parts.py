"""Which frame carries which bytes of a stream, as text."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from tcpcore.flags import ChunkKind
from tcpkit.connection import no_stream
from tcpkit.stream_columns import KINDS

if TYPE_CHECKING:
    from tcpkit.stream_scan import StreamScan

HEAD = f"{'sender':<6} {'frame':>10} {'first':>14} {'last':>14} {'bytes':>14}\n".encode()


class StreamPart(NamedTuple):
    """Bytes that one frame carries, or that none does; ``offset`` is that in what the sender sent."""

    sender: str
    frame: str                   # its number, or why there is none
    offset: int
    length: int


def part_lines(scan: StreamScan, stream: int, side: str = "") -> Iterator[bytes]:
    """A line for each part of both sides or of one, as they alternate, and below several of one how many bytes.

    IndexError if there is no such stream.
    """
    parts = stream_parts(scan, stream)
    first = next(parts, None)
    yield HEAD                               # not if there is no such stream
    for speaker, in_a_row in groupby(filter(None, chain([first], parts)), itemgetter(0)):
        if side not in ("", speaker):
            continue
        count = total = 0
        for sender, frame, offset, length in in_a_row:
            yield f"{sender} {frame:>10} {offset:>14} {offset + length - 1:>14} {length:>14}\n".encode()
            count, total = count + 1, total + length
        if count > 1:
            yield f"{total:>62} in all\n".encode()


def stream_parts(scan: StreamScan, stream: int) -> Iterator[StreamPart]:
    """As they come, in one pass; IndexError if there is no such stream."""
    for rows in scan.chunks():
        chosen = rows[(rows["stream"] == stream) & (rows["kind"] != ChunkKind.CHUNK_END)]
        if len(chosen):
            client = scan.ends(stream).client
            columns = (chosen[name].tolist() for name in ("direction", "kind", "frame", "offset", "length"))
            for direction, kind, frame, offset, length in zip(*columns, strict=True):
                yield StreamPart("client" if direction == client else "server",
                                 str(frame) if kind == ChunkKind.CHUNK_DATA else KINDS[kind], offset, length)
    if stream >= scan.n_streams:
        raise no_stream(stream)
