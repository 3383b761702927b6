"""Sorted, disjoint, half-open ranges in a pool of fixed size: no TCP, no bytes.

A set is a skip list, so that whoever chooses the ranges cannot make it slow: add and carve cost
O(log n) and the ranges they change, front and append O(1).
"""
from libc.stdint cimport int64_t, uint32_t

from tcpcore.overlap cimport extent_t

cdef enum:
    LEVELS = 4


ctypedef struct range_t:
    int64_t start, end
    extent_t sent                  # the segment that the range is what is left of
    uint32_t[LEVELS] next          # 0: none
    uint32_t ref                   # the owner's: where the bytes are
    uint32_t levels


ctypedef struct range_pool_t:
    range_t* at                    # at[0] is nobody's
    uint32_t capacity
    uint32_t used
    uint32_t fresh                 # ranges 1 to fresh have been taken at least once
    uint32_t free                  # given back, chained by next[0]
    uint32_t seed


ctypedef struct range_set_t:
    uint32_t[LEVELS] first
    uint32_t last
    uint32_t count


cdef int pool_init(range_pool_t* pool, uint32_t capacity, uint32_t seed) except -1
cdef void pool_clear(range_pool_t* pool) noexcept nogil
cdef void pool_give_back(range_pool_t* pool, uint32_t node) noexcept nogil

cdef uint32_t ranges_add(range_pool_t* pool, range_set_t* held, int64_t start, int64_t end,
                         const extent_t* sent, uint32_t ref) noexcept nogil
cdef uint32_t ranges_carve(range_pool_t* pool, range_set_t* held, int64_t start, int64_t end,
                           const extent_t* sent, int rule, uint32_t* removed) noexcept nogil
cdef bint ranges_gap(range_pool_t* pool, range_set_t* held, int64_t* start, int64_t end,
                     int64_t* gap_end) noexcept nogil
cdef uint32_t ranges_overlapped(range_pool_t* pool, range_set_t* held, int64_t start, int64_t end) noexcept nogil
cdef uint32_t ranges_unlink_front(range_pool_t* pool, range_set_t* held) noexcept nogil
