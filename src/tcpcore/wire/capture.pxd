"""Headers that the capturing host, not the network, put before the packet."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from tcpcore.bytes cimport be16, be32, le16, le32
from tcpcore.flags cimport STATUS_LINK_TRUNCATED, STATUS_LINK_UNKNOWN, STATUS_NOT_IP, TUNNEL_MIRROR
from tcpcore.wire.cursor cimport *
from tcpcore.wire.link cimport MAX_802_3_LENGTH
from tcpcore.wire.link_types cimport first_layer
from tcpcore.wire.protocols cimport by_ethertype, by_family, by_gre_protocol

cdef enum ArpHardware:             # ARPHRD_*, of the SLL headers
    ARPHRD_FRAME_RELAY = 770
    ARPHRD_IPGRE = 778
    ARPHRD_RADIOTAP = 803
    ARPHRD_NETLINK = 824

cdef enum:
    LAST_SMALL = 0x0600            # of the SLL headers' protocol numbers; above it they are EtherTypes
    SHORT_FAMILY_IPV4 = 0x0200     # in 16 of the 32 bits; no other family is so found in captures


cdef inline int cooked(cursor_t* c, uint32_t size, uint16_t protocol, uint16_t hardware) noexcept nogil:
    """Linux cooked capture: a small protocol number is no EtherType, some hardware types rename it."""
    advance(c, size)
    if hardware == ARPHRD_NETLINK:
        return STATUS_NOT_IP
    if protocol > LAST_SMALL:
        return by_gre_protocol(protocol) if hardware == ARPHRD_IPGRE else by_ethertype(protocol)
    if hardware == ARPHRD_FRAME_RELAY:
        return LAYER_FRAME_RELAY
    if hardware == ARPHRD_RADIOTAP:
        return LAYER_RADIOTAP
    if protocol == 4:
        return LAYER_LLC
    if protocol == 3:
        return LAYER_ETHERNET
    if protocol == 7:
        return LAYER_PPP
    return STATUS_NOT_IP


cdef inline int sll(cursor_t* c) noexcept nogil:
    """Type 2, hardware 2, address length 2, address 8, protocol 2."""
    if lacks(c, 16):
        return STATUS_LINK_TRUNCATED
    return cooked(c, 16, be16(c.p + 14), be16(c.p + 2))


cdef inline int sll2(cursor_t* c) noexcept nogil:
    """Protocol 2, reserved 2, interface 4, hardware 2, type 1, address length 1, address 8."""
    if lacks(c, 20):
        return STATUS_LINK_TRUNCATED
    return cooked(c, 20, be16(c.p), be16(c.p + 8))


cdef inline int null_loopback(cursor_t* c, bint swapped) noexcept nogil:
    """An address family in the capturing host's byte order, or an EtherType, in 4 bytes; or PPP."""
    cdef uint32_t family
    if lacks(c, 4):
        return STATUS_LINK_TRUNCATED
    family = be32(c.p)
    if swapped and c.p[0] == 0xFF and c.p[1] == 0x03:
        return LAYER_PPP
    advance(c, 4)
    if swapped and family & 0xFFFF > MAX_802_3_LENGTH:
        return by_ethertype(<uint16_t> family)
    if swapped and (family & 0xFFFF == SHORT_FAMILY_IPV4 or family == SHORT_FAMILY_IPV4 << 8):
        return LAYER_IPV4
    if swapped and family > 0xFFFF:
        family = le32(c.p - 4)
        if MAX_802_3_LENGTH < family <= 0xFFFF:
            return by_ethertype(<uint16_t> family)
    return by_family(family)


cdef inline int raw(cursor_t* c) noexcept nogil:
    """IP by its version; some hosts leave a PPP header, perhaps after 1 or 6 bytes, or ten zero bytes, before it."""
    if c.captured >= 2 and c.p[0] == 0xFF and c.p[1] == 0x03:
        return LAYER_PPP
    if c.captured >= 8 and c.p[6] == 0xFF and c.p[7] == 0x03:
        advance(c, 6)
        return LAYER_PPP
    if c.captured >= 3 and c.p[1] == 0xFF and c.p[2] == 0x03:
        advance(c, 1)
        return LAYER_PPP
    if c.captured >= 10 and be32(c.p) == 0 and be32(c.p + 4) == 0 and be16(c.p + 8) == 0:
        advance(c, 10)
    return LAYER_IP


