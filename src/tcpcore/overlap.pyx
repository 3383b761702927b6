"""One direction of a stream out of all its segments: who owns each byte, and where the holes are.

The same answer as passing the segments on while they come (assembly.pyx), but without limits: what was
in order when it was captured stays, and among the segments that waited behind a hole the overlap
rule decides.  O(n log n) for n segments, whatever they look like; O(n) where none is ahead of a hole.
"""
import numpy as np

from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memset

from tcpcore.flags cimport (
    CHUNK_CUT, CHUNK_DATA, CHUNK_MISSING, CHUNK_UNSEEN, GIVEN_UP_AT_END)
from tcpcore.records cimport chunk_t
from tcpcore.seqnum cimport MAX_WINDOW

from tcpcore.records import CHUNK


ctypedef struct part_t:
    int64_t start, end             # what is left of the segment: its captured bytes, or the cut ones
    extent_t sent
    uint32_t segment


ctypedef struct heap_t:
    uint32_t* at
    Py_ssize_t n
    const part_t* parts
    int rule                       # OverlapRule, or BY_START


cdef enum:
    BY_START = -1


cdef inline bint above(const heap_t* heap, uint32_t a, uint32_t b) noexcept nogil:
    if heap.rule == BY_START:
        return heap.parts[a].start < heap.parts[b].start
    return wins(heap.rule, &heap.parts[a].sent, &heap.parts[b].sent)


cdef void heap_push(heap_t* heap, uint32_t part) noexcept nogil:
    cdef Py_ssize_t place = heap.n, parent
    heap.n += 1
    while place:
        parent = (place - 1) >> 1
        if not above(heap, part, heap.at[parent]):
            break
        heap.at[place] = heap.at[parent]
        place = parent
    heap.at[place] = part


cdef void heap_pop(heap_t* heap) noexcept nogil:
    cdef Py_ssize_t place = 0, child
    cdef uint32_t part
    heap.n -= 1
    part = heap.at[heap.n]
    while True:
        child = 2 * place + 1
        if child >= heap.n:
            break
        if child + 1 < heap.n and above(heap, heap.at[child + 1], heap.at[child]):
            child += 1
        if not above(heap, heap.at[child], part):
            break
        heap.at[place] = heap.at[child]
        place = child
    heap.at[place] = part


cdef int by_start(const void* a, const void* b) noexcept nogil:
    cdef int64_t x = (<const part_t*> a).start, y = (<const part_t*> b).start
    return (x > y) - (x < y)


cdef Py_ssize_t trim(const chunk_t* segments, Py_ssize_t n, int64_t acked, part_t* parts, heap_t* ahead,
                     bint* sorted_) noexcept nogil:
    """Cut from each segment what was in order before it came, and split off what was not captured.

    Returns the number of parts: at most two for each segment.  ``sorted_``: no segment was ahead.
    """
    cdef Py_ssize_t i, n_parts = 0
    cdef int64_t front = 0, start, end, middle
    sorted_[0] = True
    for i in range(n):
        start = max(segments[i].offset, front)
        end = segments[i].offset + segments[i].length
        middle = max(start, min(end, segments[i].offset + segments[i].captured))
        if start >= end or start - max(front, acked) >= MAX_WINDOW:
            continue
        if start < middle:
            parts[n_parts] = part_t(start, middle, extent_t(segments[i].offset, end, i), <uint32_t> i)
            n_parts += 1
        if middle < end:
            parts[n_parts] = part_t(middle, end, extent_t(segments[i].offset, end, i | EXTENT_CUT), <uint32_t> i)
            n_parts += 1
        if start > front:
            sorted_[0] = False
            heap_push(ahead, <uint32_t> n_parts - 1)
            if start < middle < end:
                heap_push(ahead, <uint32_t> n_parts - 2)
            continue
        front = end
        while ahead.n and parts[ahead.at[0]].start <= front:
            front = max(front, parts[ahead.at[0]].end)
            heap_pop(ahead)
    return n_parts


cdef Py_ssize_t emit(chunk_t* out, Py_ssize_t n_out, const chunk_t* segments, const part_t* part, int64_t start,
                     int64_t end) noexcept nogil:
    """Append [start, end) of a part; returns the new number of chunks."""
    cdef chunk_t* chunk = &out[n_out]
    chunk[0] = segments[part.segment]
    chunk.offset = start
    chunk.length = end - start
    chunk.reason = 0
    if part.sent.order & EXTENT_CUT:
        chunk.kind = CHUNK_CUT
        chunk.captured = 0
        chunk.position = 0
    else:
        chunk.kind = CHUNK_DATA
        chunk.captured = <uint32_t> chunk.length
        chunk.position += start - part.sent.start
    return n_out + 1


