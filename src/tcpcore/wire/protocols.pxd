"""Which layer a protocol number means, one registry for each number space."""
from libc.stdint cimport uint8_t, uint16_t

from tcpcore.flags cimport STATUS_ENCRYPTED, STATUS_NOT_IP, STATUS_NOT_TCP
from tcpcore.wire.cursor cimport *

cdef enum EtherType:
    ETHERTYPE_IPV4 = 0x0800
    ETHERTYPE_VLAN = 0x8100
    ETHERTYPE_IPV6 = 0x86DD
    ETHERTYPE_FABRICPATH = 0x8903

cdef enum IpProtocol:
    PROTOCOL_TCP = 6
    PROTOCOL_UDP = 17


cdef inline int by_ethertype(uint16_t ethertype) noexcept nogil:
    """IEEE 802 numbers: what follows an Ethernet header or a tag."""
    if ethertype == ETHERTYPE_IPV4:
        return LAYER_IPV4
    if ethertype == ETHERTYPE_IPV6:
        return LAYER_IPV6
    return by_other_ethertype(ethertype)


cdef inline int by_other_ethertype(uint16_t ethertype) noexcept nogil:
    if ethertype in (ETHERTYPE_VLAN, 0x9100):
        return LAYER_VLAN
    if ethertype == 0x88A8:
        return LAYER_PROVIDER_TAG
    if ethertype in (0x8847, 0x8848):
        return LAYER_MPLS
    if ethertype == 0x8864:
        return LAYER_PPPOE
    return by_rare_ethertype(ethertype)


cdef inline int by_rare_ethertype(uint16_t ethertype) noexcept nogil:
    if ethertype == 0x88E7:
        return LAYER_BACKBONE_TAG
    if ethertype == 0x893F:
        return LAYER_ETAG
    if ethertype == 0x8926:
        return LAYER_VNTAG
    if ethertype == 0x88E5:
        return LAYER_MACSEC
    if ethertype == 0x894F:
        return LAYER_NSH
    if ethertype == 0x22F3:
        return LAYER_TRILL
    if ethertype == 0x6558:
        return LAYER_ETHERNET
    if ethertype == 0x8870:
        return LAYER_LLC
    if ethertype == 0x4305:
        return LAYER_BATMAN
    if ethertype == 0x2452:
        return LAYER_WLAN
    if ethertype in (0x88BB, 0xBBBB):
        return LAYER_LWAPP
    return STATUS_NOT_IP


cdef inline int by_ip_protocol(uint8_t protocol) noexcept nogil:
    """IANA protocol numbers; IPv6 extension headers are also followed after an IPv4 header."""
    return <int> LAYER_TCP if protocol == PROTOCOL_TCP else by_other_ip_protocol(protocol)


cdef inline int by_other_ip_protocol(uint8_t protocol) noexcept nogil:
    if protocol == PROTOCOL_UDP:
        return LAYER_UDP
    if protocol == 1:
        return LAYER_ICMP
    if protocol == 58:
        return LAYER_ICMPV6
    if protocol == 4:
        return LAYER_IPV4
    if protocol == 41:
        return LAYER_IPV6
    if protocol == 47:
        return LAYER_GRE
    return by_rare_ip_protocol(protocol)


cdef inline int by_rare_ip_protocol(uint8_t protocol) noexcept nogil:
    if protocol in (0, 60):
        return LAYER_IPV6_OPTIONS
    if protocol == 43:
        return LAYER_IPV6_ROUTING
    if protocol == 140:
        return LAYER_IPV6_SHIM
    if protocol == 44:
        return LAYER_IPV6_FRAGMENT
    if protocol == 50:
        return STATUS_ENCRYPTED
    if protocol == 51:
        return LAYER_AH
    if protocol == 93:
        return LAYER_AX25
    if protocol == 136:
        return LAYER_UDP_LITE
    if protocol == 108:
        return LAYER_IPCOMP
    if protocol == 137:
        return LAYER_MPLS
    if protocol == 143:
        return LAYER_ETHERNET
    return STATUS_NOT_TCP


