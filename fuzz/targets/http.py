"""Payload: HTTP/1.x read from a connection's two sides, and the stream followed, as text and as hexadecimal."""
import contextlib
import io
from collections.abc import Iterator

import passes
from script import Script, pieces

import tcpkit
from packets import ipv4, tcp
from tcpkit.follow import Conversation, as_hex, as_text
from tcpkit.http import exchanges


def one(data: bytes) -> None:
    script = Script(data)
    frames, places = [], [1, 1]
    while script:
        kind, payload = script.number(), script.piece()
        side = kind & 1
        places[side] += kind >> 1 & 7 if kind >> 4 == 15 else 0                  # a hole
        ends = ("10.0.0.2", "10.0.0.1") if side else ("10.0.0.1", "10.0.0.2")
        ports = (80, 5) if side else (5, 80)
        frames.append(ipv4(*ends, tcp(*ports, places[side], places[1 - side], payload=payload)))
        places[side] += len(payload)
    capture = passes.as_capture(frames, 101)
    with contextlib.suppress(tcpkit.CaptureError):
        for exchange in exchanges(tcpkit.open(io.BytesIO(capture), threads=1), body_limit=1000):
            repr(exchange.to_dict())
            for message in (exchange.request, exchange.response):
                with contextlib.suppress(ValueError):
                    if message is not None:
                        message.content(10_000)
        talk = Conversation(tcpkit.open(io.BytesIO(capture), threads=1), 0)
        b"".join(as_text(talk, True)), b"".join(as_hex(talk, False)), b"".join(talk.report())


def seeds() -> Iterator[bytes]:
    request = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"
    for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                   b"HTTP/1.0 304 Not Modified\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
                   b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0"):
        yield b"\0" + pieces(request) + b"\1" + pieces(answer)
        yield (b"\0" + pieces(request[:20]) + b"\0" + pieces(request[20:]) + b"\1" + pieces(answer)
               + b"\xff" + pieces(b"x"))
    yield (b"\0" + pieces(b"CONNECT a:1 HTTP/1.1\r\n\r\n") + b"\1" + pieces(b"HTTP/1.1 200 OK\r\n\r\n")
           + b"\0" + pieces(b"q"))
