"""Frames whose IP, ICMP or TCP headers are odd, each by name; the tests say what is to be read in them."""
from __future__ import annotations

import ipaddress
import struct

from packets import (
    NOP,
    SACK_PERMITTED,
    T0,
    Frame,
    checksum,
    ethernet,
    ipv4,
    ipv6,
    mss,
    sack,
    tcp,
    timestamps,
    wscale,
)

A4, B4, A6, B6 = "10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"
SEGMENT = tcp(50000, 80, 1000, 2000, "PA", 4000, payload=b"0123456789")     # 20 + 10 bytes
LARGE = tcp(50000, 80, 1000, 2000, "PA", 4000, payload=bytes(65600))
JUMBO = b"\xC2\x04"
HOME, OTHER = (ipaddress.IPv6Address(text).packed for text in ("fd00::77", "fd00::66"))


def v4(payload: bytes = SEGMENT, proto: int = 6, **fields) -> bytes:
    return ethernet(ipv4(A4, B4, payload, proto, **fields))


def v6(payload: bytes = SEGMENT, next_header: int = 6, **fields) -> bytes:
    return ethernet(ipv6(A6, B6, payload, next_header, **fields))


def extension(following: int, body: bytes) -> bytes:
    """A hop-by-hop, destination or routing header of whatever multiple of 8 bytes the body needs."""
    body += b"\0" * (-(len(body) + 2) % 8)
    return bytes([following, (len(body) + 2) // 8 - 1]) + body


def route(kind: int, left: int, fields: bytes, *addresses: bytes) -> bytes:
    """A routing header before the segment; ``fields`` are the four bytes behind the segments left."""
    return extension(6, bytes([kind, left]) + fields + b"".join(addresses)) + SEGMENT


def headed(options: bytes, flags="A", payload: bytes = b"") -> bytes:
    return v4(tcp(50000, 80, 1000, 2000, flags, 4000, options, payload))


def cut(frame: bytes, captured: int) -> Frame:
    """The first ``captured`` bytes of a frame."""
    return Frame(T0, frame[:captured], len(frame))


def cut_options(options: bytes, captured: int) -> Frame:
    return cut(headed(options, payload=b"x" * 30), 54 + captured)


def icmp(kind: int, code: int, rest: int, quoted: bytes) -> bytes:
    body = struct.pack(">BBHI", kind, code, 0, rest) + quoted
    return body[:2] + struct.pack(">H", checksum(body)) + body[4:]


def quoted4(kind: int, code: int = 0, rest: int = 0, *, keep: int = 48, segment: bytes = SEGMENT) -> bytes:
    """An ICMP error with the first ``keep`` bytes of a packet from B to A."""
    return v4(icmp(kind, code, rest, ipv4(B4, A4, segment, ttl=7, tos=4, ident=9)[:keep]), 1)


def quoted6(kind: int, code: int = 0, rest: int = 0) -> bytes:
    return v6(icmp(kind, code, rest, ipv6(B6, A6, SEGMENT, hop_limit=7)), 58)


NETWORK = {
    "plain": v4(),
    "padding": ethernet(ipv4(A4, B4, tcp(50000, 80, 1000, payload=b"xyz")), pad=60),
    "padding without payload": ethernet(ipv4(A4, B4, tcp(50000, 80, 1000)), pad=60),
    "total length 0": v4(total=0),
    "total length 0, padded": ethernet(ipv4(A4, B4, tcp(50000, 80, 1000), total=0), pad=60),
    "total length below the header": v4(total=19),
    "total length beyond the frame": v4(total=2000),
    "total length cuts the TCP header": v4(total=30),
    "total length of the IP header alone": v4(total=20),
    "first fragment, cut": cut(v4(fragment=0x2000), 60),
    "first fragment, cut, with IPv4 in it": cut(v4(ipv4(A4, B4, SEGMENT), 4, fragment=0x2000), 80),
    "first fragment, cut, with IPv6 in it": cut(v4(ipv6(A6, B6, SEGMENT), 41, fragment=0x2000), 100),
    "IPv4 options": v4(options=b"\x94\x04\0\0\x01\x01\x01\x00"),
    "IPv4 header length 16": ethernet(b"\x44" + ipv4(A4, B4, SEGMENT)[1:], 0x0800),
    "IPv4 version 5": ethernet(b"\x55" + ipv4(A4, B4, SEGMENT)[1:], 0x0800),
    "IPv4 header longer than the frame": ethernet(b"\x4F" + ipv4(A4, B4, b"abcd", total=80)[1:], 0x0800),
    "IPv4 that is UDP": v4(struct.pack(">HHHH", 1, 2, 8, 0), 17),
    "IPv4 in the IPv6 EtherType": ethernet(ipv4(A4, B4, SEGMENT), 0x86DD),
    "ARP": ethernet(b"\0\x01\x08\0\x06\x04\0\x01" + b"\0" * 20, 0x0806),
    "ESP": v4(b"\0\0\0\x01\0\0\0\x01" + b"x" * 24, 50),
    "AH, transport": v4(bytes([6, 4, 0, 0]) + b"\0" * 20 + SEGMENT, 51),
    "IPv6": v6(),
    "IPv6 padding": ethernet(ipv6(A6, B6, tcp(50000, 80, 1000)) + b"\0\0\0\0"),
    "IPv6 payload length 0": v6(length=0),
    "IPv6 payload length beyond the frame": v6(length=2000),
    "IPv6 hop-by-hop": v6(extension(6, b"\x05\x02\0\0") + SEGMENT, 0),
    "IPv6 chain": v6(extension(60, b"\x05\x02\0\0") + extension(43, b"\x01\x04") + extension(6, b"\0\0") + SEGMENT, 0),
    "IPv6 jumbo": v6(extension(6, JUMBO + struct.pack(">I", 8 + len(LARGE))) + LARGE, 0, length=0),
    "IPv6 jumbo too small": v6(extension(6, JUMBO + struct.pack(">I", 8 + len(SEGMENT))) + SEGMENT, 0, length=0),
    "IPv6 atomic fragment": v6(struct.pack(">BBHI", 6, 0, 0, 7) + SEGMENT, 44),
    "IPv6 home address": v6(extension(6, b"\x01\x02\0\0\xC9\x10" + HOME) + SEGMENT, 60),
    "IPv6 home address that is not there": v6(extension(6, b"\xC9\x10" + HOME[:4])[:8], 60),
    "IPv6 option beyond the packet": v6(extension(6, b"\x1E\x30\0\0\0\0") + SEGMENT, 60),
    "IPv6 option beyond the header": v6(extension(6, b"\x1E\x10\0\0\0\0") + SEGMENT, 60),
    "IPv6 source route": v6(route(0, 1, bytes(4), OTHER, HOME), 43),
    "IPv6 source route without an address": v6(route(0, 1, bytes(4)), 43),
    "IPv6 route used up": v6(route(0, 0, bytes(4), OTHER, HOME), 43),
    "IPv6 mobile route": v6(route(2, 1, bytes(4), HOME), 43),
    "IPv6 mobile route without its address": v6(route(2, 1, bytes(4)), 43),
    "IPv6 RPL route": v6(route(3, 2, b"\x8F\x70\0\0", OTHER[8:], HOME[-1:]), 43),
    "IPv6 segments": v6(route(4, 1, b"\x01\0\0\0", HOME, OTHER), 43),
    "IPv6 segments that are missing": v6(route(4, 1, b"\x02\0\0\0", HOME, OTHER), 43),
    "IPv6 experimental route": v6(route(253, 1, bytes(4), HOME), 43),
    "IPv6 AH": v6(bytes([6, 4, 0, 0]) + b"\0" * 20 + SEGMENT, 51),
    "IPv6 no next header": v6(b"", 59),
}

TCP = {
    "SYN with the usual options": headed(
        mss(1400) + SACK_PERMITTED + timestamps(7, 0) + NOP + wscale(9), "S"),
    "timestamps": headed(NOP + NOP + timestamps(11, 12)),
    "one SACK block": headed(NOP + NOP + sack((100, 200))),
    "four SACK blocks": headed(NOP + NOP + sack((1, 2), (3, 4), (5, 6), (7, 8))),
    "SACK block and timestamps": headed(NOP + NOP + timestamps(1, 2) + NOP + NOP + sack((100, 200))),
    "SACK of 6 bytes": headed(b"\x05\x06\0\0\0\x01" + NOP + NOP),
    "SACK of four blocks and a half": headed(b"\x05\x26" + bytes(range(1, 37)) + NOP + NOP),
    "SACK of all the header": headed(b"\x05\x28" + bytes(32) + b"\xff" * 6),
    "SACK of 2 bytes": headed(b"\x05\x02" + NOP + NOP),
    "SACK of 2 bytes, then another": headed(b"\x05\x02" + mss(1300) + NOP + NOP),
    "option of length 1": headed(b"\xfe\x01" + mss()),
    "option beyond the header": headed(NOP + NOP + NOP + b"\x02"),
    "option longer than the header": headed(b"\x13\x12" + NOP + NOP),
    "end of options, then another": headed(b"\x00" + NOP + NOP + NOP + mss()),
    "MSS of a wrong length": headed(b"\x02\x05\x05\xb4\x00" + NOP + wscale(3)),
    "window scale of a wrong length": headed(b"\x03\x04\x01\x01", "S"),
    "two MSS": headed(mss(1000) + mss(2000), "S"),
    "unknown option": headed(b"\x55\x06abcd" + NOP + NOP + mss(1300), "S"),
    "fast open cookie": headed(b"\x22\x0a12345678" + NOP + NOP, "S"),
    "fast open request": headed(b"\x22\x02" + NOP + NOP, "S"),
    "experimental fast open": headed(b"\xfe\x08\xf9\x89abcd", "S"),
    "MPTCP": headed(b"\x1e\x04\x10\x00"),
    "MPTCP without a key": headed(b"\x1e\x04\x01\x81", "S"),
    "MPTCP of a later subtype": headed(b"\x1e\x04\xc0\x00"),
    "all flags": headed(b"", 0xFFF),
    "data offset 4": v4(tcp(50000, 80, 1000, 2000, payload=b"0123456789", offset=4)),
    "data offset 0": v4(tcp(50000, 80, 1000, 2000, payload=b"0123456789", offset=0)),
    "data offset beyond the packet": v4(tcp(50000, 80, 1000, 2000, offset=10)),
    "data offset 15 of 60": v4(tcp(50000, 80, 1000, 2000, options=NOP * 40)),
    "urgent": v4(tcp(50000, 80, 1000, 2000, "PAU", urgent=5, payload=b"0123456789")),
    "reset with payload": headed(b"", "RA", b"why"),
    **{f"captured {n} bytes of TCP": cut(headed(NOP + NOP + timestamps(1, 2) + mss(), payload=b"x" * 30), 34 + n)
       for n in (3, 4, 8, 15, 16, 17, 18, 19, 20, 27, 28, 35, 36, 46)},
    "cut in the last option, of a wrong length": cut_options(NOP + NOP + b"\x02\x06\x05\xb4\0\0", 4),
    "cut in the last option, of an unknown kind": cut_options(NOP + NOP + b"\x55\x06\x05\xb4\0\0", 4),
    "cut in an option of a wrong length": cut_options(b"\x02\x06\x05\xb4\0\0" + NOP + NOP, 4),
    "cut two bytes behind an option beyond the header": cut_options(mss() + b"\xfe\x50" + bytes(6), 10),
    "cut three bytes behind an option beyond the header": cut_options(mss() + b"\xfe\x50" + bytes(6), 9),
    "cut behind the end of options": cut_options(mss() + b"\0" + NOP * 7, 10),
}

ICMP = {
    "unreachable": quoted4(3, 1),
    "fragmentation needed": quoted4(3, 4, 1400),
    "time exceeded": quoted4(11),
    "parameter problem": quoted4(12),
    "source quench": quoted4(4),
    "redirect": quoted4(5, 1, 0x0A000009),
    "echo": quoted4(8),
    "quoting 8 bytes": quoted4(3, 3, keep=28),
    "quoting 4 bytes": quoted4(3, 3, keep=24),
    "quoting 3 bytes": quoted4(3, 3, keep=23),
    "quoting 16 bytes": quoted4(3, 3, keep=36),
    "quoting 18 bytes": quoted4(3, 3, keep=38),
    "quoting 20 bytes": quoted4(3, 3, keep=40),
    "quoting a part of the last option": quoted4(11, keep=48, segment=tcp(
        80, 50000, 2000, 1000, options=NOP + NOP + timestamps(1, 2), payload=b"data")),
    "quoting a part of an option before the last": quoted4(11, keep=48, segment=tcp(
        80, 50000, 2000, 1000, options=NOP + NOP + timestamps(1, 2) + NOP * 4, payload=b"data")),
    **{f"quoting a broken {name} option": quoted4(3, 1, keep=60, segment=tcp(
        80, 50000, 2000, 1000, options=option + mss(1300) + NOP + NOP))
       for name, option in (("SACK", b"\x05\x02"), ("MPTCP", b"\x1e\x02"))},
    "quoting UDP": v4(icmp(3, 3, 0, ipv4(B4, A4, struct.pack(">HHHH", 1, 2, 8, 0), 17)), 1),
    "packet too big": quoted6(2, 0, 1280),
    "ICMPv6 unreachable": quoted6(1, 4),
    "ICMPv6 time exceeded": quoted6(3),
    "ICMPv6 parameter problem": quoted6(4),
    "ICMPv6 echo": quoted6(128),
}
