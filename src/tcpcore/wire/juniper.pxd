"""Juniper's capture headers: perhaps a magic number with extensions, then the interface's own encapsulation."""
from libc.stdint cimport uint8_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport STATUS_LINK_TRUNCATED, STATUS_NOT_IP
from tcpcore.wire.cursor cimport *

cdef enum:
    JUNIPER_MAGIC = 0x4D4743
    JUNIPER_NO_LINK_HEADER = 0x02
    JUNIPER_EXTENDED = 0x80


cdef inline int juniper(cursor_t* c, int layer) noexcept nogil:
    """Magic 3, flags 1; if they say so, extensions: length 2, values."""
    cdef uint32_t size = 4
    cdef uint8_t flags = 0
    if not lacks(c, 4) and be32(c.p) >> 8 == JUNIPER_MAGIC:
        flags = c.p[3]
        if flags & JUNIPER_EXTENDED:
            if lacks(c, 6):
                return STATUS_LINK_TRUNCATED
            size = 6 + <uint32_t> be16(c.p + 4)
        if lacks(c, size):
            return STATUS_LINK_TRUNCATED
        advance(c, size)
    if flags & JUNIPER_NO_LINK_HEADER or layer == LAYER_JUNIPER_GGSN:
        return juniper_protocol(c)
    return juniper_link(c, layer)


cdef inline int juniper_protocol(cursor_t* c) noexcept nogil:
    """Protocol 1, 3 more bytes."""
    cdef uint8_t protocol
    if lacks(c, 4):
        return STATUS_LINK_TRUNCATED
    protocol = c.p[0]
    advance(c, 4)
    if protocol in (2, 3):
        return LAYER_IPV4
    if protocol in (6, 7):
        return LAYER_IPV6
    if protocol in (4, 5, 8, 32):
        return LAYER_MPLS
    if protocol == 200:
        return LAYER_PPP
    if protocol in (202, 203):
        return LAYER_LLC
    if protocol == 204:
        return LAYER_ETHERNET
    if protocol == 207:
        return LAYER_FRAME_RELAY
    if protocol == 208:
        return LAYER_CISCO_HDLC
    return STATUS_NOT_IP


cdef inline int juniper_link(cursor_t* c, int layer) noexcept nogil:
    if layer == LAYER_JUNIPER_ETHERNET:
        return LAYER_ETHERNET
    if layer == LAYER_JUNIPER_PPP:
        if lacks(c, 2):
            return STATUS_LINK_TRUNCATED
        advance(c, 2)              # address and control, always there
        return LAYER_PPP_PROTOCOL
    if layer == LAYER_JUNIPER_MLPPP:
        return LAYER_PPP
    if layer == LAYER_JUNIPER_FRAME_RELAY:
        return LAYER_FRAME_RELAY
    if layer == LAYER_JUNIPER_HDLC:
        return LAYER_CISCO_HDLC
    if layer == LAYER_JUNIPER_ATM1 or layer == LAYER_JUNIPER_ATM2:
        return juniper_atm(c, 4 if layer == LAYER_JUNIPER_ATM1 else 8)
    return STATUS_NOT_IP


cdef inline int juniper_atm(cursor_t* c, uint32_t cookie) noexcept nogil:
    """After the cookie (80: not user data) IP or LLC, told apart by the first byte."""
    if lacks(c, cookie + 3):
        return STATUS_LINK_TRUNCATED
    if cookie == 4 and c.p[0] & 0x80:
        return STATUS_NOT_IP
    advance(c, cookie)
    if c.p[0] >> 4 == 4:
        return LAYER_IPV4
    if c.p[0] >> 4 == 6:
        return LAYER_IPV6
    return <int> LAYER_LLC if c.p[0] == 0xAA else <int> STATUS_NOT_IP
