"""PPP, PPPoE, Cisco HDLC and frame relay."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from tcpcore.bytes cimport be16
from tcpcore.flags cimport STATUS_LINK_MALFORMED, STATUS_LINK_TRUNCATED, STATUS_NOT_IP, TUNNEL_PPPOE
from tcpcore.wire.cursor cimport *
from tcpcore.wire.link cimport snap
from tcpcore.wire.protocols cimport by_hdlc_protocol, by_nlpid, by_ppp_protocol


cdef inline int ppp(cursor_t* c) noexcept nogil:
    """Address FF and control 03 may be left out (RFC 1661 section 6.6); address 0F or 8F is Cisco HDLC."""
    if lacks(c, 2):
        return STATUS_LINK_TRUNCATED
    if c.p[0] == 0xFF:
        advance(c, 2)
    elif c.p[0] & 0x7F == 0x0F:
        return cisco_hdlc(c)
    return ppp_protocol(c)


cdef inline int ppp_protocol(cursor_t* c) noexcept nogil:
    """Protocol 2, or 1 if that byte is odd (RFC 1661 section 6.5)."""
    cdef uint16_t protocol
    if lacks(c, 1):
        return STATUS_LINK_TRUNCATED
    if c.p[0] & 1:
        protocol = c.p[0]
        advance(c, 1)
        return by_ppp_protocol(protocol)
    if lacks(c, 2):
        return STATUS_LINK_TRUNCATED
    protocol = be16(c.p)
    advance(c, 2)
    return by_ppp_protocol(protocol)


cdef inline int pppoe(cursor_t* c) noexcept nogil:
    """Version and type 1, code 1, session 2, length 2 (RFC 2516 section 4)."""
    cdef uint32_t length
    if lacks(c, 6):
        return STATUS_LINK_TRUNCATED
    identify_tunnel(c, TUNNEL_PPPOE, be16(c.p + 2))
    length = be16(c.p + 4)
    advance(c, 6)
    limit(c, length)
    return LAYER_PPP_PROTOCOL


cdef inline int cisco_hdlc(cursor_t* c) noexcept nogil:
    """Address 1, control 1, protocol 2."""
    cdef uint16_t protocol
    if lacks(c, 4):
        return STATUS_LINK_TRUNCATED
    protocol = be16(c.p + 2)
    advance(c, 4)
    return by_hdlc_protocol(protocol)


cdef inline int frame_relay(cursor_t* c) noexcept nogil:
    """Address, its last byte odd; then Cisco's EtherType, or control 1-2 and an NLPID (RFC 2427).

    It has 2-4 bytes; as in tshark, more are taken, and a single one before unnumbered information.
    """
    cdef uint32_t size = 1
    cdef int layer
    while size < c.captured and not c.p[size - 1] & 1:
        size += 1
    if lacks(c, size + 2):
        return STATUS_LINK_TRUNCATED
    if size == 1 and c.p[1] != 0x03:
        return STATUS_LINK_MALFORMED
    advance(c, size)
    layer = by_hdlc_protocol(be16(c.p))
    if layer != STATUS_NOT_IP:
        advance(c, 2)
        return layer
    advance(c, 1 if c.p[0] & 0x03 == 0x03 else 2)
    return network_layer_id(c)


cdef inline int network_layer_id(cursor_t* c) noexcept nogil:
    """One byte, after one of padding perhaps; 80 announces a SNAP header."""
    cdef uint8_t protocol
    if not lacks(c, 1) and c.p[0] == 0:
        advance(c, 1)
    if lacks(c, 1):
        return STATUS_LINK_TRUNCATED
    protocol = c.p[0]
    advance(c, 1)
    return snap(c, 0) if protocol == 0x80 else by_nlpid(protocol)


cdef inline int serial_layer(cursor_t* c, int layer) noexcept nogil:
    if layer == LAYER_PPP:
        return ppp(c)
    if layer == LAYER_PPP_PROTOCOL:
        return ppp_protocol(c)
    if layer == LAYER_PPPOE:
        return pppoe(c)
    if layer == LAYER_CISCO_HDLC:
        return cisco_hdlc(c)
    if layer == LAYER_FRAME_RELAY:
        return frame_relay(c)
    if lacks(c, 1):
        return STATUS_LINK_TRUNCATED
    skip_pseudo_header(c, 1)       # direction
    return LAYER_PPP
