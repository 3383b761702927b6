"""IPv6 header (RFC 8200)."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from tcpcore.bytes cimport be16, be32, be64
from tcpcore.flags cimport STATUS_IP_MALFORMED, STATUS_IP_TRUNCATED
from tcpcore.records cimport segment_t
from tcpcore.wire.cursor cimport QUOTED_DEEPER, advance, cursor_t, lacks, limit
from tcpcore.wire.ipv4 cimport enter_ip
from tcpcore.wire.protocols cimport by_ip_protocol

cdef enum:
    IPV6_HEADER = 40
    OPTION_JUMBO = 0xC2            # RFC 2675


cdef inline uint8_t ipv6_next_header(const uint8_t* p) noexcept nogil:
    return p[6]


cdef inline int ipv6(cursor_t* c) noexcept nogil:
    """Payload length 0 without a jumbo option: no payload (LN-8)."""
    cdef const uint8_t* p = c.p
    cdef segment_t* row = c.row
    cdef uint32_t length
    if lacks(c, IPV6_HEADER):
        return STATUS_IP_TRUNCATED
    if p[0] >> 4 != 6:
        return STATUS_IP_MALFORMED
    enter_ip(c)
    row.ip_version = 6
    row.tos = <uint8_t> (be32(p) >> 20)
    row.ttl = p[7]
    row.ip_id = 0
    row.ip_flags = 0
    row.src_hi, row.src_lo = be64(p + 8), be64(p + 16)
    row.dst_hi, row.dst_lo = be64(p + 24), be64(p + 32)
    if c.quoted:
        c.quoted = QUOTED_DEEPER
    length = be16(p + 4)
    advance(c, IPV6_HEADER)
    if length == 0 and ipv6_next_header(p) == 0:
        length = jumbo_length(c.p, c.captured)
    c.cut = length > c.length
    limit(c, length)
    row.ip_len = <uint16_t> (c.length + IPV6_HEADER if c.length + IPV6_HEADER <= 0xFFFF else 0)
    return by_ip_protocol(ipv6_next_header(p))


cdef inline uint32_t jumbo_length(const uint8_t* p, uint32_t captured) noexcept nogil:
    """The jumbo payload option of a hop-by-hop header, else 0 (RFC 2675: above 65535)."""
    cdef uint32_t at = 2, end, length
    if captured < 8:
        return 0
    end = (<uint32_t> p[1] + 1) * 8
    if captured < end:
        return 0
    while at + 6 <= end:
        if p[at] == OPTION_JUMBO and p[at + 1] == 4:
            length = be32(p + at + 2)
            return length if length > 0xFFFF else 0
        at += 1 if p[at] == 0 else 2 + <uint32_t> p[at + 1]
    return 0
