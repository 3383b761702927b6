"""Brings the headers of the records of a mapped piece into the cache, before they are scanned.

Only a record's header tells where the next one lies, so a scan waits for memory once a record.  Here several chains are
followed beside each other, from guessed records on, and wait for theirs at the same time.  A wrong guess costs time,
and nothing else: the scan that follows trusts none of this.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memchr

from tcpcore.prefetch cimport prefetch
from tcpcore.wire.pcap cimport pcap_t
from tcpcore.wire.pcapng cimport section_t
from tcpcore.wire.scan cimport MAX_CAPTURED, load32

cdef enum:
    CHAINS = 12
    IN_A_ROW = 3                 # records that have to look like records
    REACH = 4096                 # bytes looked through for a record
    HEAD = 16                    # bytes that tell a record
    LINE = 64                    # bytes of a cache line
    HEADERS = 96                 # bytes that the headers of most packets take, with the record's
    LEAST = CHAINS * 2 * REACH   # bytes of a piece that is worth it

cdef struct layout_t:
    # What tells records apart: a number that is about the same in all, a byte of it, and where their length stands.
    bint big
    uint32_t typical, spread
    int mark, mark_at
    uint32_t length_at, beside


cdef inline uint64_t record_len(const uint8_t* p, const layout_t* layout) noexcept nogil:
    return <uint64_t> load32(p + layout.length_at, layout.big) + layout.beside


cdef inline bint looks_like_record(const uint8_t* p, const layout_t* layout) noexcept nogil:
    return (<uint32_t> (load32(p, layout.big) - layout.typical + layout.spread) <= 2 * layout.spread
            and HEAD <= record_len(p, layout) <= MAX_CAPTURED)


cdef inline const uint8_t* find_record(const uint8_t* p, const uint8_t* end, const layout_t* layout) noexcept nogil:
    """The first place that looks like a row of records, NULL if there is none nearby."""
    cdef const uint8_t* stop = min(p + REACH, end - HEAD)
    cdef const uint8_t* at
    cdef int n
    while p < stop:
        p = <const uint8_t*> memchr(p + layout.mark_at, layout.mark, stop - p)
        if p == NULL:
            return NULL
        p -= layout.mark_at
        at, n = p, 0
        while n < IN_A_ROW and at <= end - HEAD and looks_like_record(at, layout):
            at += record_len(at, layout)
            n += 1
        if n == IN_A_ROW:
            return p
        p += 1
    return NULL


cdef inline void scout(const uint8_t* data, Py_ssize_t size, const layout_t* layout) noexcept nogil:
    cdef const uint8_t* end = data + size
    cdef const uint8_t* at[CHAINS]
    cdef const uint8_t* until[CHAINS]
    cdef int i, n = 0
    for i in range(CHAINS):
        at[n] = find_record(data + size // CHAINS * i, end, layout)
        until[n] = data + size // CHAINS * (i + 1) - HEAD
        n += at[n] != NULL
    while n:
        i = 0
        while i < n:
            prefetch(at[i] + LINE)                               # the first line is here with the length
            prefetch(at[i] + HEADERS)
            at[i] += max(record_len(at[i], layout), <uint64_t> HEAD)
            if at[i] <= until[i]:
                prefetch(at[i])
                i += 1
            else:
                n -= 1
                at[i], until[i] = at[n], until[n]


cdef inline void scout_pcap(const uint8_t* data, Py_ssize_t size, const pcap_t* file) noexcept nogil:
    """By seconds within 18 hours of the first record's."""
    cdef layout_t layout
    if size >= LEAST:
        layout.big, layout.typical, layout.spread = file.big, load32(data, file.big), 1 << 16
        layout.mark, layout.mark_at = layout.typical >> 24, 0 if file.big else 3
        layout.length_at, layout.beside = 8, file.header_len
        scout(data, size, &layout)


cdef inline void scout_pcapng(const uint8_t* data, Py_ssize_t size, const section_t* section) noexcept nogil:
    """By the type of the first block."""
    cdef layout_t layout
    if size >= LEAST:
        layout.big, layout.typical, layout.spread = section.big, load32(data, section.big), 0
        layout.mark, layout.mark_at = layout.typical & 0xFF, 3 if section.big else 0
        layout.length_at, layout.beside = 4, 0
        scout(data, size, &layout)
