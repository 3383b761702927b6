"""Builds what lies around a TCP packet: link layers, tags, tunnels, each by its own document.

``LINKS`` and ``TUNNELS`` name every encapsulation with the header bytes spelt out.  Shares no code with the decoder.
"""
from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from packets import ethernet, ipv4, ipv6

MAC_A, MAC_B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
CHECK = b"\xFC\x5C\x5C\x5C"                       # stands for a frame check sequence
OUTER4, OUTER6 = ("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")


def ethertype(packet: bytes) -> bytes:
    return b"\x86\xDD" if packet[0] >> 4 == 6 else b"\x08\x00"


def family(packet: bytes) -> int:
    return 30 if packet[0] >> 4 == 6 else 2


def ppp(packet: bytes) -> bytes:
    """The two bytes of the PPP protocol, then the packet."""
    return (b"\0\x57" if packet[0] >> 4 == 6 else b"\0\x21") + packet


def llc_snap(packet: bytes) -> bytes:
    """IEEE 802.2 with a SNAP header of organisation 0."""
    return bytes.fromhex("aaaa03000000") + ethertype(packet) + packet


def ieee802_3(body: bytes) -> bytes:
    """Ethernet with a length instead of an EtherType."""
    return MAC_B + MAC_A + struct.pack(">H", len(body)) + body


def universal(packet: bytes) -> bytes:
    """Ethernet between addresses that a maker gave, by which tshark tells a pseudowire without control word."""
    return bytes.fromhex("000c29000002000c29000001") + ethertype(packet) + packet


def tagged(number: int, tag: bytes) -> Callable[[bytes], bytes]:
    """Ethernet with EtherType ``number``, the tag, then the packet's EtherType."""
    return lambda packet: ethernet(tag + ethertype(packet) + packet, number)


def wlan(body: bytes, *, control=b"\x08\x00", extra=b"") -> bytes:
    """802.11 data frame: control 2, duration 2, three addresses, sequence 2, then ``extra``."""
    return control + b"\0\0" + MAC_A + MAC_B + MAC_A + b"\x10\0" + extra + body


def radiotap(frame: bytes, *, flags=0, present=0x02) -> bytes:
    """Version 1, pad 1, length 2, present 4; the flags field is the only one unless a time precedes it."""
    fields = (b"\0" * 8 if present & 1 else b"") + bytes([flags])
    return struct.pack("<BBHI", 0, 0, 8 + len(fields), present) + fields + frame


def ppi(frame: bytes, *, flags=0) -> bytes:
    """PPI with its 802.11-Common field of 20 bytes; flags are its third value."""
    common = struct.pack("<HH", 2, 20) + struct.pack("<QHHHHbbbb", 0, flags, 0, 0, 0, 0, 0, 0, 0)
    return struct.pack("<BBHI", 0, 0, 8 + len(common), 105) + common + frame


def frame_relay(body: bytes) -> bytes:
    return b"\x18\x41" + body


def nflog(packet: bytes) -> bytes:
    """A prefix attribute (10) of 5 bytes, padded to 8, then the payload attribute (9)."""
    number = b"\x0a" if packet[0] >> 4 == 6 else b"\x02"
    return (number + b"\0\0\0" + struct.pack("<HH", 5, 10) + b"\0" * 4
            + struct.pack("<HH", 4 + len(packet), 9) + packet)


def pktap(frame: bytes) -> bytes:
    """Darwin's header: length 4, record type 4, link type 4, ... 108 bytes."""
    return struct.pack("<III", 108, 1, 1) + b"en0".ljust(24, b"\0") + b"\0" * 72 + frame


def juniper(body: bytes, *, flags=0x81) -> bytes:
    """Magic, flags; 0x80: one extension of 4 bytes follows its length."""
    extension = struct.pack(">H", 4) + b"\x01\x02\x00\x09" if flags & 0x80 else b""
    return b"\x4d\x47\x43" + bytes([flags]) + extension + body


