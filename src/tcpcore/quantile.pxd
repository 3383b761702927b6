"""A bounded histogram of non-negative values: any quantile to within 1/32, whatever the values are.

Sixteen bins for each power of two, kept in a pool block only as far as they are used.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from tcpcore.pool cimport pool_at, pool_give_back, pool_t, pool_take

cdef extern from *:
    int highest_bit "63 - __builtin_clzll"(uint64_t value) noexcept nogil

cdef enum:
    EXACT = 32                     # smaller values have a bin of their own
    MIN_SIZE = 2                   # the smallest block has room for 4 bins
    MAX_SIZE = 9                   # the largest block has room for 512 bins
    BIN_BYTES = 6                  # a block of n bins: n buckets of 2 bytes, n counts of 4
    NO_BUCKET = 0xFFFF

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


cdef inline int64_t low_of(uint16_t bucket) noexcept nogil:
    """The least value that falls into it."""
    return bucket if bucket < EXACT else <int64_t> (16 + (bucket & 15)) << ((bucket >> 4) - 1)


cdef inline int64_t middle_of(uint16_t bucket) noexcept nogil:
    return low_of(bucket) if bucket < EXACT else low_of(bucket) + (<int64_t> 1 << ((bucket >> 4) - 1) >> 1)


cdef inline uint16_t* histogram_buckets(const pool_t* pool, const histogram_t* histogram) noexcept nogil:
    return <uint16_t*> pool_at(pool, histogram.size, histogram.block)


cdef inline uint32_t* histogram_counts(const pool_t* pool, const histogram_t* histogram) noexcept nogil:
    return <uint32_t*> (histogram_buckets(pool, histogram) + (1 << histogram.size))


cdef inline bint histogram_room(pool_t* pool, histogram_t* histogram) noexcept nogil:
    """Room for one more bin."""
    cdef histogram_t grown
    if histogram.block and histogram.n_bins < 1 << histogram.size:
        return True
    grown.n_bins = histogram.n_bins
    grown.size = <uint8_t> (histogram.size + 1 if histogram.block else MIN_SIZE)
    grown.block = 0 if grown.size > MAX_SIZE else pool_take(pool, grown.size)
    if grown.block == 0:
        return False
    memset(histogram_buckets(pool, &grown), 0xFF, sizeof(uint16_t) << grown.size)
    if histogram.block:
        memcpy(histogram_buckets(pool, &grown), histogram_buckets(pool, histogram), grown.n_bins * sizeof(uint16_t))
        memcpy(histogram_counts(pool, &grown), histogram_counts(pool, histogram), grown.n_bins * sizeof(uint32_t))
        pool_give_back(pool, histogram.size, histogram.block)
    histogram[0] = grown
    return True


cdef inline uint16_t histogram_find(const uint16_t* buckets, uint16_t room, uint16_t bucket) noexcept nogil:
    """1 + the index of the bucket; 0: not there.  Without a way out of the loop, eight are compared at once."""
    cdef uint16_t i, found = 0
    for i in range(room):
        found |= <uint16_t> (i + 1) if buckets[i] == bucket else 0
    return found


cdef inline bint histogram_add(pool_t* pool, histogram_t* histogram, int64_t value) noexcept nogil:
    """Count ``value`` >= 0; False if there is no memory for its bin."""
    cdef uint16_t bucket = bucket_of(value), found = 0
    if histogram.block:
        found = histogram_find(histogram_buckets(pool, histogram), <uint16_t> (1 << histogram.size), bucket)
    if found:
        histogram_counts(pool, histogram)[found - 1] += 1
        return True
    if not histogram_room(pool, histogram):
        return False
    histogram_buckets(pool, histogram)[histogram.n_bins] = bucket
    histogram_counts(pool, histogram)[histogram.n_bins] = 1
    histogram.n_bins += 1
    return True


cdef inline int64_t histogram_rank(const pool_t* pool, const histogram_t* histogram, uint64_t rank) noexcept nogil:
    """The middle of the bin that holds the value with ``rank`` smaller ones before it."""
    cdef const uint16_t* buckets = histogram_buckets(pool, histogram)
    cdef uint64_t below = 0
    cdef int previous = -1, following
    cdef uint32_t i, _bin, at = 0
    for _bin in range(histogram.n_bins):
        following = NO_BUCKET
        for i in range(histogram.n_bins):       # the next higher bin
            if previous < buckets[i] < following:
                following, at = buckets[i], i
        below += histogram_counts(pool, histogram)[at]
        previous = following
        if below > rank:
            break
    return middle_of(<uint16_t> previous) if histogram.n_bins else 0
