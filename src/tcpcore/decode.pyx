"""Frames to TCP segments: link layer, network layer, TCP."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from tcpcore.batch cimport Batch, segment_at
from tcpcore.flags cimport STATUS_TCP
from tcpcore.records cimport frame_t, segment_t
from tcpcore.wire.ipv4 cimport ipv4
from tcpcore.wire.ipv6 cimport ipv6
from tcpcore.wire.link cimport ethernet, first_layer, null_loopback, sll, sll2, vlan_tag
from tcpcore.wire.tcp cimport tcp
from tcpcore.wire.walk cimport (
    FIRST_LAYER, LAYER_ETHERNET, LAYER_ETHERTYPE, LAYER_IP, LAYER_IPV4, LAYER_IPV6, LAYER_LOOP, LAYER_NULL, LAYER_SLL,
    LAYER_SLL2, LAYER_TCP, walk_t)

cdef extern from *:
    """
    #define prefetch(p) __builtin_prefetch(p)
    """
    void prefetch(const void* p) noexcept nogil

cdef enum:
    AHEAD = 8                      # frames between prefetch and use


cdef class Decoder:
    """Turns the frames of a batch into segment rows."""

    def process(self, Batch batch not None):
        """Fill ``batch.rows`` (SEGMENT part), ``n_rows`` and each frame's ``status``."""
        batch.n_tunnels = 0
        batch.arena_len = 0
        with nogil:
            batch.n_rows = decode(batch.data - batch.data_offset, batch.frames, batch.n_frames, batch.rows, batch.stride)


cdef Py_ssize_t decode(const uint8_t* capture, frame_t* frames, Py_ssize_t n_frames, char* rows,
                       Py_ssize_t stride) noexcept nogil:
    """``capture`` is where the capture's byte 0 would lie; returns the number of rows."""
    cdef Py_ssize_t i, n_rows = 0
    cdef walk_t w
    for i in range(n_frames):
        if i + AHEAD < n_frames:
            prefetch(capture + frames[i + AHEAD].offset)
        w.frame = &frames[i]
        w.row = segment_at(rows, stride, n_rows)
        w.start = w.p = capture + frames[i].offset
        w.captured = frames[i].cap_len
        w.length = max(frames[i].wire_len, frames[i].cap_len)
        w.layers = 0
        begin_row(w.row, w.frame)
        frames[i].status = walk(&w)
        n_rows += frames[i].status == STATUS_TCP
    return n_rows


cdef inline void begin_row(segment_t* row, const frame_t* frame) noexcept nogil:
    """Rows are reused memory: every field is set here or zero."""
    memset(row, 0, sizeof(segment_t))
    row.time_ns = frame.time_ns
    row.frame = frame.number
    row.frame_len = frame.wire_len
    row.cap_len = frame.cap_len
    row.interface_id = frame.interface_id


cdef inline int walk(walk_t* w) noexcept nogil:
    """From layer to layer until one says how it ends; ends because every layer takes bytes."""
    cdef int layer = first_layer(w.frame.link_type)
    while layer >= FIRST_LAYER:
        layer = step(w, layer)
    return layer


cdef inline int step(walk_t* w, int layer) noexcept nogil:
    if layer == LAYER_ETHERNET:
        return ethernet(w)
    if layer == LAYER_IPV4:
        return ipv4(w)
    if layer == LAYER_TCP:
        return tcp(w)
    if layer == LAYER_IPV6:
        return ipv6(w)
    if layer == LAYER_IP:
        return ipv6(w) if w.captured and w.p[0] >> 4 == 6 else ipv4(w)
    if layer == LAYER_ETHERTYPE:
        return vlan_tag(w)
    if layer == LAYER_SLL:
        return sll(w)
    if layer == LAYER_SLL2:
        return sll2(w)
    return null_loopback(w, layer == LAYER_LOOP)
