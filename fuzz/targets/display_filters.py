"""Display filters: text of the grammar's words and others, over packets, flows, directions and handshakes."""
import io
from collections.abc import Iterator

from script import Script

import tcpkit
import tcpkit.display_filter
import tcpkit.filter_fields
from conversations import random_capture
from filter_expressions import EXPRESSIONS
from packets import pcap
from tcpkit.errors import FilterError

CAPTURE = tcpkit.open(io.BytesIO(pcap(random_capture(3, conversations=8, steps=20))), threads=1)
TABLES = (CAPTURE.packets, CAPTURE.flows, CAPTURE.directions, CAPTURE.handshakes)


def one(data: bytes) -> None:
    script = Script(data)
    table, text = script.choose(TABLES), script.rest().decode("utf-8", "replace")
    try:
        selected, start, end = len(table.where(text)), 0, 0
    except FilterError as error:
        selected, start, end = 0, error.start, error.end
    assert 0 <= selected <= len(table)
    assert 0 <= start <= end <= len(text)


def seeds() -> Iterator[bytes]:
    for expression in EXPRESSIONS:
        yield b"\0" + expression.encode()
