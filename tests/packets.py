"""Builds frames, conversations and capture files for the tests, byte by byte.

Shares no code with the parser.  Times are integer nanoseconds.
"""
from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
M32 = 0xFFFFFFFF
FLAG_BITS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "W": 128, "N": 256}

NOP = b"\x01"
SACK_PERMITTED = b"\x04\x02"


def mss(value: int = 1460) -> bytes:
    return struct.pack(">BBH", 2, 4, value)


def wscale(shift: int) -> bytes:
    return bytes([3, 3, shift])


def timestamps(value: int, echo: int = 0) -> bytes:
    return struct.pack(">BBII", 8, 10, value & M32, echo & M32)


def sack(*blocks: tuple[int, int]) -> bytes:
    body = b"".join(struct.pack(">II", left & M32, right & M32) for left, right in blocks)
    return bytes([5, 2 + len(body)]) + body


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def flag_bits(flags: str | int) -> int:
    return flags if isinstance(flags, int) else sum(FLAG_BITS[letter] for letter in flags)


def tcp(sport, dport, seq, ack=0, flags="A", window=65535, options=b"", payload=b"", *, offset=None, urgent=0) -> bytes:
    """A TCP header with its payload; the checksum is left 0."""
    options += b"\0" * (-len(options) % 4)
    words = (20 + len(options)) // 4 if offset is None else offset
    return struct.pack(">HHIIHHHH", sport, dport, seq & M32, ack & M32, words << 12 | flag_bits(flags), window, 0,
                       urgent) + options + payload


def ipv4(src, dst, payload, proto=6, *, ident=1, fragment=0, total=None, ttl=64, tos=0, options=b"") -> bytes:
    """``fragment`` is the raw field: flags << 13 | offset / 8; 0x4000 is DF."""
    length = 20 + len(options)
    head = struct.pack(">BBHHHBBH4s4s", 0x40 | length // 4, tos, length + len(payload) if total is None else total,
                       ident, fragment, ttl, proto, 0, ipaddress.ip_address(src).packed,
                       ipaddress.ip_address(dst).packed) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(src, dst, payload, next_header=6, *, length=None, hop_limit=64) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(payload) if length is None else length, next_header, hop_limit) + \
        ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed + payload


def ip(src, dst, payload, proto=6, **fields) -> bytes:
    return (ipv6 if ":" in str(src) else ipv4)(src, dst, payload, proto, **fields)


def ethernet(payload, ethertype=None, *, vlans=(), pad=0) -> bytes:
    """``ethertype`` is taken from the IP version unless given; ``vlans`` are 802.1Q tag values."""
    if ethertype is None:
        ethertype = 0x86DD if payload[:1] and payload[0] >> 4 == 6 else 0x0800
    tags = b"".join(struct.pack(">HH", 0x8100, tag) for tag in vlans)
    frame = bytes.fromhex("020000000002020000000001") + tags + struct.pack(">H", ethertype) + payload
    return frame + b"\0" * max(0, pad - len(frame))


@dataclass
class Frame:
    time: int
    data: bytes
    wire_len: int


def pcap(frames, *, link_type=1, nano=False, order="<", snaplen=262144, magic=None) -> bytes:
    """A classic pcap file; ``order`` is a struct byte-order character."""
    magic = (0xA1B23C4D if nano else 0xA1B2C3D4) if magic is None else magic
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type)]
    for frame in frames:
        seconds, rest = divmod(frame.time, 1_000_000_000)
        out.append(struct.pack(order + "IIII", seconds, rest if nano else rest // 1000, len(frame.data),
                               frame.wire_len) + frame.data)
    return b"".join(out)


def pcapng_block(kind: int, body: bytes, order="<") -> bytes:
    body += b"\0" * (-len(body) % 4)
    total = 12 + len(body)
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", total)


def pcapng_option(code: int, value: bytes, order="<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def pcapng_section(order="<", options=b"") -> bytes:
    return pcapng_block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options, order)


def pcapng_interface(link_type=1, *, snaplen=0, order="<", options=b"") -> bytes:
    return pcapng_block(1, struct.pack(order + "HHI", link_type, 0, snaplen) + options, order)


def pcapng_packet(frame: Frame, interface=0, *, order="<", units_per_second=1_000_000, options=b"") -> bytes:
    ticks = frame.time * units_per_second // 1_000_000_000
    data = frame.data + b"\0" * (-len(frame.data) % 4)
    return pcapng_block(6, struct.pack(order + "IIIII", interface, ticks >> 32, ticks & M32, len(frame.data),
                                       frame.wire_len) + data + options, order)


def pcapng(frames, *, link_type=1, order="<") -> bytes:
    return b"".join([pcapng_section(order), pcapng_interface(link_type, order=order),
                     *(pcapng_packet(frame, order=order) for frame in frames)])


@dataclass
class Conversation:
    """Frames of one or more connections in capture order.

    ``c`` and ``s`` add a segment from client or server; ``seq`` and ``ack`` are relative to the two
    ISNs; ``dt`` is the time since the frame before, in nanoseconds.
    """

    client: str = "10.0.0.1"
    server: str = "10.0.0.2"
    sport: int = 50000
    dport: int = 60000
    client_isn: int = 1_000_000
    server_isn: int = 5_000_000
    window: int = 65535
    frames: list[Frame] = field(default_factory=list)
    time: int = T0

    def raw(self, data: bytes, dt: int = 10 * MS, snap: int | None = None) -> Conversation:
        if self.frames:
            self.time += dt
        self.frames.append(Frame(self.time, data if snap is None else data[:snap], len(data)))
        return self

    def _send(self, ends, flags, seq, ack, payload, dt, window, options, snap, ip_fields, tcp_fields, vlans):
        src, dst, sport, dport = ends
        if isinstance(payload, int):
            payload = bytes(97 + (seq + i) % 26 for i in range(payload))
        header = tcp(sport, dport, seq, ack, flags, self.window if window is None else window, options, payload,
                     **(tcp_fields or {}))
        return self.raw(ethernet(ip(src, dst, header, **(ip_fields or {})), vlans=vlans), dt, snap)

    def c(self, flags, seq, ack=None, payload=b"", *, dt=10 * MS, window=None, options=b"", snap=None, ip_fields=None,
          tcp_fields=None, vlans=()):
        raw_ack = 0 if ack is None else self.server_isn + ack
        return self._send((self.client, self.server, self.sport, self.dport), flags, self.client_isn + seq, raw_ack,
                          payload, dt, window, options, snap, ip_fields, tcp_fields, vlans)

    def s(self, flags, seq, ack=None, payload=b"", *, dt=10 * MS, window=None, options=b"", snap=None, ip_fields=None,
          tcp_fields=None, vlans=()):
        raw_ack = 0 if ack is None else self.client_isn + ack
        return self._send((self.server, self.client, self.dport, self.sport), flags, self.server_isn + seq, raw_ack,
                          payload, dt, window, options, snap, ip_fields, tcp_fields, vlans)

    def handshake(self, rtt=20 * MS, client_options=b"", server_options=b""):
        """SYN, SYN+ACK, ACK; the initial RTT is ``rtt``."""
        self.c("S", 0, options=mss() + client_options)
        self.s("SA", 0, 1, options=mss() + server_options, dt=rtt // 2)
        return self.c("A", 1, 1, dt=rtt - rtt // 2)

    def pcap(self, **fields) -> bytes:
        return pcap(self.frames, **fields)
