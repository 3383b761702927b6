"""The key of a stream: the unordered pair of (address, port) ends (ST-1), compared whole and hashed with a secret."""
from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t

from tcpcore.records cimport segment_t

cdef extern from *:
    """
    /* Both halves of the 128-bit product: every input bit reaches every output bit. */
    static inline unsigned long long tcpcore_fold(unsigned long long a, unsigned long long b) {
        __uint128_t product = (__uint128_t) a * b;
        return (unsigned long long) product ^ (unsigned long long) (product >> 64);
    }
    """
    uint64_t fold "tcpcore_fold"(uint64_t a, uint64_t b) noexcept nogil

ctypedef struct secret_t:
    uint64_t address, port, final

ctypedef struct flowkey_t:
    # End 0 is the sender of the stream's first frame.
    uint64_t hi[2]
    uint64_t lo[2]
    uint16_t port[2]
    uint8_t ip_version


cdef inline uint64_t hash_end(uint64_t hi, uint64_t lo, uint16_t port, const secret_t* secret) noexcept nogil:
    return fold(lo ^ secret.address, hi ^ ((<uint64_t> port + 1) * secret.port))


cdef inline uint32_t hash_ends(uint64_t one, uint64_t other, const secret_t* secret) noexcept nogil:
    """The same for both directions: of the sum of the ends' hashes.

    Without the secret nobody can choose streams that fall on one place of the table.
    """
    return <uint32_t> (fold((one + other) ^ secret.final, secret.address | 1) >> 32)


cdef inline uint32_t hash_row(const segment_t* row, const secret_t* secret) noexcept nogil:
    return hash_ends(hash_end(row.src_hi, row.src_lo, row.src_port, secret),
                     hash_end(row.dst_hi, row.dst_lo, row.dst_port, secret), secret)


cdef inline uint32_t hash_key(const flowkey_t* key, const secret_t* secret) noexcept nogil:
    """That of the stream's rows."""
    return hash_ends(hash_end(key.hi[0], key.lo[0], key.port[0], secret),
                     hash_end(key.hi[1], key.lo[1], key.port[1], secret), secret)


cdef inline bint is_end(uint64_t hi, uint64_t lo, uint16_t port, const flowkey_t* key, int end) noexcept nogil:
    return ((hi ^ key.hi[end]) | (lo ^ key.lo[end]) | (port ^ key.port[end])) == 0


cdef inline int direction_of(const segment_t* row, const flowkey_t* key) noexcept nogil:
    """0: sent by end 0, 1: by end 1, -1: of another stream.  Equal ends: always 0 (ST-2).

    Without a branch on the direction, which nothing foretells.
    """
    cdef int direction = not is_end(row.src_hi, row.src_lo, row.src_port, key, 0)
    if (is_end(row.src_hi, row.src_lo, row.src_port, key, direction)
            & is_end(row.dst_hi, row.dst_lo, row.dst_port, key, 1 - direction) & (row.ip_version == key.ip_version)):
        return direction
    return -1


cdef inline void set_key(flowkey_t* key, const segment_t* row) noexcept nogil:
    key.hi[0], key.lo[0], key.port[0] = row.src_hi, row.src_lo, row.src_port
    key.hi[1], key.lo[1], key.port[1] = row.dst_hi, row.dst_lo, row.dst_port
    key.ip_version = row.ip_version
