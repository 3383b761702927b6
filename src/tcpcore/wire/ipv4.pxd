"""IPv4 header (RFC 791)."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport STATUS_IP_FRAGMENT, STATUS_IP_MALFORMED, STATUS_IP_TRUNCATED, STATUS_NOT_TCP
from tcpcore.records cimport segment_t
from tcpcore.wire.walk cimport LAYER_TCP, advance, limit, walk_t

cdef enum IpProtocol:
    PROTOCOL_TCP = 6


cdef inline uint64_t mapped(uint32_t address) noexcept nogil:
    """The low half of ::ffff:a.b.c.d."""
    return (<uint64_t> 0xFFFF << 32) | address


cdef inline int by_protocol(uint8_t protocol) noexcept nogil:
    if protocol == PROTOCOL_TCP:
        return LAYER_TCP
    return STATUS_NOT_TCP


cdef inline int ipv4(walk_t* w) noexcept nogil:
    """Total length 0 means segmentation offload: the rest of the frame (LN-4)."""
    cdef const uint8_t* p = w.p
    cdef segment_t* row = w.row
    cdef uint32_t header, total
    if w.captured < 20:
        return STATUS_IP_TRUNCATED
    header = (p[0] & 0x0F) * 4
    total = be16(p + 2)
    if p[0] >> 4 != 4 or header < 20 or (total < header and total != 0):
        return STATUS_IP_MALFORMED
    if w.captured < header:
        return STATUS_IP_TRUNCATED
    if total != 0:
        limit(w, total)
    row.ip_version = 4
    row.tos = p[1]
    row.ip_id = be16(p + 4)
    row.ip_flags = p[6] >> 5
    row.ttl = p[8]
    row.src_hi = row.dst_hi = 0
    row.src_lo = mapped(be32(p + 12))
    row.dst_lo = mapped(be32(p + 16))
    if be16(p + 6) & 0x3FFF:
        return STATUS_IP_FRAGMENT
    advance(w, header)
    return by_protocol(p[9])
