"""Conversations over a path that keeps time, with all that a sender shows of itself."""
from __future__ import annotations

import io

import numpy as np

import tcpkit
from packets import MS, SACK_PERMITTED, T0, Conversation, Frame, sack, timestamps

RTT = 40 * MS                          # from the capture point to the server and back
SIZE = 1000


class Talk(Conversation):
    """A client that sends to a server, 10 and 20 ms from the capture point.

    It counts its packets in the IP ID, and stamps them with milliseconds, unless told otherwise.
    """

    def __init__(self, *, stamped: bool = True, counted: bool = True, ip: int = 4, sacks: bool = True) -> None:
        super().__init__()
        self.stamped, self.counted, self.sacks = stamped, counted, sacks
        if ip == 6:
            self.client, self.server = "fd09::1", "fd09::2"
        self.ip, self.ident, self.echo = ip, 100, 1
        self.handshake(RTT, self.opening(), self.opening())

    def opening(self) -> bytes:
        return (SACK_PERMITTED if self.sacks else b"") + (timestamps(self.clock, self.echo) if self.stamped else b"")

    @property
    def clock(self) -> int:
        return (self.time - T0) // MS + 1000

    def fields(self, ident: int | None) -> dict[str, int]:
        if self.ip == 6:
            return {}
        self.ident += ident is None
        return {"ident": (self.ident if ident is None else ident) if self.counted else 0}

    def data(self, n: int, dt: int = MS, *, size: int = SIZE, flags: str = "A", stamp: int | None = None,
             ident: int | None = None) -> Talk:
        """Segment ``n`` of the upload, from 0."""
        self.time += dt
        options = timestamps(self.clock if stamp is None else stamp, self.echo) if self.stamped else b""
        return self.c(flags, 1 + n * SIZE, 1, size, dt=0, options=options, ip_fields=self.fields(ident))

    def answer(self, n: int, dt: int = MS, *blocks: tuple[int, int], echo: int | None = None) -> Talk:
        """All before segment ``n`` has arrived, and the blocks of segments (first, after the last)."""
        self.time += dt
        options = timestamps(self.clock, self.clock - 40 if echo is None else echo) if self.stamped else b""
        if blocks:
            options += b"\1\1" + sack(*((self.client_isn + 1 + left * SIZE, self.client_isn + 1 + right * SIZE)
                                       for left, right in blocks))
        self.echo = self.clock
        return self.s("A", 1, 1 + n * SIZE, dt=0, options=options, ip_fields=self.fields(None))

    def warm_up(self) -> Talk:
        """Ten segments, each acknowledged after a round trip: clock, counter and trip are known."""
        for n in range(10):
            self.data(n, RTT // 2).answer(n + 1, RTT)
        self.time += RTT // 2
        return self

    def verdicts(self, captured: int = 262144) -> np.ndarray:
        """With so many bytes of each packet captured."""
        self.frames = [Frame(frame.time, frame.data[:captured], frame.wire_len) for frame in self.frames]
        return tcpkit.open(io.BytesIO(self.pcap(nano=True))).packets.array
