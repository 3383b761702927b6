"""Names of link types, as tcpdump's page of link types has them."""
from __future__ import annotations

NAMES = {
    0: "BSD loopback", 1: "Ethernet", 6: "Token Ring", 7: "ARCNET", 8: "SLIP", 9: "PPP", 10: "FDDI", 50: "PPP, HDLC",
    51: "PPPoE", 100: "RFC 1483 ATM", 101: "raw IP", 104: "Cisco HDLC", 105: "802.11", 107: "Frame Relay",
    108: "OpenBSD loopback", 113: "Linux cooked", 114: "LocalTalk", 117: "OpenBSD packet filter log",
    119: "802.11, Prism", 122: "IP over Fibre Channel", 127: "802.11, radiotap", 129: "ARCNET, Linux",
    138: "IP over FireWire", 143: "DOCSIS", 163: "802.11, AVS", 165: "BACnet MS/TP", 166: "PPP, pppd",
    178: "Juniper Ethernet", 187: "Bluetooth HCI", 189: "USB, Linux", 192: "PPI", 195: "802.15.4", 197: "ERF",
    220: "USB, Linux, padded", 225: "IPNET", 226: "IPNET", 227: "CAN", 228: "raw IPv4", 229: "raw IPv6",
    231: "D-Bus", 239: "Linux NFLOG", 240: "netANALYZER", 242: "IP over InfiniBand", 247: "InfiniBand",
    249: "USB, USBPcap", 253: "Linux netlink", 276: "Linux cooked v2", 279: "Elektrobit EBHSCR",
}


def link_name(link_type: int) -> str:
    """What a LINKTYPE_ number stands for."""
    return NAMES.get(link_type, f"link type {link_type}")
