"""IPv6 header (RFC 8200)."""
from libc.stdint cimport uint8_t, uint32_t

from tcpcore.bytes cimport be16, be32, be64
from tcpcore.flags cimport STATUS_IP_MALFORMED, STATUS_IP_TRUNCATED, STATUS_NOT_TCP
from tcpcore.records cimport segment_t
from tcpcore.wire.ipv4 cimport by_protocol
from tcpcore.wire.walk cimport advance, limit, walk_t


cdef inline int ipv6(walk_t* w) noexcept nogil:
    """Payload length 0 without a jumbo option: no payload (LN-8)."""
    cdef const uint8_t* p = w.p
    cdef segment_t* row = w.row
    if w.captured < 40:
        return STATUS_IP_TRUNCATED
    if p[0] >> 4 != 6:
        return STATUS_IP_MALFORMED
    row.ip_version = 6
    row.tos = <uint8_t> (be32(p) >> 20)
    row.ttl = p[7]
    row.ip_id = 0
    row.ip_flags = 0
    row.src_hi = be64(p + 8)
    row.src_lo = be64(p + 16)
    row.dst_hi = be64(p + 24)
    row.dst_lo = be64(p + 32)
    limit(w, 40 + <uint32_t> be16(p + 4))
    advance(w, 40)
    if w.length == 0:
        return STATUS_NOT_TCP
    return by_protocol(p[6])
