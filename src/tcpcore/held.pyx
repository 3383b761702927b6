"""The store of bytes that wait behind holes: see held.pxd.

A block belongs to one range at a time.  What was captured and what the snap length cut off are
separate ranges: captured bytes take the place of cut ones whatever the rule (overlap.pxd).
"""
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from tcpcore.overlap cimport EXTENT_CUT, extent_t
from tcpcore.ranges cimport (
    pool_clear, pool_give_back, pool_init, range_t, ranges_add, ranges_carve, ranges_gap, ranges_unlink_front)


cdef int store_init(store_t* store, uint32_t n_blocks, int rule, uint32_t seed) except -1:
    """Address space for ``n_blocks`` blocks; memory is touched as it is used."""
    memset(store, 0, sizeof(store_t))
    store.n_blocks = n_blocks
    store.rule = rule
    # A cut range needs no block: twice as many ranges as blocks leave room for one beside each.
    pool_init(&store.ranges, 2 * n_blocks, seed)
    store.holds = <hold_t*> malloc((<size_t> n_blocks + 1) * sizeof(hold_t))
    store.blocks = <block_t*> malloc((<size_t> n_blocks + 1) * sizeof(block_t))
    store.bytes = <uint8_t*> malloc(<size_t> n_blocks * BLOCK)
    if store.holds == NULL or store.blocks == NULL or store.bytes == NULL:
        raise MemoryError
    return 0


cdef void store_clear(store_t* store) noexcept nogil:
    pool_clear(&store.ranges)
    free(store.holds)
    free(store.blocks)
    free(store.bytes)


cdef uint32_t take_block(store_t* store, hold_t* hold) noexcept nogil:
    """0: none is left."""
    cdef uint32_t block = store.free_block
    if block:
        store.free_block = store.blocks[block].next
    elif store.fresh_block < store.n_blocks:
        store.fresh_block += 1
        block = store.fresh_block
    else:
        return 0
    hold.n_blocks += 1
    store.used += 1
    store.most_used = max(store.most_used, store.used)
    return block


cdef inline void release_block(store_t* store, hold_t* hold, uint32_t ref, uint32_t* chain) noexcept nogil:
    """Put a range's block, if it has one, on the chain of free or of spent blocks."""
    if ref != CUT and ref != DROPPED:
        store.blocks[ref].next = chain[0]
        chain[0] = ref
        hold.n_blocks -= 1
        store.used -= 1


cdef void store_reclaim(store_t* store) noexcept nogil:
    """Nobody looks at the spent blocks any more."""
    cdef uint32_t block = store.spent_block, following
    while block:
        following = store.blocks[block].next
        store.blocks[block].next = store.free_block
        store.free_block = block
        block = following
    store.spent_block = 0


cdef uint32_t hold_open(store_t* store, uint32_t owner) noexcept nogil:
    """A new, empty hold, the newest; 0: there is none left."""
    cdef uint32_t index = store.free_hold
    if index:
        store.free_hold = store.holds[index].newer
    elif store.fresh_hold < store.n_blocks:
        store.fresh_hold += 1
        index = store.fresh_hold
    else:
        return 0
    memset(&store.holds[index], 0, sizeof(hold_t))
    store.holds[index].owner = owner
    store.holds[index].older = store.newest
    if store.newest:
        store.holds[store.newest].newer = index
    else:
        store.oldest = index
    store.newest = index
    return index


cdef void hold_close(store_t* store, uint32_t index) noexcept nogil:
    """Give an empty hold back."""
    cdef uint32_t older = store.holds[index].older, newer = store.holds[index].newer
    if older:
        store.holds[older].newer = newer
    else:
        store.oldest = newer
    if newer:
        store.holds[newer].older = older
    else:
        store.newest = older
    store.holds[index].newer = store.free_hold
    store.free_hold = index


