"""Blocks of 1, 2, 4 ... entries with a free list for each size, up to a limit of bytes.

Blocks are numbered within their size, since the memory moves as it grows; an owner whose block grows keeps size and
number together, in one name.  A block just given back is the next
to be taken, so short lives reuse what the cache holds.  The limit is on memory that has been touched: it
does not become less as blocks are given back.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from tcpcore.growable cimport grow, growable_t, release

cdef enum:
    SIZES = 15                     # 1 entry to 16,384
    SIZE_AT = 28                   # of a name: above these bits the size of the block, below them its number
    NUMBER = (1 << SIZE_AT) - 1


ctypedef struct pool_t:
    growable_t[SIZES] memory
    uint32_t[SIZES] fresh          # blocks 1 to fresh have been taken at least once; 0 is no block
    uint32_t[SIZES] free           # given back, chained by their first four bytes
    uint32_t[SIZES] taken          # blocks
    uint64_t entry                 # bytes of an entry
    uint64_t touched               # bytes of all blocks that have been taken at least once
    uint64_t limit                 # of them
    uint64_t refused               # times there was no block to be had


cdef inline uint64_t pool_block_bytes(const pool_t* pool, int size) noexcept nogil:
    return pool.entry << size


cdef inline void* pool_at(const pool_t* pool, int size, uint32_t block) noexcept nogil:
    return <uint8_t*> pool.memory[size].data + block * pool_block_bytes(pool, size)


cdef inline uint32_t pool_take(pool_t* pool, int size) noexcept nogil:
    """A block of 1 << size entries, not zeroed; 0 at the limit and when memory runs out."""
    cdef uint32_t block = pool.free[size]
    if block:
        pool.free[size] = (<uint32_t*> pool_at(pool, size, block))[0]
    else:
        block = pool_extend(pool, size)
        if block == 0:
            pool.refused += 1
            return 0
    pool.taken[size] += 1
    return block


cdef inline uint32_t pool_extend(pool_t* pool, int size) noexcept nogil:
    """A block that has not been taken before."""
    cdef uint64_t bytes = pool_block_bytes(pool, size)
    if pool.touched + bytes > pool.limit:
        pool_reclaim(pool)
        if pool.touched + bytes > pool.limit:
            return 0
    pool.memory[size].huge = True
    if grow(&pool.memory[size], (<uint64_t> pool.fresh[size] + 2) * bytes):
        return 0
    pool.fresh[size] += 1
    pool.touched += bytes
    return pool.fresh[size]


cdef inline void* pool_own(pool_t* pool, uint32_t* block) noexcept nogil:
    """The single entry of an owner, a zeroed one if it has none yet.  NULL at the limit and without memory."""
    if block[0] == 0:
        block[0] = pool_take(pool, 0)
        if block[0] == 0:
            return NULL
        memset(pool_at(pool, 0, block[0]), 0, pool.entry)
    return pool_at(pool, 0, block[0])


cdef inline void pool_disown(pool_t* pool, uint32_t block) noexcept nogil:
    if block:
        pool_give_back(pool, 0, block)


cdef inline void pool_reclaim(pool_t* pool) noexcept nogil:
    """Sizes of which no block is taken give up their memory."""
    cdef int size
    for size in range(SIZES):
        if pool.taken[size] == 0:
            release(&pool.memory[size])
            pool.touched -= pool.fresh[size] * pool_block_bytes(pool, size)
            pool.fresh[size] = pool.free[size] = 0


cdef inline void pool_give_back(pool_t* pool, int size, uint32_t block) noexcept nogil:
    (<uint32_t*> pool_at(pool, size, block))[0] = pool.free[size]
    pool.free[size] = block
    pool.taken[size] -= 1


# -- blocks by name; 0 is none

cdef inline int named_size(uint32_t name) noexcept nogil:
    """The block has 1 << named_size entries."""
    return name >> SIZE_AT


cdef inline void* named_at(const pool_t* pool, uint32_t name) noexcept nogil:
    return pool_at(pool, named_size(name), name & NUMBER)


cdef inline uint32_t named_take(pool_t* pool, int size) noexcept nogil:
    """As pool_take; 0 also when numbers run out."""
    cdef uint32_t block = pool_take(pool, size)
    if block > NUMBER:
        pool_give_back(pool, size, block)
        return 0
    return <uint32_t> size << SIZE_AT | block if block else 0


cdef inline void named_give_back(pool_t* pool, uint32_t name) noexcept nogil:
    pool_give_back(pool, named_size(name), name & NUMBER)


# -- all blocks

cdef inline uint64_t pool_used(const pool_t* pool) noexcept nogil:
    """Bytes of the blocks that are taken."""
    cdef uint64_t used = 0
    cdef int size
    for size in range(SIZES):
        used += pool.taken[size] * pool_block_bytes(pool, size)
    return used


cdef inline tuple account(const pool_t* pool):
    """Bytes taken, bytes held, and times that more was refused."""
    return pool_used(pool), pool.touched, pool.refused


cdef inline void pool_clear(pool_t* pool) noexcept nogil:
    cdef int size
    for size in range(SIZES):
        release(&pool.memory[size])
