"""IP fragments joined before TCP (RFC 791 section 3.2, RFC 8200 section 4.5), in bounded memory.

Fragments lie in the order of their offsets, among equal ones in the order of arrival, and each
contributes what lies beyond those before it (so the lower offset wins an overlap).  The first
"last" fragment seen fixes the length of the datagram.
"""
import os

from libc.stdint cimport uint16_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from tcpcore.batch cimport PAYLOAD_IN_ARENA

cdef enum:
    BUCKETS = 1 << 16              # as many as there may be datagrams of a small fragment, within a factor of 3
    MAX_FRAGMENTS = 2048           # of one datagram, since each fragment may look at all before it

cdef int64_t TIMEOUT_NS = 255_000_000_000      # the upper bound of RFC 791's reassembly timer


cdef class Fragments:
    """Datagrams of which a part has come; at most ``memory_limit`` bytes of them."""

    def __cinit__(self, Py_ssize_t memory_limit=16 << 20):
        self.memory_limit = memory_limit
        self.seed = int.from_bytes(os.urandom(8), "little") | 1
        self.buckets = <datagram_t**> calloc(BUCKETS, sizeof(datagram_t*))
        if self.buckets == NULL:
            raise MemoryError

    def __dealloc__(self):
        cdef datagram_t* d = self.oldest
        cdef datagram_t* following
        while d != NULL:
            following = d.newer
            free_datagram(d)
            d = following
        free(self.buckets)

    @property
    def incomplete(self):
        """Datagrams of which something is still missing."""
        cdef datagram_t* d = self.oldest
        n = 0
        while d != NULL:
            n += 1
            d = d.newer
        return n

    cdef int add(self, Batch batch, cursor_t* c, const datagram_key_t* key, uint32_t offset, bint more) except -1 nogil:
        """Take the fragment whose payload is at the cursor, all of it captured.

        Returns 1 if it completes its datagram: the cursor then stands at the joined payload, which
        lies in the batch's arena; else 0.
        """
        cdef datagram_t* d
        self.fragments += 1
        self.expire(c.frame.time_ns)
        if c.length == 0:
            return 0
        d = self.find(key)
        if d == NULL:
            d = self.create(key, c.frame.time_ns)
        if d.count < MAX_FRAGMENTS:
            self.insert(d, c, offset)
        else:
            self.refused += 1
        if not more and d.total == 0:
            d.total = offset + c.length
        if not is_complete(d):
            self.evict()
            return 0
        join(batch, c, d)
        self.joined += 1
        self.remove(d)
        return 1

    cdef datagram_t* find(self, const datagram_key_t* key) noexcept nogil:
        cdef datagram_t* d = self.buckets[self.bucket(key)]
        while d != NULL and not same_key(&d.key, key):
            d = d.chain
        return d

    cdef datagram_t* create(self, const datagram_key_t* key, int64_t time_ns) except NULL nogil:
        cdef datagram_t* d = <datagram_t*> calloc(1, sizeof(datagram_t))
        cdef datagram_t** bucket = &self.buckets[self.bucket(key)]
        if d == NULL:
            with gil:
                raise MemoryError
        d.key = key[0]
        d.time_ns = time_ns
        d.chain = bucket[0]
        bucket[0] = d
        d.older = self.newest
        if self.newest != NULL:
            self.newest.newer = d
        else:
            self.oldest = d
        self.newest = d
        self.memory += sizeof(datagram_t)
        return d

    cdef int insert(self, datagram_t* d, const cursor_t* c, uint32_t offset) except -1 nogil:
        cdef fragment_t** at = &d.first
        cdef fragment_t* f = <fragment_t*> malloc(sizeof(fragment_t) + c.length)
        if f == NULL:
            with gil:
                raise MemoryError
        while at[0] != NULL and at[0].offset <= offset:
            at = &at[0].next
        f.next = at[0]
        f.offset = offset
        f.length = c.length
        memcpy(f + 1, c.p, c.length)
        at[0] = f
        d.held += c.length
        d.count += 1
        self.memory += sizeof(fragment_t) + c.length
        return 0

    cdef void expire(self, int64_t now) noexcept nogil:
        while self.oldest != NULL and now - self.oldest.time_ns > TIMEOUT_NS:
            self.timed_out += 1
            self.remove(self.oldest)

    cdef void evict(self) noexcept nogil:
        """Let go of the oldest ones, be it that to which the last fragment belongs."""
        while self.memory > self.memory_limit:
            self.evicted += 1
            self.remove(self.oldest)

    cdef void remove(self, datagram_t* d) noexcept nogil:
        cdef datagram_t** at = &self.buckets[self.bucket(&d.key)]
        while at[0] != d:
            at = &at[0].chain
        at[0] = d.chain
        if d.older != NULL:
            d.older.newer = d.newer
        else:
            self.oldest = d.newer
        if d.newer != NULL:
            d.newer.older = d.older
        else:
            self.newest = d.older
        self.memory -= sizeof(datagram_t) + d.held + d.count * <Py_ssize_t> sizeof(fragment_t)
        free_datagram(d)

    cdef uint32_t bucket(self, const datagram_key_t* key) noexcept nogil:
        cdef uint64_t h = self.seed
        h = mix(h ^ key.src_hi, key.src_lo)
        h = mix(h ^ key.dst_hi, key.dst_lo)
        h = mix(h ^ key.id, key.protocol)
        return <uint32_t> (h >> 32) & (BUCKETS - 1)


