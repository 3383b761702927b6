"""HTTP/1.x messages out of one direction of a stream, through httptools: where each begins and ends, and when."""
from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tcpkit.errors import MissingLibraryError

try:
    import httptools
except ImportError:
    raise MissingLibraryError('HTTP needs httptools: pip install "tcpkit[http]"') from None

HEADER_LIMIT = 256 << 10         # bytes of one message's header, or of one line of a chunked body
REQUEST_LINE = re.compile(rb"[A-Z][A-Z-]{2,20} \S")
RESPONSE_LINE = re.compile(rb"HTTP/1\.[01] \d")
UNDECIDED = re.compile(rb"[A-Z/1.-]{0,21} ?")
# Memory that things take, in bytes, beside what they hold of the capture.
MESSAGE_BYTES, HEADER_BYTES, READER_BYTES, PARSER_BYTES = 800, 150, 400, 800


@dataclass(slots=True)
class Place:
    """Where a piece of a message came from: its first byte in the stream, and the frame that brought it."""

    offset: int
    time_ns: int
    frame: int


@dataclass(slots=True)
class Message:
    """What requests and responses share; ``offset`` and ``length`` are those in the bytes of their side."""

    offset: int
    first: Place
    last: Place
    length: int = 0              # header and body as sent
    header_length: int = 0
    content_length: int = 0      # of the body, with what is missing of it, without the framing of chunks
    missing: int = 0             # bytes of the body that the capture does not have
    complete: bool = False
    version: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""            # as sent, up to the limit asked for, and to the first byte that is missing

    def header(self, name: str) -> str:
        """The value of the last header with that name, in lower case; empty without."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")

    def content(self, limit: int = 1 << 30) -> bytes:
        """The body, decompressed to at most ``limit`` bytes; ValueError if it is damaged, or its coding not known."""
        data = self.body
        for coding in reversed([part.strip().lower() for part in self.header("content-encoding").split(",")]):
            if coding in ("gzip", "x-gzip", "deflate"):
                # 47: gzip or zlib by its first bytes; some servers leave the zlib header of deflate out.
                bits = -15 if coding == "deflate" and (not data or data[0] & 15 != 8) else 47
                try:
                    data = zlib.decompressobj(bits).decompress(data, limit)
                except zlib.error as error:
                    raise ValueError(f"damaged {coding} data: {error}") from None
            elif coding not in ("", "identity"):
                raise ValueError(f'content coding "{coding}" is not known')
        return data[:limit]


@dataclass(slots=True)
class Request(Message):
    method: str = ""
    target: str = ""


@dataclass(slots=True)
class Response(Message):
    status: int = 0
    reason: str = ""


def memory_of(message: Message) -> int:
    """About how many bytes of memory a message takes."""
    return MESSAGE_BYTES + message.header_length + HEADER_BYTES * len(message.headers) + len(message.body)


def begins_message(data: bytes) -> type[Message] | None:
    """What kind of message begins here: Request, Response, Message if it is too early to tell, None if neither."""
    if REQUEST_LINE.match(data):
        return Request
    if RESPONSE_LINE.match(data):
        return Response
    return Message if UNDECIDED.fullmatch(data) else None


class MessageReader:
    """Reads the messages of one direction.

    Bytes go to the parser so that a header and a line of a chunked body each end where a call ends: that is how the
    place of each message's end is known.  A body of known length is only counted.  After a hole that does not lie
    inside such a body, and after nonsense, reading starts again with the next piece that begins a message.
    """

    __slots__ = ("_body", "_body_limit", "_by_line", "_done", "_in_header", "_left", "_message", "_on_message",
                 "_parser", "_unfinished", "answers", "kind", "lost", "tunnel")

    def __init__(self, kind: type[Message], on_message: Callable[[Any], None], body_limit: int) -> None:
        self.kind = kind
        self.lost = False                        # until a message begins
        self.tunnel = False                      # no HTTP any more
        self.answers = ""                        # method of the request that the response to come belongs to
        self._on_message = on_message
        self._body_limit = body_limit
        self._restart()

    def _restart(self) -> None:
        self._parser: Any = None                 # of the message under way
        self._message: Any = None
        self._left = 0                           # bytes of a body of known length
        self._by_line = True
        self._in_header = True
        self._unfinished = 0                     # bytes of a line or header so far
        self._done = False
        self._body = bytearray()

    @property
    def memory(self) -> int:
        """About how many bytes the reader takes with the message under way."""
        if self._message is None:
            return READER_BYTES
        return READER_BYTES + PARSER_BYTES + memory_of(self._message) + self._unfinished + len(self._body)

    def feed(self, data: bytes, place: Place) -> None:
        """The next bytes of the stream."""
        if self.lost and begins_message(data) is self.kind:
            self.lost = False
        offset, here = 0, place
        while offset < len(data) and not self.lost and not self.tunnel:
            if self._message is None:
                here = Place(place.offset + offset, place.time_ns, place.frame)
            end = self._end_of_step(data, offset)
            step = data[offset:end]
            if self._left:
                self._count(len(step), step, here)
            else:
                self._parse(step, here)
            offset = end

    def hole(self, length: int, place: Place) -> None:
        """Bytes that are not there: skipped as far as they lie inside a body of known length."""
        if self._left:
            inside = min(length, self._left)
            length -= inside
            self._message.missing += inside
            self._count(inside, b"", place)
        if length:
            self.finish()
            self.lost = True

    def finish(self) -> None:
        """The stream ends here: so does a body without a known length."""
        if self._message is not None:
            self._message.complete = not self._by_line and not self._left
            self._emit()
        self._restart()

    def _end_of_step(self, data: bytes, start: int) -> int:
        if self._left:
            return min(len(data), start + self._left)
        if not self._by_line:
            return len(data)
        end = data.find(b"\n", start) + 1 or len(data)
        self._unfinished += end - start
        return end

    def _parse(self, data: bytes, place: Place) -> None:
        if self._message is None:
            self._begin(place)
        message = self._message
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._done = True
        except httptools.HttpParserError:
            self.lost = True
        message.last = place
        message.length += len(data)
        if message.header_length == 0 and not self._in_header:
            message.header_length = message.length
        self.lost = self.lost or self._unfinished > HEADER_LIMIT
        if self.lost or self._done:
            self._end()

    def _begin(self, place: Place) -> None:
        parser: Any = httptools.HttpRequestParser if self.kind is Request else httptools.HttpResponseParser
        self._parser = parser(self)
        self._message = self.kind(place.offset, place, place)

    def _count(self, length: int, data: bytes, place: Place) -> None:
        """The next bytes of a body of known length; without data if they are missing."""
        message = self._message
        if data:
            message.last = place
        message.length += length
        message.content_length += length
        self._keep(data)
        self._left -= length
        if not self._left:
            self._done = True
            self._end()

    def _end(self) -> None:
        self._message.complete = self._done and self._message.missing == 0
        self._emit()
        self._restart()

    def _keep(self, data: bytes) -> None:
        if len(self._body) < self._body_limit and not self._message.missing:
            self._body += data[:self._body_limit - len(self._body)]

    def _emit(self) -> None:
        message = self._message
        message.body = bytes(self._body)
        if message.header_length:
            self._on_message(message)

    # -- called by httptools

    def on_url(self, url: bytes) -> None:
        self._message.target += url.decode("latin-1")

    def on_status(self, reason: bytes) -> None:
        self._message.reason += reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._message.headers.append((name.decode("latin-1"), (value or b"").decode("latin-1")))

    def on_headers_complete(self) -> None:
        message = self._message
        message.version = self._parser.get_http_version()
        if isinstance(message, Request):
            message.method = self._parser.get_method().decode()
        else:
            message.status = self._parser.get_status_code()
        self._unfinished = 0
        self._in_header = False
        if self._has_no_body(message):
            self._done = True
        elif "chunked" not in message.header("transfer-encoding").lower():
            length = message.header("content-length")
            self._left = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0
            self._by_line = False

    def _has_no_body(self, message: Any) -> bool:
        """What only the request tells (RFC 9112 section 6.3)."""
        return (self.answers == "HEAD" and message.status >= 200) or (
            self.answers == "CONNECT" and 200 <= message.status < 300)

    def on_chunk_header(self) -> None:
        self._unfinished = 0

    def on_body(self, data: bytes) -> None:
        self._message.content_length += len(data)
        self._unfinished = 0
        self._keep(data)

    def on_message_complete(self) -> None:
        self._done = True
