"""IP fragments on their way to a whole datagram."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from tcpcore.batch cimport Batch
from tcpcore.wire.cursor cimport cursor_t

ctypedef struct datagram_key_t:
    uint64_t src_hi, src_lo
    uint64_t dst_hi, dst_lo
    uint32_t id
    uint32_t protocol              # IPv4: its number and the VLAN; IPv6: IPV6_DATAGRAM, since the number may differ

cdef enum:
    IPV6_DATAGRAM = 256

ctypedef struct fragment_t:        # its bytes follow
    fragment_t* next               # in the order of offsets, then of arrival
    uint32_t offset
    uint32_t length

ctypedef struct datagram_t:
    datagram_key_t key
    datagram_t* chain              # next in the same bucket
    datagram_t* older
    datagram_t* newer
    fragment_t* first
    int64_t time_ns                # of the fragment that came first
    uint32_t total                 # length; 0: the last fragment was not seen
    uint32_t held                  # bytes of all fragments, overlaps counted twice
    uint32_t count


cdef class Fragments:
    cdef datagram_t** buckets
    cdef datagram_t* oldest
    cdef datagram_t* newest
    cdef uint64_t seed
    cdef readonly Py_ssize_t memory             # bytes in use
    cdef readonly Py_ssize_t memory_limit
    cdef readonly uint64_t fragments            # seen
    cdef readonly uint64_t joined               # datagrams
    cdef readonly uint64_t timed_out            # datagrams dropped because they stayed incomplete
    cdef readonly uint64_t evicted              # datagrams dropped because memory ran out
    cdef readonly uint64_t refused              # fragments left out because their datagram had too many

    cdef int add(self, Batch batch, cursor_t* c, const datagram_key_t* key, uint32_t offset, bint more) except -1 nogil
    cdef datagram_t* find(self, const datagram_key_t* key) noexcept nogil
    cdef datagram_t* create(self, const datagram_key_t* key, int64_t time_ns) except NULL nogil
    cdef int insert(self, datagram_t* d, const cursor_t* c, uint32_t offset) except -1 nogil
    cdef void expire(self, int64_t now) noexcept nogil
    cdef void evict(self) noexcept nogil
    cdef void remove(self, datagram_t* d) noexcept nogil
    cdef uint32_t bucket(self, const datagram_key_t* key) noexcept nogil
