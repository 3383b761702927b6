"""32-bit sequence numbers: order, distance, unwrapping, and the length a segment takes (CM-1)."""
from libc.stdint cimport int32_t, int64_t, uint32_t

from tcpcore.flags cimport FIN, SYN

cdef enum:
    MAX_WINDOW = 1 << 30           # no receive window is larger (RFC 7323 section 2.3)


cdef inline int32_t distance(uint32_t a, uint32_t b) noexcept nogil:
    """How far ``a`` lies after ``b``, as the signed 32-bit value."""
    return <int32_t> (a - b)


cdef inline bint after(uint32_t y, uint32_t x) noexcept nogil:
    """``y`` after ``x``; at distance 2^31 both ``after`` and ``before`` hold (CM-1)."""
    return distance(x, y) < 0


cdef inline bint before(uint32_t x, uint32_t y) noexcept nogil:
    return distance(x, y) < 0


cdef inline bint not_after(uint32_t x, uint32_t y) noexcept nogil:
    """At distance 2^31 this holds, too: it is not the contrary of ``after`` (CM-1)."""
    return distance(x, y) <= 0


cdef inline uint32_t segment_len(uint32_t payload_len, uint32_t flags) noexcept nogil:
    """Sequence space a segment takes: payload, SYN and FIN (RFC 9293 section 3.4)."""
    return payload_len + ((flags & SYN) != 0) + ((flags & FIN) != 0)


cdef inline int64_t unwrap(uint32_t number, uint32_t reference, int64_t reference64) noexcept nogil:
    """The 64-bit position of ``number``, taken as the one nearest to the reference."""
    return reference64 + distance(number, reference)
