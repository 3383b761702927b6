"""A bounded histogram of non-negative values: any quantile to within 1/32, whatever the values are.

Sixteen bins for each power of two, kept in a pool block only as far as they are used.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from tcpcore.pool cimport pool_at, pool_give_back, pool_t, pool_take

cdef extern from *:
    int highest_bit "63 - __builtin_clzll"(uint64_t value) noexcept nogil

cdef enum:
    EXACT = 32                     # smaller values have a bin of their own
    MAX_BIN_SIZE = 9               # 512 bins

ctypedef struct bin_t:
    uint32_t count
    uint16_t bucket
    uint16_t reserved

ctypedef struct histogram_t:
    uint32_t block                 # of the pool; 0: none
    uint16_t n_bins
    uint8_t size


cdef inline uint16_t bucket_of(int64_t value) noexcept nogil:
    cdef int shift
    if value < EXACT:
        return <uint16_t> value
    shift = highest_bit(<uint64_t> value) - 4
    return <uint16_t> ((shift << 4) + (value >> shift))


cdef inline int64_t middle_of(uint16_t bucket) noexcept nogil:
    cdef int shift = (bucket >> 4) - 1
    if bucket < EXACT:
        return bucket
    return (<int64_t> (16 + (bucket & 15)) << shift) + (<int64_t> 1 << shift >> 1)


cdef inline bint histogram_room(pool_t* pool, histogram_t* histogram) noexcept nogil:
    """Room for one more bin."""
    cdef int size = histogram.size + 1 if histogram.block else 0
    cdef uint32_t block
    if histogram.block and histogram.n_bins < 1 << histogram.size:
        return True
    block = 0 if size > MAX_BIN_SIZE else pool_take(pool, size)
    if block == 0:
        return False
    if histogram.block:
        memcpy(pool_at(pool, size, block), pool_at(pool, histogram.size, histogram.block),
               histogram.n_bins * sizeof(bin_t))
        pool_give_back(pool, histogram.size, histogram.block)
    histogram.block, histogram.size = block, <uint8_t> size
    return True


cdef inline bint histogram_add(pool_t* pool, histogram_t* histogram, int64_t value) noexcept nogil:
    """Count ``value`` >= 0; False if there is no memory for its bin.  A bin that is hit moves towards the front."""
    cdef uint16_t bucket = bucket_of(value)
    cdef bin_t* bins = <bin_t*> pool_at(pool, histogram.size, histogram.block)
    cdef bin_t hit
    cdef uint32_t i
    for i in range(histogram.n_bins):
        if bins[i].bucket == bucket:
            bins[i].count += 1
            if i and bins[i].count > bins[i - 1].count:
                hit = bins[i]
                bins[i] = bins[i - 1]
                bins[i - 1] = hit
            return True
    if not histogram_room(pool, histogram):
        return False
    bins = <bin_t*> pool_at(pool, histogram.size, histogram.block)
    bins[histogram.n_bins].bucket, bins[histogram.n_bins].count = bucket, 1
    histogram.n_bins += 1
    return True


cdef inline int64_t histogram_rank(const pool_t* pool, const histogram_t* histogram, uint64_t rank) noexcept nogil:
    """The middle of the bin that holds the value with ``rank`` smaller ones before it."""
    cdef const bin_t* bins = <bin_t*> pool_at(pool, histogram.size, histogram.block)
    cdef uint64_t below = 0
    cdef int previous = -1, following
    cdef uint32_t i, _bin, at = 0
    for _bin in range(histogram.n_bins):
        following = 1 << 16
        for i in range(histogram.n_bins):       # the next higher bin
            if previous < bins[i].bucket < following:
                following, at = bins[i].bucket, i
        below += bins[at].count
        previous = following
        if below > rank:
            break
    return middle_of(<uint16_t> previous) if histogram.n_bins else 0