cdef void copy_tail(store_t* store, hold_t* hold, uint32_t node) noexcept nogil:
    """Give the tail of a range that was cut in two a block of its own."""
    cdef range_t* tail = &store.ranges.at[node]
    cdef uint32_t old = tail.ref, block
    if old == CUT or old == DROPPED:
        return
    block = take_block(store, hold)
    if block == 0:
        store.dropped += tail.end - tail.start
        tail.ref = DROPPED
        tail.sent.order |= EXTENT_CUT
        return
    memcpy(store.bytes + <size_t> (block - 1) * BLOCK,
           store.bytes + <size_t> (old - 1) * BLOCK + (tail.start - store.blocks[old].base), tail.end - tail.start)
    store.blocks[block] = store.blocks[old]
    store.blocks[block].base = tail.start
    tail.ref = block


cdef void carve(store_t* store, hold_t* hold, int64_t start, int64_t end, const extent_t* sent) noexcept nogil:
    """Take from what waits all that [start, end) of the segment ``sent`` wins."""
    cdef uint32_t removed = 0, following, tail
    tail = ranges_carve(&store.ranges, &hold.ranges, start, end, sent, store.rule, &removed)
    if tail:
        copy_tail(store, hold, tail)
    while removed:
        following = store.ranges.at[removed].next[0]
        release_block(store, hold, store.ranges.at[removed].ref, &store.free_block)
        pool_give_back(&store.ranges, removed)
        removed = following


cdef void fill(store_t* store, hold_t* hold, const arrival_t* arrival, int64_t start, int64_t end) noexcept nogil:
    """Copy captured bytes into a gap, a block at a time."""
    cdef int64_t stop
    cdef uint32_t block
    cdef extent_t sent
    while start < end:
        stop = min(end, start + BLOCK)
        sent = arrival.sent
        block = take_block(store, hold)
        if block == 0:
            block = DROPPED
            stop = end
            sent.order |= EXTENT_CUT
            store.dropped += end - start
        else:
            store.blocks[block].base = start
            store.blocks[block].time_ns = arrival.time_ns
            store.blocks[block].frame = arrival.frame
            memcpy(store.bytes + <size_t> (block - 1) * BLOCK, arrival.bytes + (start - sent.start), stop - start)
        if ranges_add(&store.ranges, &hold.ranges, start, stop, &sent, block) == 0:
            if block != DROPPED:
                store.dropped += stop - start
            release_block(store, hold, block, &store.free_block)
        start = stop


cdef void hold_put(store_t* store, hold_t* hold, const arrival_t* arrival) noexcept nogil:
    """Keep what the segment wins or brings anew; what finds no room is counted in ``store.dropped``."""
    cdef int64_t end = min(arrival.sent.end, arrival.sent.start + arrival.captured), start = arrival.start, gap_end = 0
    cdef extent_t cut = arrival.sent
    if start < end:
        carve(store, hold, start, end, &arrival.sent)
        while ranges_gap(&store.ranges, &hold.ranges, &start, end, &gap_end):
            fill(store, hold, arrival, start, gap_end)
            start = gap_end
    start = max(arrival.start, end)
    cut.order |= EXTENT_CUT
    if start < cut.end:
        carve(store, hold, start, cut.end, &cut)
        while ranges_gap(&store.ranges, &hold.ranges, &start, cut.end, &gap_end):
            ranges_add(&store.ranges, &hold.ranges, start, gap_end, &cut, CUT)
            start = gap_end


cdef void hold_yield(store_t* store, hold_t* hold, const arrival_t* arrival) noexcept nogil:
    """Make way for a segment that is passed on without being kept."""
    cdef int64_t end = min(arrival.sent.end, arrival.sent.start + arrival.captured), start
    cdef extent_t cut = arrival.sent
    if arrival.start < end:
        carve(store, hold, arrival.start, end, &arrival.sent)
    start = max(arrival.start, end)
    cut.order |= EXTENT_CUT
    if start < cut.end:
        carve(store, hold, start, cut.end, &cut)


cdef void hold_pass_on(store_t* store, hold_t* hold, uint32_t node) noexcept nogil:
    """The front range ``node`` has been passed on: its block is spent, the range free."""
    ranges_unlink_front(&store.ranges, &hold.ranges)
    release_block(store, hold, store.ranges.at[node].ref, &store.spent_block)
    pool_give_back(&store.ranges, node)
