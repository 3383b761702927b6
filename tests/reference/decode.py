"""What a frame on Ethernet shows of TCP, the slow and obvious way: slices and dictionaries, one rule after the other.

Covers VLAN tags, IPv4 with options, IPv6 with extension headers, TCP with options.  ``decode`` returns None for
a frame that is no TCP segment, else the values by the names of SEGMENT, absent ones left out.
"""
from __future__ import annotations

from tcpcore.flags import Damage

VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
IPV6_OPTIONS, IPV6_ROUTING, IPV6_SHIM = (0, 60), 43, 140
HOME_ADDRESS = 201                                          # RFC 6275
ROUTE_SOURCE, ROUTE_MOBILE, ROUTE_RPL, ROUTE_SEGMENTS = 0, 2, 3, 4
ONLY_LENGTH = {2: 4, 3: 3, 4: 2, 6: 6, 7: 6, 8: 10, 11: 6, 12: 6, 13: 6, 19: 18, 20: 4, 21: 6, 22: 2, 23: 2, 27: 8,
               28: 4}                                       # of TCP options
M64 = (1 << 64) - 1


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def decode(frame: bytes, wire_len: int | None = None) -> dict[str, int] | None:
    """``frame`` as captured, ``wire_len`` its length on the wire; only frames with one IP header and whole packets."""
    found: dict[str, int] = {"frame_len": len(frame) if wire_len is None else wire_len, "cap_len": len(frame)}
    rest, length = frame[14:], found["frame_len"] - 14      # captured bytes, and how many there were on the wire
    if len(frame) < 14:
        return None
    ethertype = number(frame[12:14])
    while ethertype in VLAN_TYPES:
        if len(rest) < 4:
            return None
        if ethertype != 0x88A8:
            found.setdefault("vlan", number(rest[:2]) & 0xFFF)
        ethertype = number(rest[2:4])
        rest, length = rest[4:], length - 4
    if ethertype == 0x0800:
        return ipv4(found, rest, length)
    if ethertype == 0x86DD:
        return ipv6(found, rest, length)
    return None


def ipv4(found: dict[str, int], rest: bytes, length: int) -> dict[str, int] | None:
    if len(rest) < 20 or rest[0] >> 4 != 4:
        return None
    header, total = (rest[0] & 15) * 4, number(rest[2:4])
    if header < 20 or len(rest) < header or 0 < total < header:
        return None
    if total:                                               # LN-4: 0 means the rest of the frame
        length = min(length, total)                         # LN-5
    assert not number(rest[6:8]) & 0x3FFF, "fragments have a model of their own"
    found |= {"ip_len": length if total else 0}
    found |= {"ip_version": 4, "tos": rest[1], "ip_id": number(rest[4:6]), "ip_flags": rest[6] >> 5, "ttl": rest[8],
              "src_lo": 0xFFFF << 32 | number(rest[12:16]), "dst_lo": 0xFFFF << 32 | number(rest[16:20])}
    if rest[9] != 6:
        return None
    return tcp(found, rest[header:length], length - header)


def ipv6(found: dict[str, int], rest: bytes, length: int) -> dict[str, int] | None:
    if len(rest) < 40 or rest[0] >> 4 != 6:
        return None
    found |= {"ip_version": 6, "tos": number(rest[:2]) >> 4 & 0xFF, "ttl": rest[7]}
    ends = {"src": rest[8:24], "dst": rest[24:40]}
    following = rest[6]
    length = min(length - 40, number(rest[4:6]))
    found["ip_len"] = 40 + length
    rest = rest[40:][:length]
    while following in (*IPV6_OPTIONS, IPV6_ROUTING, IPV6_SHIM):
        if len(rest) < 8:
            return None
        size = (rest[1] + 1) * 8
        if len(rest) < size:
            return None
        if following in IPV6_OPTIONS and not home_address(ends, rest, size):
            return None
        if following == IPV6_ROUTING and not route(ends, rest[:size]):
            return None
        following, rest, length = rest[0], rest[size:], length - size
    for end, address in ends.items():
        found[f"{end}_hi"], found[f"{end}_lo"] = divmod(number(address), 1 << 64)
    return tcp(found, rest, length) if following == 6 else None


def home_address(ends: dict[str, bytes], rest: bytes, size: int) -> bool:
    """The source is the last home address, wherever it ends; False if any of the options was not captured."""
    at = 2
    while at + 1 < size:
        if rest[at] == 0:                                   # padding of one byte
            at += 1
            continue
        if rest[at] == HOME_ADDRESS:
            if len(rest) < at + 18:
                return False
            ends["src"] = rest[at + 2:at + 18]
        at += 2 + rest[at + 1]
    return at <= len(rest)


