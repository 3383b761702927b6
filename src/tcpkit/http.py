"""HTTP/1.x exchanges: each request with its response, in one pass over a capture."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tcpcore.flags import ChunkKind
from tcpkit.budget import FIXED, POOLED
from tcpkit.http_columns import HTTP
from tcpkit.http_messages import Message, MessageReader, Place, Request, Response, begins_message, memory_of
from tcpkit.stream_scan import StreamScan

if TYPE_CHECKING:
    from tcpcore.streams import Piece
    from tcpkit.capture import Capture
    from tcpkit.follow import Ends

SECOND = 1_000_000_000
HEAD = 64                        # bytes that tell what begins
COLUMNS = tuple(column.name for column in HTTP.columns)
WAITING = 1000                   # requests of one connection without a response
WAITING_BYTES = 4 << 20          # that they take, if they are more than one
CONNECTION_BYTES, PIECE_BYTES = 700, 300     # that a connection takes, and each piece that waits for others


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
            row |= {"method": request.method, "host": request.header("host") or None, "target": request.target,
                    "request_frame": request.first.frame, "request_last_frame": request.last.frame,
                    "request_bytes": request.length, "request_content": request.content_length,
                    "sent": request.first.time_ns / SECOND}
        if response:
            row |= {"status": response.status, "content_type": response.header("content-type") or None,
                    "content_encoding": response.header("content-encoding") or None,
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
    timeout.  Exchanges under way take a quarter of the capture's memory limit at most; beyond that those of the
    connections that have been silent longest are told as far as they have come.
    """
    scan = StreamScan(capture, **options)
    connections = _Connections(scan, body_limit)
    for piece in scan:
        yield from connections.take(piece)


class _Connections:
    """Those that speak HTTP, the longest silent first; nothing is kept of other streams."""

    def __init__(self, scan: StreamScan, body_limit: int) -> None:
        self._scan = scan
        self._body_limit = body_limit
        self._limit = (scan.budget.limit - FIXED) // POOLED     # no stage of this pass has a pool
        self._memory = 0
        self._open: OrderedDict[int, _Connection] = OrderedDict()

    def take(self, piece: Piece) -> Iterator[Exchange]:
        connection = self._open.pop(piece.stream, None)
        if connection is None:
            if piece.kind != ChunkKind.CHUNK_DATA or begins_message(_head(piece)) is None:
                return
            connection = _Connection(piece.stream, self._scan.ends(piece.stream), self._body_limit)
        self._memory -= connection.memory
        connection.take(piece)
        yield from connection.told()
        if connection.memory:
            self._open[piece.stream] = connection
            self._memory += connection.memory
            yield from self._shed()

    def _shed(self) -> Iterator[Exchange]:
        while self._memory > self._limit and len(self._open) > 1:
            connection = self._open.popitem(last=False)[1]
            self._memory -= connection.memory
            connection.end()
            yield from connection.told()


def _head(piece: Piece) -> bytes:
    return bytes(memoryview(piece)[:HEAD])


class _Connection:
    """Pairs the messages of one stream; says nothing if it does not speak HTTP."""

    __slots__ = ("_body_limit", "_ends", "_finished", "_first", "_owed", "_readers", "_requests", "_stream", "_unsure",
                 "_waiting_bytes", "memory")

    def __init__(self, stream: int, ends: Ends, body_limit: int) -> None:
        self.memory = 0                          # bytes it takes, about; 0: there is nothing to keep
        self._finished: list[Exchange] = []
        self._stream = stream
        self._ends = ends
        self._body_limit = body_limit
        self._readers: list[MessageReader | None] = [None, None]
        # The first pieces of a direction, while it is too early to tell what they begin.
        self._first: tuple[list[tuple[bytes, Place]], ...] = ([], [])
        self._requests: list[Request] = []
        self._waiting_bytes = 0
        self._owed = 0                           # responses to come to requests that are told already
        self._unsure = False                     # messages may be missing, so that it is not known who answers whom

    def take(self, piece: Piece) -> None:
        if piece.kind == ChunkKind.CHUNK_END:
            self.end()
            return
        place = Place(piece.offset, piece.time_ns, piece.frame)
        reader = self._readers[piece.direction]
        if piece.kind != ChunkKind.CHUNK_DATA:
            self._first[piece.direction].clear()
            if reader:
                reader.hole(piece.length, place)
        elif reader:
            reader.feed(bytes(piece), place)
        else:
            self._begin(piece, place)
        if not self._unsure and (reader.lost if reader else piece.kind != ChunkKind.CHUNK_DATA):
            self._unsure = True
            self._expect()
        self._measure()

    def end(self) -> None:
        """No more comes of the stream."""
        for reader in self._readers:
            if reader:
                reader.finish()
        while self._requests:
            self._pair(self._next_request(), None)
        self.memory = 0

    def told(self) -> list[Exchange]:
        """The exchanges that have ended since this was asked last."""
        finished, self._finished = self._finished, []
        return finished

    def _measure(self) -> None:
        readers = [reader.memory for reader in self._readers if reader]
        pieces = len(self._first[0]) + len(self._first[1])
        if readers or pieces:
            self.memory = CONNECTION_BYTES + sum(readers) + PIECE_BYTES * pieces + self._waiting_bytes
        else:
            self.memory = 0

    def _begin(self, piece: Piece, place: Place) -> None:
        """Give the direction a reader, if a message begins in it."""
        first = self._first[piece.direction]
        kind = begins_message(b"".join(data for data, _ in first) + _head(piece))
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
        self._waiting_bytes += memory_of(request)
        while len(self._requests) > WAITING or (self._waiting_bytes > WAITING_BYTES and len(self._requests) > 1):
            self._pair(self._next_request(), None)
            self._owed += 1
        self._expect()

    def _take_response(self, response: Response) -> None:
        if 100 <= response.status < 200 and response.status != 101:
            return
        request = self._answered(response)
        self._pair(request, response)
        if response.status == 101 or (request and request.method == "CONNECT" and 200 <= response.status < 300):
            for reader in self._readers:
                if reader:
                    reader.tunnel = True
        self._expect()

    def _answered(self, response: Response) -> Request | None:
        """The oldest request that waits; where messages may be missing, the only one that was sent before."""
        if self._unsure:
            sent = sum(request.last.frame < response.first.frame for request in self._requests)
            known = sent == 1 and not self._owed
            self._unsure, self._owed = False, 0
            if not known:
                for _ in range(sent):
                    self._pair(self._next_request(), None)
                return None
        if self._owed:
            self._owed -= 1
            return None
        return self._next_request() if self._requests else None

    def _pair(self, request: Request | None, response: Response | None) -> None:
        self._finished.append(Exchange(self._stream, self._ends, request, response))

    def _next_request(self) -> Request:
        request = self._requests.pop(0)
        self._waiting_bytes -= memory_of(request)
        return request

    def _expect(self) -> None:
        """Tell the reader of responses what the next one answers, as far as that is known."""
        methods = {request.method for request in self._requests[:None if self._unsure else 1]}
        method = methods.pop() if len(methods) == 1 and not self._owed else ""
        for reader in self._readers:
            if reader and reader.kind is Response:
                reader.answers = method
