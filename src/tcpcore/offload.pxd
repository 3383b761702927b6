"""Segments that no packet carried: a sender's network card cuts them afterwards, or a receiver's has joined them."""
from libc.stdint cimport uint32_t

from tcpcore.records cimport segment_t

cdef enum:
    LEAST_MSS = 88                 # a smaller one is a mistake or an attack; senders do not keep to it
    JUMBO_PAYLOAD = 8960           # of a frame of 9,000 bytes


cdef inline bint is_super_segment(const segment_t* row, uint32_t mss) noexcept nogil:
    """``mss``: the receiver's, 0 if unknown; loopback has no usual one.  What came in fragments is none."""
    cdef bint loopback = row.src_lo == row.dst_lo and row.src_hi == row.dst_hi
    cdef uint32_t whole = (20 if row.ip_version == 4 else 40) + row.hdr_len + row.payload_len      # at least
    if 0 < row.ip_len < whole:
        return False
    if mss >= LEAST_MSS:
        return row.payload_len > mss
    return not loopback and row.payload_len > JUMBO_PAYLOAD