cdef inline int enc(cursor_t* c) noexcept nogil:
    """OpenBSD IPsec interface: family 4 in host order, SPI 4, flags 4."""
    cdef uint32_t family
    if lacks(c, 12):
        return STATUS_LINK_TRUNCATED
    family = be32(c.p)
    if family > 0xFFFF:
        family = le32(c.p)
    advance(c, 12)
    return by_family(family)


cdef inline int pflog(cursor_t* c) noexcept nogil:
    """Length 1 (padded to 4), family 1, ..."""
    cdef uint32_t size
    cdef uint8_t family
    if lacks(c, 4):
        return STATUS_LINK_TRUNCATED
    size = (<uint32_t> c.p[0] + 3) & ~<uint32_t> 3
    family = c.p[1]
    if lacks(c, size):
        return STATUS_LINK_TRUNCATED
    advance(c, size)
    return by_family(family)


cdef inline int nflog(cursor_t* c) noexcept nogil:
    """Family 1, version 1, resource 2, then attributes: length 2, type 2, value; type 9 is the packet."""
    cdef uint8_t family
    cdef uint32_t size
    if lacks(c, 4):
        return STATUS_LINK_TRUNCATED
    family = c.p[0]
    advance(c, 4)
    while c.captured >= 4:
        size = le16(c.p)
        if size < 4:
            return STATUS_NOT_IP
        if le16(c.p + 2) == 9:
            advance(c, 4)
            limit(c, size - 4)
            return <int> LAYER_IPV4 if family == 2 else <int> LAYER_IPV6 if family == 10 else <int> STATUS_NOT_IP
        size = (size + 3) & ~<uint32_t> 3
        if lacks(c, size):
            return STATUS_LINK_TRUNCATED
        advance(c, size)
    return STATUS_LINK_TRUNCATED


cdef inline int pktap(cursor_t* c) noexcept nogil:
    """Darwin: header length 4, record type 4 (1: a packet), link type 4, ..., all in host order."""
    cdef uint32_t size, link_type
    if lacks(c, 12):
        return STATUS_LINK_TRUNCATED
    size, link_type = le32(c.p), le32(c.p + 8)
    if lacks(c, size):
        return STATUS_LINK_TRUNCATED
    if size < 12 or le32(c.p + 4) != 1:
        return STATUS_NOT_IP
    advance(c, size)
    return first_layer(<uint16_t> link_type) if link_type <= 0xFFFF else <int> STATUS_LINK_UNKNOWN


cdef inline int tzsp(cursor_t* c) noexcept nogil:
    """Version 1, type 1, encapsulation 2, tags (type 1, length 1, value) up to type 1; 0 is padding."""
    cdef uint16_t encapsulation
    cdef uint32_t size
    if lacks(c, 4):
        return STATUS_LINK_TRUNCATED
    encapsulation = be16(c.p + 2)
    enter_tunnel(c, TUNNEL_MIRROR)
    advance(c, 4)
    while c.captured and c.p[0] != 1:
        size = 1 if c.p[0] == 0 else 2 + c.p[1] if c.captured > 1 else 2
        if lacks(c, size):
            return STATUS_LINK_TRUNCATED
        advance(c, size)
    if lacks(c, 1):
        return STATUS_LINK_TRUNCATED
    advance(c, 1)
    return by_tzsp_encapsulation(encapsulation)


cdef inline int by_tzsp_encapsulation(uint16_t encapsulation) noexcept nogil:
    if encapsulation == 1:
        return LAYER_ETHERNET
    if encapsulation == 18:
        return LAYER_WLAN
    if encapsulation == 119:
        return LAYER_PRISM
    return STATUS_NOT_IP


cdef inline int capture_layer(cursor_t* c, int layer) noexcept nogil:
    if layer == LAYER_SLL:
        return sll(c)
    if layer == LAYER_SLL2:
        return sll2(c)
    if layer == LAYER_NULL or layer == LAYER_LOOP:
        return null_loopback(c, layer == LAYER_NULL)
    if layer == LAYER_RAW:
        return raw(c)
    if layer == LAYER_ENC:
        return enc(c)
    if layer == LAYER_PFLOG:
        return pflog(c)
    if layer == LAYER_NFLOG:
        return nflog(c)
    if layer == LAYER_PKTAP:
        return pktap(c)
    return tzsp(c)
