"""One cell of a row as text."""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memchr

from tcpcore.batch cimport PAYLOAD_IN_ARENA
from tcpcore.fieldtext cimport TextKind
from tcpcore.flags cimport OUTER_IPV4 as HAS_OUTER_IPV4
from tcpcore.flags cimport OUTER_IPV6 as HAS_OUTER_IPV6
from tcpcore.infotext cimport put_info
from tcpcore.records cimport analysis_t, segment_t, tunnel_t, verdict_t
from tcpcore.textwrite cimport (
    put_bytes, put_decimal, put_hex, put_ipv4, put_ipv6, put_seconds, put_short, put_signed, put_text)
from tcpcore.verdicttext cimport put_verdict

cdef enum:
    MAX_WORDS = 32
    MAX_CONDITIONS = 3                     # that a caller may name
    MAX_CELL = 48                          # an IPv6 address in dotted form is the longest of most kinds

# A value is there if `(word & mask == value) == equal` for the aligned 32-bit word at `at`.
cdef struct condition_t:
    uint32_t at
    uint32_t mask, value
    bint equal

cdef struct word_t:
    const char* text
    Py_ssize_t size

# From this column on, `count` columns need some bit of the word: if none is set, `text` is what they write.
cdef struct blank_run_t:
    int count
    uint32_t at, mask
    word_t text

# Two cache lines or so: all columns of a row are walked for each row.
cdef struct column_t:
    int kind
    int size                               # of the value, bytes
    int at, other, width
    int n_conditions, n_words, prefix_size
    condition_t[MAX_CONDITIONS + 1] conditions
    word_t blank                           # what stands for a value that is not there: prefix and substitute
    const word_t* words
    uint64_t mask
    blank_run_t run
    bint quoted

# Everything a cell may be written from.
cdef struct source_t:
    char* rows
    Py_ssize_t stride, n_rows
    int64_t start_ns
    const tunnel_t* tunnels
    uint64_t n_tunnels
    const uint8_t* data                    # bytes of the capture from data_offset on
    uint64_t data_offset, data_len
    const uint8_t* arena
    uint64_t arena_len


cdef inline uint32_t word_at(const char* row, uint32_t at) noexcept nogil:
    return (<const uint32_t*> (row + at))[0]


cdef inline bint is_there(const column_t* column, const char* row) noexcept nogil:
    cdef int i
    cdef const condition_t* condition
    for i in range(column.n_conditions):
        condition = &column.conditions[i]
        if (word_at(row, condition.at) & condition.mask == condition.value) != condition.equal:
            return False
    return True


cdef inline uint64_t load(const char* at, int size) noexcept nogil:
    if size == 4:
        return (<const uint32_t*> at)[0]
    if size == 8:
        return (<const uint64_t*> at)[0]
    if size == 2:
        return (<const uint16_t*> at)[0]
    return (<const uint8_t*> at)[0]


cdef inline char* write_cell(char* p, const column_t* column, const source_t* source, const char* row) noexcept nogil:
    """The value's text; nothing if there is none."""
    cdef const char* at = row + column.at
    cdef int kind = column.kind
    if kind == TextKind.UNSIGNED:
        return put_decimal(p, load(at, column.size))
    elif kind == TextKind.BITS:
        return put_choice(p, column, (load(at, column.size) & column.mask) != 0)
    elif kind == TextKind.SECONDS:
        return put_seconds(p, (<const int64_t*> at)[0])
    elif kind == TextKind.SIGNED:
        return put_signed(p, (<const int32_t*> at)[0] if column.size == 4 else (<const int64_t*> at)[0])
    elif kind == TextKind.HEX:
        return put_hex_cell(p, load(at, column.size), column.size)
    elif kind == TextKind.WORD:
        return put_choice(p, column, load(at, column.size))
    return write_rare(p, column, source, row)


cdef inline char* put_hex_cell(char* p, uint64_t value, int size) noexcept nogil:
    return put_hex(put_text(p, b"0x", 2), <uint32_t> value, 2 * size)


cdef inline Py_ssize_t letters_in(const char* text, Py_ssize_t size) noexcept nogil:
    cdef const void* end = memchr(text, 0, size)
    return size if end == NULL else <const char*> end - text


