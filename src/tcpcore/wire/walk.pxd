"""The state of one frame on its way through the headers, and the names of the layers.

A layer is a function that looks at the bytes at ``walk.p``, moves past its header and returns what
comes next: another Layer, or the DecodeStatus that ends the walk.
"""
from libc.stdint cimport uint8_t, uint32_t

from tcpcore.records cimport frame_t, segment_t

cdef enum Layer:
    # Values below FIRST_LAYER are DecodeStatus codes.
    FIRST_LAYER = 64
    LAYER_ETHERNET
    LAYER_ETHERTYPE                # at a two-byte EtherType
    LAYER_SLL
    LAYER_SLL2
    LAYER_NULL
    LAYER_LOOP
    LAYER_IP                       # version by its first four bits
    LAYER_IPV4
    LAYER_IPV6
    LAYER_TCP

ctypedef struct walk_t:
    const uint8_t* p               # the next header
    uint32_t captured              # bytes captured from p on
    uint32_t length                # bytes from p on the wire, as the headers so far tell; >= captured
    segment_t* row
    frame_t* frame
    const uint8_t* start           # the frame's first byte
    uint32_t layers                # headers passed


cdef inline void advance(walk_t* w, uint32_t n) noexcept nogil:
    """Step over ``n`` captured bytes."""
    w.p += n
    w.captured -= n
    w.length -= n


cdef inline void limit(walk_t* w, uint32_t n) noexcept nogil:
    """What follows is ``n`` bytes long, or what there is if that is less (LN-1, LN-5)."""
    if n < w.length:
        w.length = n
        if n < w.captured:
            w.captured = n