def udp(sport: int, dport: int, body: bytes, *, length: int | None = None) -> bytes:
    return struct.pack(">HHHH", sport, dport, 8 + len(body) if length is None else length, 0) + body


def over_udp(port: int, header: bytes = b"") -> Callable[[bytes], bytes]:
    """Each tunnel has source ports of its own: tshark goes on with the tunnel that a pair of ports first carried."""
    return lambda body: ethernet(ipv4(*OUTER4, udp(49152 + port % 1000, port, header + body), 17))


def over_ipv4(protocol: int, header: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda body: ethernet(ipv4(*OUTER4, header + body, protocol))


def gre(flags: int, body: bytes, protocol: int | None = None, fields: bytes = b"") -> bytes:
    number = ethertype(body) if protocol is None else struct.pack(">H", protocol)
    return struct.pack(">H", flags) + number + fields + body


def over_gre(flags: int, protocol: int | None, fields: bytes, wrap=lambda packet: packet) -> Callable[[bytes], bytes]:
    return lambda packet: ethernet(ipv4(*OUTER4, gre(flags, wrap(packet), protocol, fields), 47))


def mpls(label: int, body: bytes, *, bottom=True) -> bytes:
    return struct.pack(">I", label << 12 | bottom << 8 | 64) + body


def number_of(packet: bytes) -> int:
    """The protocol number of the packet inside IP."""
    return 41 if packet[0] >> 4 == 6 else 4


@dataclass(frozen=True)
class Encapsulation:
    link_type: int
    wrap: Callable[[bytes], bytes]
    kind: str = ""                 # TunnelKind, without its prefix
    identifier: int | None = None
    vlan: int | None = None
    versions: str = "46"           # of IP it can carry
    depth: int = 0                 # IP headers before the innermost


LINKS = {
    "ethernet": Encapsulation(1, ethernet),
    "ethernet VLAN": Encapsulation(1, lambda p: ethernet(p, vlans=(0x6005,)), vlan=5),
    "ethernet two VLANs": Encapsulation(1, lambda p: ethernet(p, vlans=(5, 9)), vlan=5),
    "ethernet 802.1ad": Encapsulation(1, tagged(0x88A8, b"\0\x07\x81\0\0\x09"), vlan=9),
    "ethernet 802.1ad alone": Encapsulation(1, tagged(0x88A8, b"\0\x07")),
    "ethernet 0x9100": Encapsulation(1, tagged(0x9100, b"\0\x07"), vlan=7),
    "ethernet E-tag": Encapsulation(1, tagged(0x893F, b"\0\0\x10\x05\0\0")),
    "ethernet VN-tag": Encapsulation(1, tagged(0x8926, b"\0\x05\0\x07")),
    "ethernet MACsec, not encrypted": Encapsulation(1, tagged(0x88E5, b"\0\0\0\0\0\x01")),
    "ethernet MACsec with channel": Encapsulation(1, tagged(0x88E5, b"\x20\0\0\0\0\x01" + b"\x02" * 8)),
    "802.3 SNAP": Encapsulation(1, lambda p: ieee802_3(llc_snap(p))),
    "802.3 SNAP after VLAN": Encapsulation(
        1, lambda p: ethernet(b"\0\x05" + struct.pack(">H", len(llc_snap(p))) + llc_snap(p), 0x8100), vlan=5),
    "802.3 LLC IP": Encapsulation(1, lambda p: ieee802_3(b"\x06\x06\x03" + p), versions="4"),
    "bridged Ethernet in SNAP": Encapsulation(
        1, lambda p: ieee802_3(bytes.fromhex("aaaa030080c200070000") + ethernet(p)), kind="MIRROR"),
    "null little-endian": Encapsulation(0, lambda p: struct.pack("<I", family(p)) + p),
    "null big-endian": Encapsulation(0, lambda p: struct.pack(">I", family(p)) + p),
    "null, family of 16 bits": Encapsulation(0, lambda p: b"\x02\0\x02\0" + p),
    "null, family of 16 bits first": Encapsulation(0, lambda p: b"\0\x02\0\0" + p),
    "null FreeBSD": Encapsulation(0, lambda p: struct.pack("<I", 28) + p, versions="6"),
    "null NetBSD": Encapsulation(0, lambda p: struct.pack("<I", 24) + p, versions="6"),
    "loop": Encapsulation(108, lambda p: struct.pack(">I", family(p)) + p),
    "raw": Encapsulation(101, bytes),
    "raw BSD": Encapsulation(12, bytes),
    "raw OpenBSD": Encapsulation(14, bytes),
    "raw PPP after 6 bytes": Encapsulation(101, lambda p: b"\0\1\2\3\4\5\xff\x03" + ppp(p)),
    "raw IPv4": Encapsulation(228, bytes, versions="4"),
    "raw IPv6": Encapsulation(229, bytes, versions="6"),
    "SLL": Encapsulation(113, lambda p: b"\0\0\0\x01\0\x06" + MAC_A + b"\0\0" + ethertype(p) + p),
    "SLL2": Encapsulation(276, lambda p: ethertype(p) + b"\0\0\0\0\0\x02\0\x01\0\x06" + MAC_A + b"\0\0" + p),
    "SLL radiotap": Encapsulation(
        113, lambda p: b"\0\0\x03\x23\0\x06" + MAC_A + b"\0\0\0\x04" + radiotap(wlan(llc_snap(p)))),
    "SLL2 frame relay": Encapsulation(
        276, lambda p: b"\0\x03\0\0\0\0\0\x02\x03\x02\0\x06" + MAC_A + b"\0\0" + frame_relay(ethertype(p) + p)),
    "SLL on a GRE device, Ethernet": Encapsulation(
        113, lambda p: b"\0\0\x03\x0a\0\x06" + MAC_A + b"\0\0\0\x03" + ethernet(p)),
    "SLL VLAN": Encapsulation(
        113, lambda p: b"\0\0\0\x01\0\x06" + MAC_A + b"\0\0\x81\0\0\x05" + ethertype(p) + p, vlan=5),
    "PPP": Encapsulation(9, lambda p: b"\xff\x03" + ppp(p)),
    "PPP without address": Encapsulation(9, lambda p: ppp(p)),
    "PPP compressed protocol": Encapsulation(9, lambda p: b"\xff\x03" + (b"\x57" if p[0] >> 4 == 6 else b"\x21") + p),
    "PPP HDLC": Encapsulation(50, lambda p: b"\xff\x03" + ppp(p)),
    "PPP with direction": Encapsulation(204, lambda p: b"\x01\xff\x03" + ppp(p)),
    "PPPoE link": Encapsulation(
        51, lambda p: struct.pack(">BBHH", 0x11, 0, 77, len(p) + 2) + ppp(p),
        kind="PPPOE", identifier=77),
    "Cisco HDLC": Encapsulation(104, lambda p: b"\x0f\0" + ethertype(p) + p),
    "frame relay NLPID": Encapsulation(
        107, lambda p: frame_relay(b"\x03" + (b"\x8e" if p[0] >> 4 == 6 else b"\xcc") + p)),
    "frame relay SNAP": Encapsulation(107, lambda p: frame_relay(b"\x03\0\x80\0\0\0" + ethertype(p) + p)),
    "frame relay Cisco": Encapsulation(107, lambda p: frame_relay(ethertype(p) + p)),
    "frame relay, address of 6 bytes": Encapsulation(107, lambda p: b"\x18\x40\x40\x40\x40\x41" + ethertype(p) + p),
    "frame relay, address of 1 byte": Encapsulation(
        107, lambda p: b"\x19\x03" + (b"\x8e" if p[0] >> 4 == 6 else b"\xcc") + p),
    "802.11": Encapsulation(105, lambda p: wlan(llc_snap(p))),
    "802.11 QoS": Encapsulation(105, lambda p: wlan(llc_snap(p), control=b"\x88\x01", extra=b"\0\0")),
    "802.11 QoS, four addresses": Encapsulation(
        105, lambda p: wlan(llc_snap(p), control=b"\x88\x03", extra=MAC_B + b"\0\0")),
    "802.11 QoS with HT control": Encapsulation(
        105, lambda p: wlan(llc_snap(p), control=b"\x88\x81", extra=b"\0\0\0\0\0\0")),
    "802.11 A-MSDU": Encapsulation(
        105, lambda p: wlan(MAC_B + MAC_A + struct.pack(">H", len(llc_snap(p))) + llc_snap(p), control=b"\x88\x01",
                            extra=b"\x80\0")),
    "radiotap": Encapsulation(127, lambda p: radiotap(wlan(llc_snap(p)))),
    "radiotap with check sequence": Encapsulation(127, lambda p: radiotap(wlan(llc_snap(p)) + CHECK, flags=0x10)),
    "radiotap with time": Encapsulation(
        127, lambda p: radiotap(wlan(llc_snap(p)) + CHECK, flags=0x10, present=0x03)),
    "radiotap padded": Encapsulation(
        127, lambda p: radiotap(wlan(llc_snap(p), control=b"\x88\x01", extra=b"\0\0\0\0"), flags=0x20)),
    "PPI": Encapsulation(192, lambda p: ppi(wlan(llc_snap(p)))),
    "PPI with check sequence": Encapsulation(192, lambda p: ppi(wlan(llc_snap(p)) + CHECK, flags=1)),
    "Prism": Encapsulation(119, lambda p: struct.pack("<II", 0x44, 144) + b"\0" * 136 + wlan(llc_snap(p))),
    "FDDI": Encapsulation(10, lambda p: b"\x50" + MAC_B + MAC_A + llc_snap(p)),
    "token ring": Encapsulation(6, lambda p: b"\x10\x40" + MAC_B + MAC_A + llc_snap(p)),
    "token ring, routed": Encapsulation(
        6, lambda p: b"\x10\x40" + MAC_B + b"\x82" + MAC_A[1:] + b"\x06\x30\0\x12\0\x20" + llc_snap(p)),
    "ARCNET": Encapsulation(7, lambda p: b"\x01\x02" + (b"\xc4" if p[0] >> 4 == 6 else b"\xd4") + b"\0\0\x01" + p),
    "ARCNET RFC 1051": Encapsulation(7, lambda p: b"\x01\x02\xf0" + p, versions="4"),
    "ARCNET Linux": Encapsulation(
        129, lambda p: b"\x01\x02\0\0" + (b"\xc4" if p[0] >> 4 == 6 else b"\xd4") + b"\0\0\x01" + p),
    "IP over InfiniBand": Encapsulation(242, lambda p: b"\0" * 40 + ethertype(p) + b"\0\0" + p),
    "ATM RFC 1483": Encapsulation(100, llc_snap),
    "SunATM LLC": Encapsulation(123, lambda p: b"\x02\0\0\x20" + llc_snap(p)),
    "SunATM IP": Encapsulation(123, lambda p: b"\0\0\0\x20" + p),
    "SunATM LLC, not said": Encapsulation(123, lambda p: b"\0\0\0\x20" + llc_snap(p)),
    "SunATM PPP": Encapsulation(123, lambda p: b"\x03\0\0\x20\0\x21" + p),
    "SunATM frame relay": Encapsulation(
        123, lambda p: b"\0\0\0\x20" + frame_relay(b"\x03\0\x80\0\0\0" + ethertype(p) + p)),
    "SunATM IP on the circuit of signalling": Encapsulation(123, lambda p: b"\x05\0\0\x05" + p),
    "SLL frame relay, the last small protocol": Encapsulation(
        113, lambda p: b"\0\0\x03\x02\0\x06" + MAC_A + b"\0\0\x06\0" + frame_relay(ethertype(p) + p)),
    "SunATM LAN emulation": Encapsulation(123, lambda p: b"\x01\0\0\x20\0\0" + ethernet(p)),
    "AX.25": Encapsulation(3, lambda p: b"\x82" * 6 + b"\x60" + b"\x84" * 6 + b"\x61\x03\xcc" + p, versions="4"),
    "enc": Encapsulation(109, lambda p: struct.pack("<I", 24 if p[0] >> 4 == 6 else 2) + b"\0" * 8 + p),
    "pflog": Encapsulation(
        117, lambda p: bytes([61, 24 if p[0] >> 4 == 6 else 2, 0, 0]) + b"em0".ljust(16, b"\0") + b"\0" * 44 + p),
    "NFLOG": Encapsulation(239, nflog),
    "PKTAP": Encapsulation(258, lambda p: pktap(ethernet(p))),
    "TZSP": Encapsulation(128, lambda p: b"\x01\0\0\x01\x0a\x01\x30\x01" + ethernet(p), kind="MIRROR"),
    "Juniper Ethernet": Encapsulation(178, lambda p: juniper(ethernet(p))),
    "Juniper PPP": Encapsulation(
        179, lambda p: juniper(b"\xff\x03" + ppp(p))),
    "Juniper HDLC": Encapsulation(181, lambda p: juniper(b"\x0f\0" + ethertype(p) + p)),
    "Juniper frame relay": Encapsulation(
        180, lambda p: juniper(frame_relay(b"\x03" + (b"\x8e" if p[0] >> 4 == 6 else b"\xcc") + p))),
    "Juniper ATM1": Encapsulation(137, lambda p: juniper(b"\0\0\0\x01" + llc_snap(p))),
    "Juniper services": Encapsulation(
        136, lambda p: juniper((b"\x06" if p[0] >> 4 == 6 else b"\x02") + b"\0\0\0" + p, flags=0x02)),
}

TUNNELS = {
    "IP in IPv4": Encapsulation(1, lambda p: over_ipv4(number_of(p))(p), kind="IP", depth=1),
    "IP in IPv6": Encapsulation(1, lambda p: ethernet(ipv6(*OUTER6, p, number_of(p))), kind="IP", depth=1),
    "Ethernet in IP": Encapsulation(1, lambda p: over_ipv4(143)(ethernet(p)), kind="IP", depth=1),
    "GRE": Encapsulation(1, over_gre(0, None, b""), kind="GRE", depth=1),
    "GRE over IPv6": Encapsulation(1, lambda p: ethernet(ipv6(*OUTER6, gre(0, p), 47)), kind="GRE", depth=1),
    "GRE key": Encapsulation(1, over_gre(0x2000, None, b"\0\0\x12\x34"), kind="GRE", identifier=0x1234, depth=1),
    "GRE checksum, key, sequence": Encapsulation(
        1, over_gre(0xB000, None, b"\0\0\0\0\0\0\0\x09\0\0\0\x01"), kind="GRE", identifier=9, depth=1),
    "GRE Ethernet": Encapsulation(1, over_gre(0, 0x6558, b"", ethernet), kind="GRE", depth=1),
    "NVGRE": Encapsulation(
        1, over_gre(0x2000, 0x6558, b"\x00\x13\x88\x07", ethernet), kind="GRE", identifier=0x138807, depth=1),
    "PPTP": Encapsulation(
        1, lambda p: over_ipv4(47)(b"\x30\x81\x88\x0b" + struct.pack(">HHII", len(p) + 4, 3, 1, 1) + b"\xff\x03"
                                   + ppp(p)),
        kind="GRE", identifier=3, depth=1),
    "GRE MPLS": Encapsulation(1, over_gre(0, 0x8847, b"", lambda p: mpls(5, p)), kind="GRE", identifier=5, depth=1),
    "ERSPAN I": Encapsulation(1, over_gre(0, 0x88BE, b"", ethernet), kind="GRE", depth=1),
    "ERSPAN II": Encapsulation(
        1, over_gre(0x1000, 0x88BE, b"\0\0\0\x01" + b"\x10\x05\x08\x7b\0\0\0\x02", ethernet), kind="GRE",
        identifier=0x07B, depth=1),
    "ERSPAN III": Encapsulation(
        1, over_gre(0x1000, 0x22EB, b"\0\0\0\x01" + b"\x20\x05\x00\x7c" + b"\0" * 8, ethernet), kind="GRE",
        identifier=0x07C, depth=1),
    "ERSPAN III with platform header": Encapsulation(
        1, over_gre(0x1000, 0x22EB, b"\0\0\0\x01" + b"\x20\x05\x00\x7c" + b"\0" * 7 + b"\x01" + b"\0" * 8, ethernet),
        kind="GRE", identifier=0x07C, depth=1),
    "MPLS": Encapsulation(1, lambda p: ethernet(mpls(16, p), 0x8847), kind="MPLS", identifier=16),
    "MPLS multicast, two labels": Encapsulation(
        1, lambda p: ethernet(mpls(17, mpls(18, p), bottom=False), 0x8848), kind="MPLS", identifier=17),
    "MPLS pseudowire": Encapsulation(
        1, lambda p: ethernet(mpls(19, universal(p)), 0x8847), kind="MPLS", identifier=19),
    "MPLS pseudowire with control word": Encapsulation(
        1, lambda p: ethernet(mpls(19, b"\0\0\0\x01" + universal(p)), 0x8847), kind="MPLS", identifier=19),
    "MPLS in IP": Encapsulation(1, lambda p: over_ipv4(137)(mpls(20, p)), kind="MPLS", identifier=20, depth=1),
    "MPLS in UDP": Encapsulation(1, lambda p: over_udp(6635)(mpls(21, p)), kind="MPLS", identifier=21, depth=1),
    "PPPoE": Encapsulation(
        1, lambda p: ethernet(struct.pack(">BBHH", 0x11, 0, 0x2A, len(p) + 2)
                              + ppp(p), 0x8864), kind="PPPOE", identifier=0x2A),
    "802.1ah": Encapsulation(
        1, lambda p: ethernet(b"\0\x01\xe2\x40" + ethernet(p), 0x88E7), kind="BACKBONE", identifier=0x01E240),
    "TRILL": Encapsulation(1, lambda p: ethernet(b"\0\x0a\0\x01\0\x02" + ethernet(p), 0x22F3), kind="MIRROR"),
    "FabricPath": Encapsulation(
        1, lambda p: MAC_B + MAC_A + b"\x89\x03\0\x40" + ethernet(p) + CHECK, kind="MIRROR"),
    "batman-adv unicast": Encapsulation(
        1, lambda p: ethernet(b"\x40\x0f\x32\x01" + MAC_B + ethernet(p), 0x4305), kind="MIRROR"),
    "NSH": Encapsulation(
        1, lambda p: ethernet(b"\x0f\xc2\x02" + (b"\x02" if p[0] >> 4 == 6 else b"\x01") + b"\0\0\x2a\xff" + p, 0x894F),
        kind="NSH", identifier=0x2AFF),
    "NSH type 1 with Ethernet": Encapsulation(
        1, lambda p: ethernet(b"\x0f\xc6\x01\x03\0\0\x2a\xff" + b"\0" * 16 + ethernet(p), 0x894F), kind="NSH",
        identifier=0x2AFF),
    "L2TP": Encapsulation(
        1, lambda p: over_udp(1701, b"\x00\x02\0\x07\0\x08")(
            b"\xff\x03" + ppp(p)),
        kind="L2TP", identifier=0x00070008, depth=1),
    "L2TP with length, sequence, offset": Encapsulation(
        1, lambda p: over_udp(1701)(
            struct.pack(">HHHHHHH", 0x4A02, 22 + len(p), 7, 8, 1, 2, 2) + b"\0\0"
            + b"\xff\x03" + ppp(p)),
        kind="L2TP", identifier=0x00070008, depth=1),
    "Teredo": Encapsulation(1, over_udp(3544), kind="TEREDO", versions="6", depth=1),
    "Teredo with indications": Encapsulation(
        1, over_udp(3544, b"\0\x01\0\0" + b"\0" * 9 + b"\0\0" + b"\x11" * 6), kind="TEREDO", versions="6", depth=1),
    "VXLAN": Encapsulation(
        1, lambda p: over_udp(4789, b"\x08\0\0\0\0\x13\x88\0")(ethernet(p)), kind="VXLAN", identifier=5000, depth=1),
    "VXLAN over IPv6": Encapsulation(
        1, lambda p: ethernet(ipv6(*OUTER6, udp(49152, 4789, b"\x08\0\0\0\0\x13\x88\0" + ethernet(p)), 17)),
        kind="VXLAN", identifier=5000, depth=1),
    "VXLAN-GPE": Encapsulation(
        1, lambda p: over_udp(4790, b"\x0c\0\0" + (b"\x02" if p[0] >> 4 == 6 else b"\x01") + b"\0\x13\x88\0")(p),
        kind="VXLAN", identifier=5000, depth=1),
    "Geneve": Encapsulation(
        1, lambda p: over_udp(6081, b"\0\0\x65\x58\0\x13\x89\0")(ethernet(p)), kind="GENEVE", identifier=5001, depth=1),
    "Geneve with options": Encapsulation(
        1, lambda p: over_udp(6081, b"\x02\0" + ethertype(p) + b"\0\x13\x89\0" + b"\x01\x02\x03\x01\0\0\0\0")(p),
        kind="GENEVE", identifier=5001, depth=1),
    "GTP-U": Encapsulation(
        1, lambda p: over_udp(2152, struct.pack(">BBHI", 0x30, 255, len(p), 0xCAFE))(p), kind="GTP",
        identifier=0xCAFE, depth=1),
    "GTP-U with sequence number": Encapsulation(
        1, lambda p: over_udp(2152, struct.pack(">BBHI", 0x32, 255, len(p) + 4, 0xCAFE) + b"\0\x01\0\0")(p), kind="GTP",
        identifier=0xCAFE, depth=1),
    "GTP-U with extension headers": Encapsulation(
        1, lambda p: over_udp(2152, struct.pack(">BBHI", 0x34, 255, len(p) + 12, 0xCAFE) + b"\0\0\0\x85"
                              + b"\x01\x10\x01\x85" + b"\x01\0\x09\0")(p),
        kind="GTP", identifier=0xCAFE, depth=1),
    "GTP-U with Ethernet": Encapsulation(
        1, lambda p: over_udp(2152, struct.pack(">BBHI", 0x30, 255, 14 + len(p), 0xCAFE))(ethernet(p)), kind="GTP",
        identifier=0xCAFE, depth=1),
    "GTP version 0": Encapsulation(
        1, lambda p: over_udp(2152, struct.pack(">BBHHHIQ", 0x1E, 255, len(p), 1, 2, 0xFFFFFFFF, 0x12_0000_0005))(p),
        kind="GTP", identifier=5, depth=1),
    "CAPWAP": Encapsulation(
        1, lambda p: over_udp(5247, b"\0\x10\x02\0\0\0\0\0")(ethernet(p)), kind="CAPWAP", depth=1),
    "CAPWAP with 802.11": Encapsulation(
        1, lambda p: over_udp(5247, b"\0\x10\x03\0\0\0\0\0")(wlan(llc_snap(p), control=b"\0\x08")), kind="CAPWAP",
        depth=1),
    "AYIYA": Encapsulation(
        1, lambda p: over_udp(5072, b"\x42\x52\x11" + (b"\x29" if p[0] >> 4 == 6 else b"\x04") + b"\0" * 40)(p),
        kind="AYIYA", depth=1),
    "LISP": Encapsulation(1, over_udp(4341, b"\0" * 8), kind="LISP", depth=1),
    "AMT": Encapsulation(1, over_udp(2268, b"\x06\0"), kind="AMT", depth=1),
    "GRE in UDP": Encapsulation(1, lambda p: over_udp(4754)(gre(0, p)), kind="GRE", depth=1),
    "AH tunnel": Encapsulation(
        1, lambda p: over_ipv4(51, bytes([number_of(p), 4, 0, 0]) + b"\0\0\0\x01\0\0\0\x01" + b"\xaa" * 12)(p),
        kind="IP", depth=1),
}
