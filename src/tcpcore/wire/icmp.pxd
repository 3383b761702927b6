"""ICMP errors and the packets they quote (ST-9)."""
from libc.stdint cimport uint8_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport ICMP_ERROR, NEXT_HOP_MTU, STATUS_NOT_TCP, TUNNEL_ICMP
from tcpcore.wire.cursor cimport (
    LAYER_IPV4, LAYER_IPV6, QUOTED_BY_ICMP, QUOTED_DEEPER, advance, cursor_t, enter_tunnel, lacks, limit)

cdef enum IcmpType:
    ICMP_UNREACHABLE = 3
    ICMP_SOURCE_QUENCH = 4
    ICMP_REDIRECT = 5
    ICMP_TIME_EXCEEDED = 11
    ICMP_PARAMETER_PROBLEM = 12
    ICMP_FRAGMENTATION_NEEDED = 4  # code of ICMP_UNREACHABLE
    ICMPV6_PACKET_TOO_BIG = 2
    ICMPV6_PARAMETER_PROBLEM = 4


cdef inline void quote(cursor_t* c, uint32_t mtu) noexcept nogil:
    """Of errors that quote each other the innermost is about the segment."""
    c.tunnel.has = c.tunnel.has & ~<uint8_t> NEXT_HOP_MTU | ICMP_ERROR | NEXT_HOP_MTU * (mtu != 0)
    c.tunnel.icmp_type, c.tunnel.icmp_code, c.tunnel.next_hop_mtu = c.p[0], c.p[1], mtu
    enter_tunnel(c, TUNNEL_ICMP)
    advance(c, 8)


cdef inline int icmp(cursor_t* c) noexcept nogil:
    """Type 1, code 1, checksum 2, rest 4 (RFC 792, MTU: RFC 1191)."""
    cdef uint32_t kind
    if lacks(c, 8):
        return STATUS_NOT_TCP
    kind = c.p[0]
    if kind == ICMP_REDIRECT and c.captured >= 9:
        limit(c, 8 + (c.p[8] & 0x0F) * 4 + 8)
    elif kind not in (ICMP_UNREACHABLE, ICMP_SOURCE_QUENCH, ICMP_TIME_EXCEEDED, ICMP_PARAMETER_PROBLEM):
        return STATUS_NOT_TCP
    quote(c, be16(c.p + 6) if kind == ICMP_UNREACHABLE and c.p[1] == ICMP_FRAGMENTATION_NEEDED else 0)
    c.quoted = QUOTED_BY_ICMP
    return LAYER_IPV4


cdef inline int icmpv6(cursor_t* c) noexcept nogil:
    """As icmp (RFC 4443); types 1-4 are the errors that quote."""
    if lacks(c, 8) or c.p[0] == 0 or c.p[0] > ICMPV6_PARAMETER_PROBLEM:
        return STATUS_NOT_TCP
    quote(c, be32(c.p + 4) if c.p[0] == ICMPV6_PACKET_TOO_BIG else 0)
    c.quoted = QUOTED_DEEPER
    return LAYER_IPV6
