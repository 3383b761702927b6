"""IPv4 header (RFC 791)."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport (
    OUTER_IPV4, OUTER_IPV6, STATUS_IP_MALFORMED, STATUS_IP_TRUNCATED, STATUS_NOT_TCP, TUNNEL_IP)
from tcpcore.records cimport segment_t
from tcpcore.wire.cursor cimport (
    LAYER_IPV4_FRAGMENT, LAYER_IPV6, QUOTED_BY_ICMP, QUOTED_DEEPER, QUOTED_IPV4, advance, cursor_t, enter_tunnel,
    lacks, limit)
from tcpcore.wire.protocols cimport by_ip_protocol

cdef enum:
    IPV4_HEADER = 20
    IPV4_MORE_FRAGMENTS = 0x2000
    IPV4_OFFSET = 0x1FFF


cdef inline uint8_t ipv4_version(const uint8_t* p) noexcept nogil:
    return p[0] >> 4


cdef inline uint32_t ipv4_header_len(const uint8_t* p) noexcept nogil:
    return (p[0] & 0x0F) * 4


cdef inline uint16_t ipv4_total_len(const uint8_t* p) noexcept nogil:
    return be16(p + 2)


cdef inline uint16_t ipv4_id(const uint8_t* p) noexcept nogil:
    return be16(p + 4)


cdef inline uint16_t ipv4_fragment(const uint8_t* p) noexcept nogil:
    """Flags and offset in units of 8 bytes."""
    return be16(p + 6)


cdef inline uint8_t ipv4_protocol(const uint8_t* p) noexcept nogil:
    return p[9]


cdef inline uint64_t mapped(uint32_t address) noexcept nogil:
    """The low half of ::ffff:a.b.c.d."""
    return (<uint64_t> 0xFFFF << 32) | address


cdef inline void note_outer_ipv6(cursor_t* c) noexcept nogil:
    cdef segment_t* row = c.row
    if not c.tunnel.has & OUTER_IPV6:
        c.tunnel.has |= OUTER_IPV6
        c.tunnel.outer6_src_hi, c.tunnel.outer6_src_lo = row.src_hi, row.src_lo
        c.tunnel.outer6_dst_hi, c.tunnel.outer6_dst_lo = row.dst_hi, row.dst_lo
        c.tunnel.outer6_hop_limit = row.ttl


cdef inline void note_outer_ip(cursor_t* c) noexcept nogil:
    """A further IP header: the one in the row is an outer one; of each version the outermost counts."""
    cdef segment_t* row = c.row
    enter_tunnel(c, TUNNEL_IP)
    if row.ip_version == 4 and not c.tunnel.has & OUTER_IPV4:
        c.tunnel.has |= OUTER_IPV4
        c.tunnel.outer4_src = <uint32_t> row.src_lo
        c.tunnel.outer4_dst = <uint32_t> row.dst_lo
        c.tunnel.outer4_id, c.tunnel.outer4_ttl, c.tunnel.outer4_tos = row.ip_id, row.ttl, row.tos
    elif row.ip_version == 6:
        note_outer_ipv6(c)


cdef inline void enter_ip(cursor_t* c) noexcept nogil:
    if c.ip_headers:
        note_outer_ip(c)
    c.ip_headers += 1


cdef inline int ipv4(cursor_t* c) noexcept nogil:
    """Total length 0 means segmentation offload: the rest of the frame (LN-4)."""
    cdef const uint8_t* p = c.p
    cdef uint32_t header, total
    if lacks(c, IPV4_HEADER):
        return STATUS_IP_TRUNCATED
    header, total = ipv4_header_len(p), ipv4_total_len(p)
    if ipv4_version(p) != 4:
        return <int> LAYER_IPV6 if ipv4_version(p) == 6 else <int> STATUS_IP_MALFORMED
    if header < IPV4_HEADER or (total < header and total != 0):
        return STATUS_IP_MALFORMED
    if lacks(c, header):
        return STATUS_IP_TRUNCATED
    c.cut = total > c.length
    if total != 0:
        limit(c, total)
    ipv4_row(c)
    c.row.ip_len = <uint16_t> c.length if total else 0
    if header > IPV4_HEADER and not ipv4_options(c.row, p + IPV4_HEADER, header - IPV4_HEADER):
        return STATUS_IP_MALFORMED
    if ipv4_fragment(p) & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET):
        return LAYER_IPV4_FRAGMENT
    advance(c, header)
    return by_ip_protocol(ipv4_protocol(p)) if c.length else <int> STATUS_NOT_TCP


cdef inline bint ipv4_options(segment_t* row, const uint8_t* p, uint32_t size) noexcept nogil:
    """False if an option is too short for what it must hold; then nothing after the header is read.

    A source route that is not used up names the final destination last (RFC 791 section 3.1).
    """
    cdef uint32_t length
    cdef bint routed = False
    while size and p[0] != 0:
        length = 1 if p[0] == 1 else p[1] if size > 1 else 0
        if length == 0 or length > size:
            return True
        if length < ipv4_option_min_len(p[0]):
            return False
        if (p[0] == 131 or p[0] == 137) and not routed and length % 4 == 3 and 4 <= p[2] <= length and p[2] % 4 == 0:
            row.dst_lo = mapped(be32(p + length - 4))
            routed = True
        p += length
        size -= length
    return True


cdef inline uint32_t ipv4_option_min_len(uint8_t kind) noexcept nogil:
    if kind in (7, 130, 131, 133, 137):    # routes, security
        return 3
    if kind in (12, 68, 136, 148):         # MTU reply, timestamp, stream, router alert
        return 4
    if kind == 134:                        # commercial security
        return 5
    if kind == 25:                         # quick start
        return 8
    if kind == 82:                         # traceroute
        return 12
    return 1


cdef inline void ipv4_row(cursor_t* c) noexcept nogil:
    """Addresses and fields of a checked header into the row."""
    cdef segment_t* row = c.row
    cdef const uint8_t* p = c.p
    enter_ip(c)
    c.first_fragment = False
    row.ip_version = 4
    row.tos = p[1]
    row.ip_id = ipv4_id(p)
    row.ip_flags = p[6] >> 5
    row.ttl = p[8]
    row.src_hi = row.dst_hi = 0
    row.src_lo = mapped(be32(p + 12))
    row.dst_lo = mapped(be32(p + 16))
    if c.quoted:
        c.quoted = <uint8_t> QUOTED_IPV4 if c.quoted == QUOTED_BY_ICMP else <uint8_t> QUOTED_DEEPER
