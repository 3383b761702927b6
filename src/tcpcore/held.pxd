"""Bytes that wait behind a hole: copied into a bounded store, sorted by where they belong.

A *hold* is what waits in one direction of one stream; a stream without holes has none.  The holds
are chained from the oldest to the newest, so that the store can be relieved oldest first.
"""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from tcpcore.overlap cimport extent_t
from tcpcore.ranges cimport range_pool_t, range_set_t, range_t

cdef enum:
    BLOCK = 2048                   # bytes; one range never needs more than one block
    CUT = 0                        # range_t.ref: never captured, the snap length was too short
    DROPPED = 0xFFFFFFFF           # range_t.ref: captured, but there was no block for it


ctypedef struct block_t:
    int64_t base                   # place in the stream of the first byte
    int64_t time_ns                # of the segment
    uint64_t frame
    uint32_t next
    uint32_t reserved


ctypedef struct hold_t:
    range_set_t ranges
    uint32_t owner                 # slot * 2 + direction
    uint32_t n_blocks
    uint32_t older, newer          # 0: none
    int64_t acked_since            # the hole's far end is acknowledged since then; 0: not yet


ctypedef struct store_t:
    range_pool_t ranges
    hold_t* holds                  # holds[0] is nobody's
    block_t* blocks                # blocks[0] too
    uint8_t* bytes                 # BLOCK for each block
    uint32_t n_blocks              # there are; more than the limit, for those that are spent
    uint32_t used                  # blocks that hold waiting bytes
    uint32_t most_used
    uint32_t fresh_block, free_block
    uint32_t spent_block           # passed on, but still looked at until the batch is over
    uint32_t fresh_hold, free_hold
    uint32_t oldest, newest
    int rule                       # OverlapRule
    uint64_t dropped               # bytes for which there was no block or no range


ctypedef struct arrival_t:
    extent_t sent
    int64_t start                  # what is not older than the stream's front: [start, sent.end)
    const uint8_t* bytes           # of sent.start
    int64_t captured               # from sent.start
    int64_t time_ns
    uint64_t frame


cdef int store_init(store_t* store, uint32_t n_blocks, int rule, uint32_t seed) except -1
cdef void store_clear(store_t* store) noexcept nogil
cdef void store_reclaim(store_t* store) noexcept nogil
cdef uint32_t hold_open(store_t* store, uint32_t owner) noexcept nogil
cdef void hold_close(store_t* store, uint32_t index) noexcept nogil
cdef void hold_put(store_t* store, hold_t* hold, const arrival_t* arrival) noexcept nogil
cdef void hold_yield(store_t* store, hold_t* hold, const arrival_t* arrival) noexcept nogil
cdef void hold_pass_on(store_t* store, hold_t* hold, uint32_t node) noexcept nogil


cdef inline range_t* hold_front(store_t* store, hold_t* hold) noexcept nogil:
    """The first range that waits; NULL: none."""
    return NULL if hold.ranges.first[0] == 0 else &store.ranges.at[hold.ranges.first[0]]


cdef inline uint64_t block_place(store_t* store, const range_t* held) noexcept nogil:
    """Where in ``store.bytes`` the range's bytes are."""
    return <uint64_t> (held.ref - 1) * BLOCK + <uint64_t> (held.start - store.blocks[held.ref].base)
