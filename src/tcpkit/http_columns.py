"""`tcpkit http`, `Exchange.to_dict`: one row for each HTTP/1.x request with its response."""
from __future__ import annotations

from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import MARK, Column, Schema, number, text


def seconds(name: str, doc: str) -> Column:
    return Column(name, "", name, Kind.REAL, doc, unit="s")


HTTP = Schema("HTTP", (
    number("stream", "tcp.stream", "stream", "number of the connection"),
    number("request_frame", "", "request_frame", "frame in which the request begins"),
    number("request_last_frame", "", "request_last_frame", "frame in which it ends"),
    seconds("sent", "when it begins, since 1970"),
    text("method", "its method"),
    text("host", "the host it names"),
    text("target", "what it asks for"),
    number("request_bytes", "", "request_bytes", "header and body as sent", unit="bytes"),
    number("request_content", "", "request_content", "the body alone", unit="bytes"),
    number("status", "", "status", "the response's status code"),
    number("response_frame", "", "response_frame", "frame in which the response begins"),
    number("response_last_frame", "", "response_last_frame", "frame in which it ends"),
    number("response_bytes", "", "response_bytes", "header and body as sent", unit="bytes"),
    number("response_content", "", "response_content", "the body alone, without the framing of chunks", unit="bytes"),
    text("content_type", "what the body is"),
    text("content_encoding", "how it is compressed"),
    number("missing", "", "missing", "bytes of the body that the capture does not have", unit="bytes"),
    Column("complete", "", "complete", Kind.BITS, "the response was captured to its end", mask=1, words=MARK),
    seconds("wait", "from the last byte of the request to the first of the response"),
    seconds("transfer", "from the response's first byte to its last"),
), ("stream", "request_frame", "response_frame", "response_last_frame", "method", "host", "target", "status",
    "response_bytes", "content_type", "wait", "transfer"))
