"""One stream as a conversation: the bytes that `tshark -q -z follow,tcp,raw,N` prints, and other ways to show them."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcpcore.fieldtext import Formatter
from tcpcore.flows import FlowTable
from tcpcore.follow import Follower
from tcpcore.records import FLOW
from tcpkit.columns import end_address
from tcpkit.fields import build_formatter
from tcpkit.text import endpoint
from tcpkit.values import Array

if TYPE_CHECKING:
    from tcpkit.capture import Capture

RULE = "=" * 67
PRINTABLE = bytes(byte if 32 <= byte < 127 or byte in b"\n\t" else ord(".") for byte in range(256))
DUMPED = bytes(byte if 32 <= byte < 127 else ord(".") for byte in range(256))
OF_ENDS = np.dtype([(name, FLOW[name]) for name in (
    "addr0_hi", "addr0_lo", "addr1_hi", "addr1_lo", "stream", "port0", "port1", "client", "ip_version")], align=True)
COLOURS = (b"\x1b[31m", b"\x1b[34m")             # client, server
PLAIN = b"\x1b[0m"


class Part(NamedTuple):
    """Bytes of one direction in a row.  Bytes the capture missed are a part that says so, as in tshark."""

    from_client: bool
    data: bytes


class Ends(NamedTuple):
    """Address and port of both ends, and the direction of what the client sent."""

    first: tuple[str, int]           # sent the stream's first frame
    second: tuple[str, int]
    client: int

    def of(self, direction: int) -> tuple[str, int]:
        """The sender of a direction."""
        return self.second if direction else self.first


class Conversation:
    """The parts of one stream, in the order in which tshark prints them; iterating reads the capture once."""

    def __init__(self, capture: Capture, stream: int) -> None:
        self.stream = stream
        self.ends: Ends | None = None            # known from the first part on
        self._capture = capture
        self._follower = Follower(stream)        # of the last time it was read

    def __iter__(self) -> Iterator[Part]:
        pipeline = self._capture.pipeline(("flows",), in_step=True, payload=True)
        assert pipeline.flows
        self._follower = Follower(self.stream)
        for batch in pipeline:
            parts = self._follower.process(batch)
            if self.ends is None and self._follower.first >= 0:
                self.ends = ends_of(pipeline.flows, self.stream, self.stream)
            if self.ends:
                yield from (Part(direction == self.ends.client, data) for direction, data in parts)

    @property
    def nodes(self) -> tuple[str, str]:
        """Both ends as tshark names them, the sender of the first whole segment first (FO-2)."""
        if self.ends is None:
            return ":0", ":0"
        named = [endpoint(address, port) for address, port in self.ends[:2]]
        return named[self._follower.first], named[1 - self._follower.first]

    def report(self) -> Iterator[bytes]:
        """What `tshark -q -z follow,tcp,raw,N` prints (FO-1)."""
        parts = iter(self)
        part = next(parts, None)
        node0, node1 = self.nodes
        yield (f"\n{RULE}\nFollow: tcp,raw\nFilter: tcp.stream eq {self.stream}\n"
               f"Node 0: {node0}\nNode 1: {node1}\n").encode()
        while part is not None:
            assert self.ends
            second = part.from_client != (self._follower.first == self.ends.client)
            yield b"\t" * second + part.data.hex().encode() + b"\n"
            part = next(parts, None)
        yield f"{RULE}\n".encode()


def ends_of(flows: FlowTable, stream: int, likely: int) -> Ends | None:
    """The ends of a stream that the table still knows; ``likely``: the slot where it should be."""
    slot = flows.slot_of(stream, likely)
    return None if slot is None else ends_in(flows.records(flows.slots(slot, slot + 1))[0])


def ends_in(record: Array) -> Ends:
    """The ends that a FLOW row tells of."""
    first, second = _addresses(record.dtype).rows(np.asarray(record).reshape(1)).decode().split()
    return Ends((first, int(record["port0"])), (second, int(record["port1"])), int(record["client"]))


def records_of_ends(flows: Array) -> Array:
    """What FLOW rows tell of the ends and the number of their streams: a quarter of their bytes."""
    out = np.empty(len(flows), OF_ENDS)
    for name in OF_ENDS.names or ():
        out[name] = flows[name]
    return out


@cache
def _addresses(dtype: np.dtype[Any]) -> Formatter:
    """Writes both addresses of a FLOW row, in the form that they have everywhere."""
    return build_formatter([end_address("addr0", ""), end_address("addr1", "")], dtype)


def as_text(parts: Iterable[Part], colour: bool) -> Iterator[bytes]:
    """The letters; other bytes as dots, so that none of them steers a terminal."""
    for part in parts:
        text = part.data.replace(b"\r\n", b"\n").translate(PRINTABLE)
        yield COLOURS[not part.from_client] + text + PLAIN if colour else text


def as_hex(parts: Iterable[Part], colour: bool) -> Iterator[bytes]:
    """Offset, bytes and letters, sixteen to a line; what the server sent is indented."""
    offsets = [0, 0]
    for part in parts:
        server = not part.from_client
        for at in range(0, len(part.data), 16):
            row = part.data[at:at + 16]
            line = b"    " * server + b"%08x  %-47s  %s" % (offsets[server] + at, row.hex(" ").encode(),
                                                           row.translate(DUMPED))
            yield (COLOURS[server] + line + PLAIN if colour else line) + b"\n"
        offsets[server] += len(part.data)