cdef inline uint64_t mix(uint64_t a, uint64_t b) noexcept nogil:
    a = (a ^ (a >> 32)) * <uint64_t> 0x9E3779B97F4A7C15 + b
    return (a ^ (a >> 29)) * <uint64_t> 0xBF58476D1CE4E5B9


cdef inline bint same_key(const datagram_key_t* a, const datagram_key_t* b) noexcept nogil:
    return (a.src_lo == b.src_lo and a.dst_lo == b.dst_lo and a.id == b.id and a.protocol == b.protocol
            and a.src_hi == b.src_hi and a.dst_hi == b.dst_hi)


cdef void free_datagram(datagram_t* d) noexcept nogil:
    cdef fragment_t* following
    while d.first != NULL:
        following = d.first.next
        free(d.first)
        d.first = following
    free(d)


cdef bint is_complete(const datagram_t* d) noexcept nogil:
    """The fragments cover [0, total); at most MAX_FRAGMENTS steps."""
    cdef uint32_t reach = 0
    cdef const fragment_t* f = d.first
    if d.total == 0 or d.held < d.total:
        return False
    while f != NULL and f.offset <= reach and reach < d.total:
        reach = max(reach, f.offset + f.length)
        f = f.next
    return reach >= d.total


cdef int join(Batch batch, cursor_t* c, const datagram_t* d) except -1 nogil:
    """Copy a complete datagram into the arena and put the cursor there; the row gets the largest one's length."""
    cdef const fragment_t* f = d.first
    cdef uint32_t at = 0, largest = c.length, skip, n
    cdef uint64_t offset = batch.arena_len
    cdef uint8_t* out = batch.add_arena(d.total)
    while at < d.total:
        largest = max(largest, f.length)
        if f.offset + f.length > at:
            skip = at - f.offset
            n = min(f.length - skip, d.total - at)
            memcpy(out + at, <const uint8_t*> (f + 1) + skip, n)
            at += n
        f = f.next
    if c.row.ip_len:               # this one's; headers may differ, so the sum may be more than any datagram
        c.row.ip_len = <uint16_t> min(c.row.ip_len + largest - c.length, <uint32_t> 0xFFFF)
    c.p = c.base = out
    c.base_offset = PAYLOAD_IN_ARENA | offset
    c.captured = c.length = d.total
    return 0