cdef inline char* write_rare(char* p, const column_t* column, const source_t* source, const char* row) noexcept nogil:
    cdef const char* at = row + column.at
    cdef const segment_t* segment = <const segment_t*> row
    cdef int kind = column.kind
    if kind == TextKind.OUTER_IPV4 or kind == TextKind.OUTER_IPV6:
        return put_outer(p, column, source, segment)
    if kind == TextKind.TUNNEL_KIND or kind == TextKind.TUNNEL_NUMBER:
        return put_tunnel(p, column, source, segment)
    if kind == TextKind.LETTERS:
        return put_text(p, at, letters_in(at, min(column.size, MAX_CELL)))
    if kind == TextKind.ADDRESS:
        return put_address(p, (<const uint64_t*> at)[0], (<const uint64_t*> at)[1], row[column.other] == 6)
    if kind == TextKind.SINCE_START:
        return put_seconds(p, <int64_t> (<uint64_t> (<const int64_t*> at)[0] - <uint64_t> source.start_ns))
    if kind == TextKind.SACK_EDGE:
        return put_decimal(p, <uint32_t> load(at, 4) - segment.ack_raw + <uint32_t> segment.ack64)
    if kind == TextKind.REAL:
        return p + snprintf(p, MAX_CELL, b"%.9g", (<const double*> at)[0])
    if kind == TextKind.PAYLOAD:
        return put_payload(p, source, segment)
    if kind == TextKind.OUTER_NUMBER or kind == TextKind.OUTER_HEX:
        return put_outer_number(p, column, source, segment)
    if kind == TextKind.SET:
        return put_set(p, column, load(at, column.size))
    if kind == TextKind.VERDICT:
        return put_verdict(p, <const verdict_t*> at)
    if column.other < 0:
        return put_info(p, segment, NULL)
    return put_info(p, segment, <const analysis_t*> (row + column.other))


cdef inline char* put_choice(char* p, const column_t* column, uint64_t choice) noexcept nogil:
    if choice >= <uint64_t> column.n_words:
        return put_decimal(p, choice)
    return put_short(p, column.words[choice].text, column.words[choice].size)


cdef inline char* put_set(char* p, const column_t* column, uint64_t bits) noexcept nogil:
    cdef char* start = p
    cdef int i
    for i in range(column.n_words):
        if bits >> i & 1:
            if p > start:
                p = put_text(p, b"+", 1)
            p = put_short(p, column.words[i].text, column.words[i].size)
    return p


cdef inline char* put_address(char* p, uint64_t high, uint64_t low, bint is_ipv6) noexcept nogil:
    return put_ipv6(p, high, low) if is_ipv6 else put_ipv4(p, <uint32_t> low)


cdef inline const tunnel_t* tunnel_of(const source_t* source, const segment_t* row, uint64_t has) noexcept nogil:
    """The row's tunnel with all of these TunnelHas bits, or NULL."""
    if not 0 < row.tunnel <= source.n_tunnels:
        return NULL
    return &source.tunnels[row.tunnel - 1] if source.tunnels[row.tunnel - 1].has & has == has else NULL


cdef inline char* put_outer(char* p, const column_t* column, const source_t* source,
                            const segment_t* row) noexcept nogil:
    """The first header of the version wanted: an outer one if there is one, else that nearest to TCP."""
    cdef bint to_ipv6 = column.kind == TextKind.OUTER_IPV6
    cdef bint destination = column.mask != 0
    cdef const tunnel_t* tunnel = tunnel_of(source, row, HAS_OUTER_IPV6 if to_ipv6 else HAS_OUTER_IPV4)
    if tunnel != NULL and to_ipv6:
        return (put_ipv6(p, tunnel.outer6_dst_hi, tunnel.outer6_dst_lo) if destination else
                put_ipv6(p, tunnel.outer6_src_hi, tunnel.outer6_src_lo))
    if tunnel != NULL:
        return put_ipv4(p, tunnel.outer4_dst if destination else tunnel.outer4_src)
    if row.ip_version != (6 if to_ipv6 else 4):
        return p
    if destination:
        return put_address(p, row.dst_hi, row.dst_lo, to_ipv6)
    return put_address(p, row.src_hi, row.src_lo, to_ipv6)


cdef inline char* put_outer_number(char* p, const column_t* column, const source_t* source,
                                   const segment_t* row) noexcept nogil:
    """As put_outer."""
    cdef const tunnel_t* tunnel = tunnel_of(source, row, column.mask)
    cdef uint64_t value
    if tunnel != NULL:
        value = load(<const char*> tunnel + column.other, column.size)
    elif row.ip_version == (6 if column.mask == HAS_OUTER_IPV6 else 4):
        value = load(<const char*> row + column.at, column.size)
    else:
        return p
    return put_hex_cell(p, value, column.size) if column.kind == TextKind.OUTER_HEX else put_decimal(p, value)


cdef inline char* put_tunnel(char* p, const column_t* column, const source_t* source,
                             const segment_t* row) noexcept nogil:
    """Nothing outside tunnels, nor as a number of one that has none."""
    cdef const tunnel_t* tunnel = tunnel_of(source, row, column.mask)
    if tunnel == NULL:
        return p
    if column.kind == TextKind.TUNNEL_KIND:
        return put_choice(p, column, tunnel.kind)
    return put_decimal(p, load(<const char*> tunnel + column.other, column.size))


cdef inline char* put_payload(char* p, const source_t* source, const segment_t* row) noexcept nogil:
    """Nothing if the bytes are no longer at hand."""
    cdef bint joined = row.payload_offset & PAYLOAD_IN_ARENA != 0
    cdef uint64_t size = source.arena_len if joined else source.data_len
    cdef uint64_t at = row.payload_offset & ~PAYLOAD_IN_ARENA
    cdef const uint8_t* data = source.arena if joined else source.data
    if not joined:
        at -= source.data_offset
    if at > size or row.payload_captured > size - at:
        return p
    return put_bytes(p, data + at, row.payload_captured)