cdef inline int by_udp_port(uint16_t port) noexcept nogil:
    if port == 4789:
        return LAYER_VXLAN
    if port == 4790:
        return LAYER_VXLAN_GPE
    if port == 6081:
        return LAYER_GENEVE
    if port in (2152, 2123):
        return LAYER_GTP
    if port == 1701:
        return LAYER_L2TP
    if port == 3544:
        return LAYER_TEREDO
    if port == 5247:
        return LAYER_CAPWAP
    if port == 6635:
        return LAYER_MPLS
    if port == 4754:
        return LAYER_GRE
    if port == 5072:
        return LAYER_AYIYA
    return by_rare_udp_port(port)


cdef inline int by_rare_udp_port(uint16_t port) noexcept nogil:
    if port == 4341:
        return LAYER_LISP
    if port == 2268:
        return LAYER_AMT
    if port == 37008:
        return LAYER_TZSP
    if port in (12222, 12223):
        return LAYER_LWAPP
    if 12000 <= port <= 12004:
        return LAYER_LLC
    return STATUS_NOT_TCP


cdef inline int by_ppp_protocol(uint16_t protocol) noexcept nogil:
    if protocol in (0x0021, ETHERTYPE_IPV4):
        return LAYER_IPV4
    if protocol in (0x0057, ETHERTYPE_IPV6):
        return LAYER_IPV6
    if protocol in (0x0281, 0x0283):
        return LAYER_MPLS
    if protocol == 0x004B:
        return LAYER_LLC
    return STATUS_NOT_IP


cdef inline int by_hdlc_protocol(uint16_t protocol) noexcept nogil:
    """Cisco HDLC and Cisco frame relay: few EtherTypes."""
    if protocol in (ETHERTYPE_IPV4, ETHERTYPE_IPV6, 0x8847, 0x8848, 0x6558):
        return by_ethertype(protocol)
    return STATUS_NOT_IP


cdef inline int by_nlpid(uint8_t protocol) noexcept nogil:
    """ISO/IEC TR 9577."""
    if protocol == 0xCC:
        return LAYER_IPV4
    if protocol == 0x8E:
        return LAYER_IPV6
    if protocol == 0xCF:
        return LAYER_PPP_PROTOCOL
    return STATUS_NOT_IP


cdef inline int by_gre_protocol(uint16_t protocol) noexcept nogil:
    if protocol in (ETHERTYPE_IPV4, ETHERTYPE_IPV6, 0x8847, 0x8848, 0x6558, 0x894F):
        return by_ethertype(protocol)
    if protocol == 0x880B:
        return LAYER_PPP
    if protocol == 0x88BE or protocol == 0x22EB:
        return LAYER_ERSPAN
    if protocol == 0x883E:
        return LAYER_IPV4
    if protocol == 0x6559:
        return LAYER_FRAME_RELAY
    if protocol == 0x6400:
        return LAYER_ETHERNET
    if 0x8200 <= protocol <= 0x8350 and protocol & 0x0F == 0:
        return LAYER_WLAN
    return STATUS_NOT_IP


cdef inline int by_family(uint32_t family) noexcept nogil:
    """Address families of BSD hosts: IPv6 is 24, 28 (FreeBSD) or 30 (macOS)."""
    if family == 2:
        return LAYER_IPV4
    if family in (24, 28, 30):
        return LAYER_IPV6
    return STATUS_NOT_IP


cdef inline int by_nsh_protocol(uint8_t protocol) noexcept nogil:
    """NSH (RFC 8300 section 2.2) and VXLAN-GPE share these numbers."""
    if protocol == 1:
        return LAYER_IPV4
    if protocol == 2:
        return LAYER_IPV6
    if protocol == 3:
        return LAYER_ETHERNET
    if protocol == 4:
        return LAYER_NSH
    if protocol == 5:
        return LAYER_MPLS
    return STATUS_NOT_IP
