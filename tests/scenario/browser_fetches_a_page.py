"""S1: two connections of a browser to a web server, frame by frame."""
from __future__ import annotations

from packets import MS, NOP, SACK_PERMITTED, T0, Frame, ethernet, ipv4, mss, pcap, tcp

CLIENT, SERVER = "192.168.89.125", "220.181.6.175"
OFFER = mss(1460) + NOP + NOP + SACK_PERMITTED
ISN = {5672: (1_000_000, 77_000), 5673: (4_294_967_000, 9)}      # the second wraps around in its first request
LEAST = 60                                                       # an Ethernet frame's bytes without its checksum


class Page:
    """Adds segments with relative numbers; ``frames`` are all of them."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def add(self, from_client: bool, port: int, flags: str, seq: int, ack: int, payload: int | bytes = 0, *,
            window: int = 65535, options: bytes = b"") -> None:
        client_isn, server_isn = ISN[port]
        ends = (port, 80) if from_client else (80, port)
        own, other = (client_isn, server_isn) if from_client else (server_isn, client_isn)
        data = payload if isinstance(payload, bytes) else bytes(97 + i % 26 for i in range(payload))
        segment = tcp(*ends, own + seq, other + ack if "A" in flags else 0, flags, window, options, data)
        packet = ipv4(*((CLIENT, SERVER) if from_client else (SERVER, CLIENT)), segment)
        frame = ethernet(packet, pad=0 if from_client else LEAST)
        self.frames.append(Frame(T0 + len(self.frames) * 10 * MS, frame, len(frame)))

    def c(self, *arguments, **options) -> None:
        self.add(True, *arguments, **options)

    def s(self, *arguments, **options) -> None:
        self.add(False, *arguments, **options)


def capture() -> bytes:
    page, a, b = Page(), 5672, 5673
    page.c(a, "S", 0, 0, options=OFFER)                                              # 1
    page.s(a, "SA", 0, 1, window=8192, options=OFFER)
    page.c(a, "A", 1, 1)
    page.c(a, "PA", 1, 1, b"GET / HTTP/1.1\r\n".ljust(363, b"."))
    page.s(a, "A", 1, 364, window=6432)                                              # 5
    page.s(a, "PA", 1, 364, 411, window=6432)
    page.s(a, "A", 412, 364, 1420, window=6432)
    page.c(a, "A", 364, 1832)
    page.s(a, "PA", 1832, 364, 719, window=6432)
    page.c(a, "PA", 364, 2551, 438)                                                  # 10
    page.c(b, "S", 0, 0, options=OFFER)
    page.s(a, "A", 2551, 802, window=7504)
    page.s(a, "PA", 2551, 802, 312, window=7504)
    page.s(a, "A", 2863, 802, 1420, window=7504)
    page.c(a, "A", 802, 4283)                                                        # 15
    page.s(a, "PA", 4283, 802, 28, window=7504)
    page.s(a, "PA", 4311, 802, 41, window=7504)
    page.c(a, "A", 802, 4352)
    page.s(b, "SA", 0, 1, window=8192, options=OFFER)
    page.c(b, "A", 1, 1)                                                             # 20
    page.c(b, "PA", 1, 1, 411)
    page.s(b, "A", 1, 412, window=6432)
    page.s(b, "PA", 1, 412, 310, window=6432)
    page.s(b, "A", 311, 412, 1420, window=6432)
    page.c(b, "A", 412, 1731)                                                        # 25
    page.s(b, "A", 1731, 412, 1420, window=6432)
    page.s(b, "PA", 3151, 412, 747, window=6432)
    page.c(b, "A", 412, 3898)
    page.s(b, "FA", 3898, 412, window=6432)
    page.c(b, "A", 412, 3899)                                                        # 30
    page.c(b, "FA", 412, 3899)
    page.s(b, "A", 3899, 413, window=6432)
    page.c(a, "PA", 802, 4352, 399)
    page.s(a, "A", 4352, 1201, window=8576)
    page.s(a, "FA", 4352, 1201, window=8576)                                         # 35
    page.c(a, "A", 1201, 4353)
    page.c(a, "FA", 1201, 4353)
    page.s(a, "A", 4353, 1202, window=8576)
    return pcap(page.frames)
