"""UDP (RFC 768), as far as tunnels run over it."""
from libc.stdint cimport uint16_t, uint32_t

from tcpcore.bytes cimport be16
from tcpcore.flags cimport STATUS_IP_MALFORMED, STATUS_NOT_TCP
from tcpcore.wire.cursor cimport advance, cursor_t, lacks, limit
from tcpcore.wire.protocols cimport by_udp_port


cdef inline int udp(cursor_t* c, bint lite) noexcept nogil:
    """Source 2, destination 2, length 2 (lite: what the checksum covers), checksum 2; the lower port is asked first."""
    cdef uint32_t length
    cdef uint16_t low, high
    cdef int layer
    if lacks(c, 8):
        return STATUS_NOT_TCP
    low, high = be16(c.p), be16(c.p + 2)
    if low > high:
        low, high = high, low
    length = c.length if lite else be16(c.p + 4)
    if length < 8:
        return STATUS_IP_MALFORMED
    limit(c, length)
    advance(c, 8)
    layer = by_udp_port(low)
    return by_udp_port(high) if layer == STATUS_NOT_TCP else layer