def route(ends: dict[str, bytes], header: bytes) -> bool:
    """While segments are left the route's last address is the destination; False if there is less than announced."""
    kind, left, addresses = header[2], header[3], header[8:]
    last = b""
    if kind == ROUTE_SOURCE:
        last = addresses[:len(addresses) // 16 * 16][-16:]
    elif kind in (ROUTE_MOBILE, ROUTE_SEGMENTS):
        if len(addresses) < (16 if kind == ROUTE_MOBILE else 16 * (header[4] + 1)):
            return False
        last = addresses[:16]
    elif kind == ROUTE_RPL:                                 # RFC 6554: what all share with the destination is left out
        each, end = 16 - (header[4] >> 4), 16 - (header[4] & 15)
        before = len(addresses) - (header[5] >> 4) - end
        if -each < before < 0:
            return False
        if before >= 0:
            last = addresses[before // each * each:][:end]
    if left and last:
        ends["dst"] = ends["dst"][:16 - len(last)] + last
    return True


def tcp(found: dict[str, int], rest: bytes, length: int) -> dict[str, int] | None:
    """LN-3: how much of the header is there decides what is shown."""
    rest = rest[:max(length, 0)]
    if len(rest) < 4:
        return None
    found |= {"src_port": number(rest[0:2]), "dst_port": number(rest[2:4]), "damage": 0}
    if len(rest) < 16:
        return found | {"damage": Damage.PORTS_ONLY}
    header = (rest[12] >> 4) * 4
    found |= {"seq_raw": number(rest[4:8]), "ack_raw": number(rest[8:12]), "hdr_len": header,
              "flags": number(rest[12:14]) & 0xFFF, "window": number(rest[14:16])}
    found["payload_captured"] = max(0, len(rest) - header)
    if length < header:                                     # LN-6
        found["damage"] |= Damage.SHORT_SEGMENT
    else:
        found["payload_len"] = length - header
    if header < 20:                                         # LN-7
        found["damage"] |= Damage.BOGUS_HEADER_LENGTH
    elif len(rest) < 20:
        found["damage"] |= Damage.HEADER_CUT
    else:
        found |= {"checksum": number(rest[16:18]), "urgent": number(rest[18:20])}
        if len(rest) < header:
            found["damage"] |= Damage.OPTIONS_CUT
        options(found, rest[20:header], header - 20)
    return found


def options(found: dict[str, int], rest: bytes, size: int) -> None:
    """LN-9; the first of a kind counts, one of a wrong length does not."""
    while rest:
        kind = rest[0]
        if kind == 0:
            return
        length = 1 if kind == 1 else rest[1] if len(rest) > 1 else 0
        if len(rest) == 1 and kind != 1:
            return
        if (kind != 1 and length < 2) or length > size:
            found["damage"] |= Damage.OPTIONS_MALFORMED
            if length < 2 or size - len(rest) <= 2:
                found["damage"] &= ~Damage.OPTIONS_CUT
            return
        if length <= len(rest):
            option(found, kind, rest[2:length])
            if found["damage"] & Damage.SACK_BROKEN:
                return
        else:
            if length == size and length != ONLY_LENGTH.get(kind, length):
                found["damage"] &= ~Damage.OPTIONS_CUT
            if len(rest) >= 6:
                cut_option(found, kind, length, rest[2:])
        rest, size = rest[length:], size - length


def option(found: dict[str, int], kind: int, value: bytes) -> None:
    if kind == 2 and len(value) == 2:
        found.setdefault("mss", number(value))
    elif kind == 3 and len(value) == 1:
        found.setdefault("wscale", number(value))
    elif kind == 8 and len(value) == 8 and "tsecr" not in found:
        found |= {"tsval": number(value[:4]), "tsecr": number(value[4:])}
    elif kind == 5 and "sack_count" not in found:
        found["sack_count"] = len(value) // 8
        if len(value) < 8:
            found["damage"] |= Damage.SACK_BROKEN
        edges(found, value)


def cut_option(found: dict[str, int], kind: int, length: int, value: bytes) -> None:
    """The capture ends in the option: what is there of it counts."""
    if kind == 8 and length == 10 and "tsval" not in found:
        found["tsval"] = number(value[:4])
    elif kind == 5 and "sack_count" not in found:
        found["sack_count"] = len(value) // 8
        edges(found, value)


def edges(found: dict[str, int], value: bytes) -> None:
    for i in range(min(len(value) // 4, 8)):
        found[f"sack_{'re' if i % 2 else 'le'}{i // 2}"] = number(value[4 * i:4 * i + 4])