cdef Py_ssize_t emit_hole(chunk_t* out, Py_ssize_t n_out, const chunk_t* like, int64_t start, int64_t end,
                          int64_t acked) noexcept nogil:
    cdef int64_t middle = min(max(acked, start), end)
    cdef int64_t[3] bound
    cdef int i
    bound[0], bound[1], bound[2] = start, middle, end
    for i in range(2):
        if bound[i] < bound[i + 1]:
            memset(&out[n_out], 0, sizeof(chunk_t))
            out[n_out].offset = bound[i]
            out[n_out].length = bound[i + 1] - bound[i]
            out[n_out].stream, out[n_out].direction = like.stream, like.direction
            out[n_out].kind = CHUNK_MISSING if i else CHUNK_UNSEEN
            out[n_out].reason = GIVEN_UP_AT_END
            n_out += 1
    return n_out


cdef Py_ssize_t sweep(const chunk_t* segments, const part_t* parts, Py_ssize_t n, heap_t* best, int64_t acked,
                      chunk_t* out) noexcept nogil:
    """Walk over the parts, sorted by start; returns the number of chunks, at most three for each part."""
    cdef Py_ssize_t i = 0, n_out = 0
    cdef int64_t place = 0, end
    cdef const part_t* top
    while True:
        while best.n and parts[best.at[0]].end <= place:
            heap_pop(best)
        if best.n == 0:
            if i == n:
                return n_out
            if parts[i].start > place:
                n_out = emit_hole(out, n_out, segments, place, parts[i].start, acked)
                place = parts[i].start
            heap_push(best, <uint32_t> i)
            i += 1
            continue
        while i < n and parts[i].start <= place:
            heap_push(best, <uint32_t> i)
            i += 1
        top = &parts[best.at[0]]
        end = top.end
        if end <= place:
            continue
        while i < n and parts[i].start < end:
            if wins(best.rule, &parts[i].sent, &top.sent):
                end = parts[i].start
                break
            heap_push(best, <uint32_t> i)
            i += 1
        n_out = emit(out, n_out, segments, top, place, end)
        place = end


cdef Py_ssize_t put_in_order(const chunk_t* segments, Py_ssize_t n, int rule, int64_t acked, part_t* parts,
                             uint32_t* heap_room, chunk_t* out) noexcept nogil:
    cdef heap_t heap = heap_t(heap_room, 0, parts, BY_START)
    cdef bint is_sorted = True
    cdef Py_ssize_t n_parts = trim(segments, n, acked, parts, &heap, &is_sorted)
    if not is_sorted:
        qsort(parts, n_parts, sizeof(part_t), by_start)
    heap.n = 0
    heap.rule = rule
    return sweep(segments, parts, n_parts, &heap, acked, out)


def resolve(segments not None, int rule, int64_t acked):
    """CHUNK rows of one direction in the order of the stream: data, and holes where data is missing.

    ``segments``: CHUNK rows in order of arrival, one for each segment with payload, ``offset`` and ``length`` as
    sent.  ``acked``: the receiver has acknowledged the bytes before it.
    """
    if segments.dtype != CHUNK or segments.ndim != 1 or not segments.flags.c_contiguous:
        raise TypeError("segments must be contiguous CHUNK rows")
    cdef Py_ssize_t n = segments.shape[0], n_out = 0
    out = np.empty(6 * n, CHUNK)
    cdef const chunk_t* first = <const chunk_t*> <size_t> segments.ctypes.data
    cdef chunk_t* target = <chunk_t*> <size_t> out.ctypes.data
    cdef part_t* parts = <part_t*> malloc((2 * n + 1) * sizeof(part_t))
    cdef uint32_t* heap_room = <uint32_t*> malloc((2 * n + 1) * sizeof(uint32_t))
    try:
        if parts == NULL or heap_room == NULL:
            raise MemoryError
        with nogil:
            n_out = put_in_order(first, n, rule, acked, parts, heap_room, target)
    finally:
        free(parts)
        free(heap_room)
    return out[:n_out].copy()
