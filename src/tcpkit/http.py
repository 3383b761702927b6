"""HTTP/1.x exchanges: each request with its response, in one pass over a capture."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from tcpcore.flags import ChunkKind
from tcpkit.http_columns import HTTP
from tcpkit.http_messages import Message, MessageReader, Place, Request, Response, begins_message
from tcpkit.stream_scan import StreamScan

if TYPE_CHECKING:
    from tcpcore.streams import Piece
    from tcpkit.capture import Capture
    from tcpkit.follow import Ends

SECOND = 1_000_000_000
HEAD = 64                        # bytes that tell what begins
COLUMNS = tuple(column.name for column in HTTP.columns)
WAITING = 1000                   # requests of one connection without a response, or exchanges not fetched


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its response; either may not be in the capture."""

    stream: int
    ends: Ends
    request: Request | None
    response: Response | None

    @property
    def wait_ns(self) -> int | None:
        """From the last byte of the request to the first of the response."""
        if self.request is None or self.response is None:
            return None
        return self.response.first.time_ns - self.request.last.time_ns

    def to_dict(self) -> dict[str, Any]:
        """One row: sizes in bytes, times in seconds."""
        request, response = self.request, self.response
        row: dict[str, Any] = {"stream": self.stream}
        if request:
            row |= {"method": request.method, "host": request.header("host"), "target": request.target,
                    "request_frame": request.first.frame, "request_last_frame": request.last.frame,
                    "request_bytes": request.length, "request_content": request.content_length,
                    "sent": request.first.time_ns / SECOND}
        if response:
            row |= {"status": response.status, "content_type": response.header("content-type"),
                    "content_encoding": response.header("content-encoding"),
                    "response_frame": response.first.frame, "response_last_frame": response.last.frame,
                    "response_bytes": response.length, "response_content": response.content_length,
                    "missing": response.missing, "complete": response.complete,
                    "transfer": (response.last.time_ns - response.first.time_ns) / SECOND}
        if self.wait_ns is not None:
            row["wait"] = self.wait_ns / SECOND
        return {name: row.get(name) for name in COLUMNS}


def exchanges(capture: Capture, *, body_limit: int = 0, **options: Any) -> Iterator[Exchange]:
    """Every exchange of a capture, when its response has ended.

    ``body_limit``: bytes kept of each body.  ``options`` are those of ``scan_streams``: policy, limits, patience,
    timeout.
    """
    connections: dict[int, _Connection] = {}
    scan = StreamScan(capture, **options)
    for piece in scan:
        connection = connections.get(piece.stream)
        if connection is None:
            ends = cache(partial(scan.ends, piece.stream))         # once, for they may have to be searched for
            connection = connections[piece.stream] = _Connection(piece.stream, ends, body_limit)
        connection.take(piece)
        while connection.finished:
            yield connection.finished.popleft()
        if piece.kind == ChunkKind.CHUNK_END:
            del connections[piece.stream]


class _Connection:
    """Pairs the messages of one stream; says nothing if it does not speak HTTP."""

    def __init__(self, stream: int, ends: Callable[[], Ends], body_limit: int) -> None:
        self.finished: deque[Exchange] = deque()
        self._stream = stream
        self._ends = ends
        self._body_limit = body_limit
        self._readers: list[MessageReader | None] = [None, None]
        # The first pieces of a direction, while it is too early to tell what they begin.
        self._first: tuple[list[tuple[bytes, Place]], ...] = ([], [])
        self._requests: deque[Request] = deque()

    def take(self, piece: Piece) -> None:
        place = Place(piece.offset, piece.time_ns, piece.frame)
        if piece.kind == ChunkKind.CHUNK_END:
            for reader in self._readers:
                if reader:
                    reader.finish(place)
            while self._requests:
                self._pair(self._requests.popleft(), None)
            return
        reader = self._readers[piece.direction]
        if piece.kind != ChunkKind.CHUNK_DATA:
            if reader:
                reader.hole(piece.length, place)
                self._expect()
        elif reader:
            reader.feed(bytes(piece), place)
        else:
            self._begin(piece, place)

    def _begin(self, piece: Piece, place: Place) -> None:
        """Give the direction a reader, if a message begins in it."""
        first = self._first[piece.direction]
        kind = begins_message(b"".join(data for data, _ in first) + bytes(memoryview(piece)[:HEAD]))
        if kind is None or any(reader and reader.kind is kind for reader in self._readers):
            first.clear()
            return
        first.append((bytes(piece), place))
        if kind is not Message:
            take = self._take_request if kind is Request else self._take_response
            reader = self._readers[piece.direction] = MessageReader(kind, take, self._body_limit)
            self._expect()
            for data, where in first:
                reader.feed(data, where)
            first.clear()

    def _take_request(self, request: Request) -> None:
        self._requests.append(request)
        if len(self._requests) > WAITING:
            self._pair(self._requests.popleft(), None)
        self._expect()

    def _take_response(self, response: Response) -> None:
        if 100 <= response.status < 200 and response.status != 101:
            return
        request = self._requests.popleft() if self._requests else None
        self._pair(request, response)
        if response.status == 101 or (request and request.method == "CONNECT" and 200 <= response.status < 300):
            for reader in self._readers:
                if reader:
                    reader.tunnel = True
        self._expect()

    def _pair(self, request: Request | None, response: Response | None) -> None:
        self.finished.append(Exchange(self._stream, self._ends(), request, response))

    def _expect(self) -> None:
        """Tell the reader of responses what the next one answers."""
        method = self._requests[0].method if self._requests else ""
        for reader in self._readers:
            if reader and reader.kind is Response:
                reader.answers = method
