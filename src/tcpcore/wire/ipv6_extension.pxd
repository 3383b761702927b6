"""IPv6 extension headers (RFC 8200 section 4), which may name other ends than the IPv6 header does.

The ends of the connection are those the TCP checksum covers: the destination that a routing header not used up leads
to (RFC 8200 section 8.1), and the home address of a mobile host (RFC 6275).
"""
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcpy

from tcpcore.bytes cimport be64, put_be64
from tcpcore.flags cimport STATUS_IP_MALFORMED, STATUS_IP_TRUNCATED, TUNNEL_ROUTE
from tcpcore.records cimport segment_t
from tcpcore.wire.cursor cimport LAYER_IPV6_OPTIONS, LAYER_IPV6_ROUTING, advance, cursor_t, enter_tunnel, lacks
from tcpcore.wire.ipv4 cimport note_outer_ipv6
from tcpcore.wire.protocols cimport by_ip_protocol

cdef enum:
    IPV6_FRAGMENT_HEADER = 8
    ADDRESS = 16
    ROUTING_HEADER = 8             # before the addresses
    OPTION_PAD1 = 0
    OPTION_HOME_ADDRESS = 0xC9

cdef enum RoutingType:
    ROUTING_SOURCE = 0             # RFC 5095 deprecates it
    ROUTING_MOBILE = 2             # RFC 6275: one address
    ROUTING_RPL = 3                # RFC 6554: compressed addresses
    ROUTING_SEGMENTS = 4           # RFC 8754: the last segment comes first


cdef inline int ipv6_extension(cursor_t* c, int layer) noexcept nogil:
    """Next header 1, length in units of 8 after the first 1, ..."""
    cdef uint8_t following
    cdef uint32_t size
    if lacks(c, 8):
        return STATUS_IP_TRUNCATED
    following = c.p[0]
    size = (<uint32_t> c.p[1] + 1) * 8
    if lacks(c, size):
        return STATUS_IP_TRUNCATED
    if layer == LAYER_IPV6_OPTIONS and not ipv6_options(c, size):
        return STATUS_IP_MALFORMED
    if layer == LAYER_IPV6_ROUTING and not final_destination(c, size):
        return STATUS_IP_MALFORMED
    advance(c, size)
    return by_ip_protocol(following)


cdef inline bint ipv6_options(cursor_t* c, uint32_t size) noexcept nogil:
    """The last home address among the options is the source.

    False if an option was not captured whole; as in tshark, it may run on behind the header.
    """
    cdef const uint8_t* p = c.p
    cdef uint32_t at = 2, length
    while at + 1 < size:
        if p[at] == OPTION_PAD1:
            at += 1
            continue
        length = p[at + 1]
        if lacks(c, at + 2 + (ADDRESS if p[at] == OPTION_HOME_ADDRESS and length < ADDRESS else length)):
            return False
        if p[at] == OPTION_HOME_ADDRESS:
            keep_header(c)
            c.row.src_hi, c.row.src_lo = be64(p + at + 2), be64(p + at + 10)
        at += 2 + length
    return True


cdef inline bint final_destination(cursor_t* c, uint32_t size) noexcept nogil:
    """The last address of the route is the destination; False if addresses are missing.  Type 2, segments left 3."""
    cdef const uint8_t* p = c.p
    cdef uint32_t room = size - ROUTING_HEADER
    cdef uint8_t kind = p[2]
    if kind == ROUTING_RPL:
        return rpl_destination(c, room)
    if kind == ROUTING_SOURCE and room >= ADDRESS:
        go_to(c, p + ROUTING_HEADER + (room // ADDRESS - 1) * ADDRESS, 0)
    elif kind == ROUTING_MOBILE or kind == ROUTING_SEGMENTS:
        if room < ADDRESS * (<uint32_t> 1 if kind == ROUTING_MOBILE else <uint32_t> p[4] + 1):
            return False
        go_to(c, p + ROUTING_HEADER, 0)
    return True


cdef inline bint rpl_destination(cursor_t* c, uint32_t room) noexcept nogil:
    """Compression of all addresses but the last 4 bits, of the last 4 bits, padding 4 bits (RFC 6554 section 3)."""
    cdef const uint8_t* p = c.p
    cdef int64_t each = ADDRESS - (p[4] >> 4), last = ADDRESS - (p[4] & 0x0F)
    cdef int64_t before = <int64_t> room - (p[5] >> 4) - last
    if before <= -each:
        return True
    if before < 0:
        return False
    go_to(c, p + ROUTING_HEADER + before // each * each, <uint32_t> (ADDRESS - last))
    return True


cdef inline void go_to(cursor_t* c, const uint8_t* address, uint32_t shared) noexcept nogil:
    """The destination, of which the first ``shared`` bytes stay, unless no segments are left."""
    cdef segment_t* row = c.row
    cdef uint8_t whole[16]
    if c.p[3] == 0:
        return
    keep_header(c)
    put_be64(whole, row.dst_hi)
    put_be64(whole + 8, row.dst_lo)
    memcpy(whole + shared, address, ADDRESS - shared)
    row.dst_hi, row.dst_lo = be64(whole), be64(whole + 8)


cdef inline void keep_header(cursor_t* c) noexcept nogil:
    """The addresses of the IPv6 header are outer ones."""
    enter_tunnel(c, TUNNEL_ROUTE)
    note_outer_ipv6(c)


cdef inline int authentication(cursor_t* c) noexcept nogil:
    """Next header 1, length in words minus 2 1, ... (RFC 4302)."""
    cdef uint8_t following
    cdef uint32_t size
    if lacks(c, 12):
        return STATUS_IP_TRUNCATED
    following = c.p[0]
    size = (<uint32_t> c.p[1] + 2) * 4
    if lacks(c, size):
        return STATUS_IP_TRUNCATED
    advance(c, size)
    return by_ip_protocol(following)
