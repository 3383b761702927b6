"""What the relay needs to know of a packet: its connection, its sequence space, its bytes' position."""
from __future__ import annotations

import struct
from dataclasses import dataclass

FIN, SYN, RST = 1, 2, 4


@dataclass(frozen=True)
class Segment:
    ends: tuple[bytes, bytes]                  # address and port: from, to
    seq: int
    payload: int
    flags: int

    @property
    def takes(self) -> int:
        """Sequence numbers taken: payload, SYN and FIN; a reset takes none."""
        return 0 if self.flags & RST else self.payload + bool(self.flags & SYN) + bool(self.flags & FIN)


def parse(frame: bytes) -> Segment | None:
    """The TCP segment of an Ethernet frame with plain IPv4 or IPv6."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == 6:
        at = 14 + (frame[14] & 15) * 4
        total = struct.unpack_from(">H", frame, 16)[0] + 14
        source, target = frame[26:30], frame[30:34]
    elif kind == b"\x86\xdd" and frame[20] == 6:
        at, total = 54, struct.unpack_from(">H", frame, 18)[0] + 54
        source, target = frame[22:38], frame[38:54]
    else:
        return None
    ports, seq, offset_flags = frame[at:at + 4], *struct.unpack_from(">I4xH", frame, at + 4)
    payload = total - at - (offset_flags >> 12) * 4
    return Segment((source + ports[:2], target + ports[2:]), seq, payload, offset_flags & 0x3F)


def too_big(frame: bytes, mtu: int) -> bytes:
    """The router's answer to an IPv4 packet that does not fit: ICMP type 3, code 4 (RFC 1191)."""
    quoted = frame[14:14 + 28]
    body = struct.pack(">BBHHH", 3, 4, 0, 0, mtu) + quoted
    body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0) + frame[30:34] + frame[26:30]
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return frame[6:12] + frame[:6] + b"\x08\x00" + head + body


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
