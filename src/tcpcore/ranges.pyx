"""Sorted half-open ranges: see ranges.pxd.

Invariant of a set: along next[0] each range is not empty and ends before the next one begins or where
it begins; a range of ``levels`` n is in the chains 0 to n-1 and in no other.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from tcpcore.overlap cimport extent_t, wins


cdef int pool_init(range_pool_t* pool, uint32_t capacity, uint32_t seed) except -1:
    """Room for ``capacity`` ranges in all sets of the pool together; memory is touched as it is used."""
    pool.at = <range_t*> malloc((<size_t> capacity + 1) * sizeof(range_t))
    if pool.at == NULL:
        raise MemoryError
    pool.capacity = capacity
    pool.seed = seed
    pool.free = pool.fresh = pool.used = 0
    return 0


cdef void pool_clear(range_pool_t* pool) noexcept nogil:
    free(pool.at)
    pool.at = NULL


cdef void pool_give_back(range_pool_t* pool, uint32_t node) noexcept nogil:
    pool.at[node].next[0] = pool.free
    pool.free = node
    pool.used -= 1


cdef inline uint32_t take(range_pool_t* pool) noexcept nogil:
    """A range of the pool, 0 when there is none left."""
    cdef uint32_t node = pool.free, draw
    if node:
        pool.free = pool.at[node].next[0]
    elif pool.fresh < pool.capacity:
        pool.fresh += 1
        node = pool.fresh
    else:
        return 0
    pool.used += 1
    # One range in eight reaches the next level; the draws cannot be foreseen without the seed.
    pool.seed = pool.seed * 1664525 + 1013904223
    draw = pool.seed >> 20
    pool.at[node].levels = 1
    while draw & 7 == 0 and pool.at[node].levels < LEVELS:
        pool.at[node].levels += 1
        draw >>= 3
    return node


cdef inline uint32_t* link(range_pool_t* pool, range_set_t* held, uint32_t node, int level) noexcept nogil:
    """The successor field of ``node``, or of the set itself for 0."""
    return &held.first[level] if node == 0 else &pool.at[node].next[level]


cdef void seek(range_pool_t* pool, range_set_t* held, int64_t position, uint32_t* before) noexcept nogil:
    """``before[level]``: the last range of the level that ends at or before ``position``."""
    cdef uint32_t node = 0, successor
    cdef int level
    for level in range(LEVELS - 1, -1, -1):
        while True:
            successor = link(pool, held, node, level)[0]
            if successor == 0 or pool.at[successor].end > position:
                break
            node = successor
        before[level] = node


cdef void insert(range_pool_t* pool, range_set_t* held, uint32_t* before, uint32_t node) noexcept nogil:
    cdef uint32_t* field
    cdef int level
    for level in range(<int> pool.at[node].levels):
        field = link(pool, held, before[level], level)
        pool.at[node].next[level] = field[0]
        field[0] = node
    if pool.at[node].next[0] == 0:
        held.last = node
    held.count += 1


cdef void unlink(range_pool_t* pool, range_set_t* held, uint32_t* before, uint32_t node) noexcept nogil:
    cdef int level
    for level in range(<int> pool.at[node].levels):
        link(pool, held, before[level], level)[0] = pool.at[node].next[level]
    if held.last == node:
        held.last = before[0]
    held.count -= 1


cdef inline void step(range_pool_t* pool, uint32_t* before, uint32_t node) noexcept nogil:
    """Move the place that ``before`` marks behind ``node``."""
    cdef int level
    for level in range(<int> pool.at[node].levels):
        before[level] = node


cdef uint32_t ranges_add(range_pool_t* pool, range_set_t* held, int64_t start, int64_t end,
                         const extent_t* sent, uint32_t ref) noexcept nogil:
    """Add a range that overlaps none of the set; 0 when the pool is empty."""
    cdef uint32_t[LEVELS] before
    cdef uint32_t node = take(pool)
    if node == 0:
        return 0
    pool.at[node].start = start
    pool.at[node].end = end
    pool.at[node].sent = sent[0]
    pool.at[node].ref = ref
    if pool.at[node].levels == 1 and held.last and pool.at[held.last].end <= start:
        before[0] = held.last
    else:
        seek(pool, held, start, before)
    insert(pool, held, before, node)
    return node


cdef uint32_t split(range_pool_t* pool, range_set_t* held, uint32_t* before, uint32_t node, int64_t start,
                    int64_t end) noexcept nogil:
    """Take [start, end) out of the middle of ``node``; the range of its tail, 0 when the pool is empty."""
    cdef uint32_t tail = take(pool)
    if tail == 0:
        return 0
    pool.at[tail].start = end
    pool.at[tail].end = pool.at[node].end
    pool.at[tail].sent = pool.at[node].sent
    pool.at[tail].ref = pool.at[node].ref
    pool.at[node].end = start
    step(pool, before, node)
    insert(pool, held, before, tail)
    return tail


cdef uint32_t ranges_carve(range_pool_t* pool, range_set_t* held, int64_t start, int64_t end,
                           const extent_t* sent, int rule, uint32_t* removed) noexcept nogil:
    """Take out of the set what [start, end) of the segment ``sent`` wins from it.

    Ranges that lost all they had are chained by next[0] from ``removed``: the owner gives them back.
    Returns the tail of a range that was cut in two, which has that range's ``ref``, or 0.  A range
    that cannot be cut in two because the pool is empty keeps all it has.
    """
    cdef uint32_t[LEVELS] before
    cdef uint32_t node, successor
    removed[0] = 0
    if held.last == 0 or pool.at[held.last].end <= start:
        return 0
    seek(pool, held, start, before)
    node = link(pool, held, before[0], 0)[0]
    while node and pool.at[node].start < end:
        successor = pool.at[node].next[0]
        if not wins(rule, sent, &pool.at[node].sent):
            step(pool, before, node)
        elif pool.at[node].start < start and pool.at[node].end > end:
            return split(pool, held, before, node, start, end)
        elif pool.at[node].start < start:
            pool.at[node].end = start
            step(pool, before, node)
        elif pool.at[node].end > end:
            pool.at[node].start = end
        else:
            unlink(pool, held, before, node)
            pool.at[node].next[0] = removed[0]
            removed[0] = node
        node = successor
    return 0


cdef bint ranges_gap(range_pool_t* pool, range_set_t* held, int64_t* start, int64_t end,
                     int64_t* gap_end) noexcept nogil:
    """The first part of [start, end) that no range covers: [start, gap_end), ``start`` moved there."""
    cdef uint32_t[LEVELS] before
    cdef uint32_t node
    if held.last == 0 or pool.at[held.last].end <= start[0]:
        gap_end[0] = end
        return start[0] < end
    seek(pool, held, start[0], before)
    node = link(pool, held, before[0], 0)[0]
    while node and pool.at[node].start <= start[0]:
        start[0] = pool.at[node].end
        node = pool.at[node].next[0]
    gap_end[0] = end if node == 0 or pool.at[node].start > end else pool.at[node].start
    return start[0] < end


cdef uint32_t ranges_overlapped(range_pool_t* pool, range_set_t* held, int64_t start, int64_t end) noexcept nogil:
    """How many ranges have a part of [start, end)."""
    cdef uint32_t[LEVELS] before
    cdef uint32_t node, n = 0
    if held.last == 0 or pool.at[held.last].end <= start:
        return 0
    seek(pool, held, start, before)
    node = link(pool, held, before[0], 0)[0]
    while node and pool.at[node].start < end:
        n += 1
        node = pool.at[node].next[0]
    return n


cdef uint32_t ranges_unlink_front(range_pool_t* pool, range_set_t* held) noexcept nogil:
    """Take the first range out of the set; the owner gives it back.  0 when there is none."""
    cdef uint32_t[LEVELS] before
    cdef uint32_t node = held.first[0]
    if node:
        memset(before, 0, sizeof(before))
        unlink(pool, held, before, node)
    return node


cdef class RangeSet:
    """One set with its own pool, for what is not fast: tests and exploration.

    ``add(start, end, order)`` is a segment that arrived; ``rule`` decides who keeps shared bytes.
    """
    cdef range_pool_t pool
    cdef range_set_t held
    cdef readonly int rule

    def __cinit__(self, int rule, uint32_t capacity=4096, uint32_t seed=1):
        self.rule = rule
        memset(&self.held, 0, sizeof(range_set_t))
        pool_init(&self.pool, capacity, seed)

    def __dealloc__(self):
        pool_clear(&self.pool)

    def add(self, int64_t start, int64_t end, uint64_t order):
        """Returns the number of bytes of the segment that found no room in the pool."""
        if start >= end:
            raise ValueError("a range is not empty")
        cdef extent_t sent = extent_t(start, end, order)
        cdef int64_t gap_end = 0
        cdef Py_ssize_t lost = 0
        cdef uint32_t removed, successor
        ranges_carve(&self.pool, &self.held, start, end, &sent, self.rule, &removed)
        while removed:
            successor = self.pool.at[removed].next[0]
            pool_give_back(&self.pool, removed)
            removed = successor
        while ranges_gap(&self.pool, &self.held, &start, end, &gap_end):
            if ranges_add(&self.pool, &self.held, start, gap_end, &sent, 0) == 0:
                lost += gap_end - start
            start = gap_end
        return lost

    def pop(self):
        """Take the first range out: (start, end, order)."""
        cdef uint32_t node = ranges_unlink_front(&self.pool, &self.held)
        if node == 0:
            raise IndexError("no range is left")
        cdef range_t taken = self.pool.at[node]
        pool_give_back(&self.pool, node)
        return taken.start, taken.end, taken.sent.order

    def gaps(self, int64_t start, int64_t end):
        """The parts of [start, end) that no range covers."""
        cdef int64_t gap_end = 0
        out = []
        while ranges_gap(&self.pool, &self.held, &start, end, &gap_end):
            out.append((start, gap_end))
            start = gap_end
        return out

    def __iter__(self):
        cdef uint32_t node = self.held.first[0]
        while node:
            yield self.pool.at[node].start, self.pool.at[node].end, self.pool.at[node].sent.order
            node = self.pool.at[node].next[0]

    def __len__(self):
        return self.held.count
