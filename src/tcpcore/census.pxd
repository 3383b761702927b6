"""Counts over all frames of a capture."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from tcpcore.growable cimport growable_t

cdef enum:
    EXAMPLES = 5


ctypedef struct examples_t:
    uint64_t count
    uint64_t[EXAMPLES] frames      # numbers of the first ones


ctypedef struct interface_count_t:
    uint64_t frames
    uint64_t captured_bytes
    uint64_t wire_bytes


ctypedef struct census_t:
    uint64_t frames
    uint64_t others                # records that are not packets (G-4): numbered, and nothing else
    uint64_t captured_bytes
    uint64_t wire_bytes
    uint64_t timed                 # packets, those at time 0 left out
    uint64_t at_zero               # packets at time 0
    int64_t first_ns, last_ns      # the earliest and the latest time, times of 0 left out
    int64_t previous_ns
    int64_t furthest_back          # ns
    examples_t disordered          # earlier than the frame before, by less than a clock step
    examples_t steps               # by more
    examples_t cut                 # captured in part
    uint32_t least_cut, most_cut   # captured bytes of such frames
    uint64_t[16] statuses          # frames by DecodeStatus


cdef inline void note(examples_t* examples, uint64_t frame) noexcept nogil:
    if examples.count < EXAMPLES:
        examples.frames[examples.count] = frame
    examples.count += 1


cdef inline object as_tuple(const examples_t* examples):
    """(count, numbers of the first frames)"""
    cdef list frames = []
    cdef uint64_t i
    for i in range(min(examples.count, <uint64_t> EXAMPLES)):
        frames.append(examples.frames[i])
    return examples.count, frames


cdef class Census:
    cdef census_t counts
    cdef growable_t interfaces     # interface_count_t by FRAME.interface_id
    cdef Py_ssize_t n_interfaces
