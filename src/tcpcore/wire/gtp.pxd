"""GTP user plane (3GPP TS 29.281; version 0: TS 09.60)."""
from libc.stdint cimport uint8_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport STATUS_NOT_IP, STATUS_NOT_TCP, STATUS_TUNNEL_MALFORMED, TUNNEL_GTP
from tcpcore.wire.cursor cimport (
    LAYER_ETHERNET, LAYER_IPV4, LAYER_IPV6, advance, cursor_t, identify_tunnel, lacks, limit)

cdef enum:
    GTP_USER_DATA = 255            # G-PDU (T-PDU) message
    GTP_PROTOCOL_TYPE = 0x10       # 0: charging (GTP')
    GTP_OPTIONAL = 0x07            # next extension, sequence number, N-PDU number: 4 bytes if any of them
    GTP_EXTENSION = 0x04


cdef inline int gtp(cursor_t* c) noexcept nogil:
    """Version and flags 1, type 1, length 2, tunnel endpoint 4 (version 0: 8 later, of 20)."""
    cdef uint8_t flags
    cdef uint32_t length
    if lacks(c, 8):
        return STATUS_TUNNEL_MALFORMED
    flags = c.p[0]
    length = be16(c.p + 2)
    if c.p[1] != GTP_USER_DATA or not flags & GTP_PROTOCOL_TYPE or flags >> 5 > 1:
        return STATUS_NOT_TCP
    if flags >> 5 == 0:
        return gtp_version_0(c, length)
    identify_tunnel(c, TUNNEL_GTP, be32(c.p + 4))
    advance(c, 8)
    limit(c, length)
    if flags & GTP_OPTIONAL and not skip_optional(c, flags & GTP_EXTENSION):
        return STATUS_TUNNEL_MALFORMED
    return user_packet(c)


cdef inline int gtp_version_0(cursor_t* c, uint32_t length) noexcept nogil:
    if lacks(c, 20):
        return STATUS_TUNNEL_MALFORMED
    identify_tunnel(c, TUNNEL_GTP, be32(c.p + 16))
    advance(c, 20)
    limit(c, length)
    return user_packet(c)


cdef inline bint skip_optional(cursor_t* c, bint extended) noexcept nogil:
    """Sequence 2, N-PDU 1, next type 1; an extension: length in words 1, ..., next type in its last byte."""
    cdef uint32_t size
    cdef uint8_t following
    if lacks(c, 4):
        return False
    following = c.p[3] if extended else 0
    advance(c, 4)
    while following:
        if lacks(c, 4):
            return False
        size = <uint32_t> c.p[0] * 4
        if size == 0 or lacks(c, size):
            return False
        following = c.p[size - 1]
        advance(c, size)
    return True


cdef inline int user_packet(cursor_t* c) noexcept nogil:
    if lacks(c, 1):
        return STATUS_NOT_IP
    if c.p[0] >> 4 == 4:
        return LAYER_IPV4
    if c.p[0] >> 4 == 6:
        return LAYER_IPV6
    return LAYER_ETHERNET
