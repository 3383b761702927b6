"""Rows as text: one pass over the rows, a few stores per cell, no Python object per row."""
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memmove, memset

from tcpcore.batch cimport PAYLOAD_IN_ARENA, Batch
from tcpcore.flags cimport OUTER_ID as HAS_OUTER_ID
from tcpcore.flags cimport OUTER_IPV4 as HAS_OUTER_IPV4
from tcpcore.flags cimport OUTER_IPV6 as HAS_OUTER_IPV6
from tcpcore.infotext cimport MAX_INFO, put_info
from tcpcore.records cimport analysis_t, segment_t, tunnel_t, verdict_t
from tcpcore.textwrite cimport (
    SLACK, put_bytes, put_decimal, put_hex, put_ipv4, put_ipv6, put_seconds, put_short, put_signed, put_text)
from tcpcore.verdicttext cimport MAX_VERDICT, put_verdict

from tcpcore.records import TUNNEL

OF_SEGMENTS = (TextKind.OUTER_IPV4, TextKind.OUTER_IPV6, TextKind.SACK_EDGE, TextKind.PAYLOAD, TextKind.INFO,
               TextKind.TUNNEL_KIND, TextKind.TUNNEL_ID)

cdef enum:
    MAX_WORDS = 32
    MAX_CONDITIONS = 3
    MAX_CELL = 48                          # an IPv6 address in dotted form is the longest of the others

# A value is there if `(word & mask == value) == equal` for the aligned 32-bit word at `at`.
cdef struct condition_t:
    Py_ssize_t at
    uint32_t mask, value
    bint equal

cdef struct word_t:
    const char* text
    Py_ssize_t size

cdef struct column_t:
    int kind
    int size                               # of the value, bytes
    int n_conditions, n_words
    Py_ssize_t at, other, width
    uint64_t mask
    condition_t[MAX_CONDITIONS] conditions
    word_t prefix, absent
    word_t[MAX_WORDS] words
    bint quoted

# Everything a cell may be written from.
cdef struct source_t:
    char* rows
    Py_ssize_t stride, n_rows
    const tunnel_t* tunnels
    uint64_t n_tunnels
    const uint8_t* data                    # bytes of the capture from data_offset on
    uint64_t data_offset, data_len
    const uint8_t* arena
    uint64_t arena_len

cdef struct text_t:
    column_t* columns
    int n_columns
    word_t row_end
    int64_t start_ns
    Py_ssize_t row_limit                   # longest row, without its payload
    bint has_payload
    bint aligned                           # some column is padded: no blanks at the end of a line
    char* out
    Py_ssize_t size, capacity


cdef class Formatter:
    """Writes rows with the columns added to it, in their order.

    ``row_end`` ends each row; ``start_ns`` is the time that SINCE_START columns count from.
    """
    cdef text_t text
    cdef list kept                         # owns the bytes that `text` points to
    cdef Py_ssize_t row_end                # what the columns read lies before it

    def __cinit__(self, *, bytes row_end=b"\n", int64_t start_ns=0):
        self.kept = []
        self.text.row_end = self._keep(row_end)
        self.text.start_ns = start_ns
        self.text.row_limit = len(row_end) + SLACK

    def __dealloc__(self):
        free(self.text.columns)
        free(self.text.out)

    @property
    def start_ns(self):
        return self.text.start_ns

    @start_ns.setter
    def start_ns(self, int64_t value):
        self.text.start_ns = value

    cdef word_t _keep(self, bytes text) except *:
        cdef word_t word
        cdef bytes kept = text + bytes(SLACK)
        self.kept.append(kept)
        word.text, word.size = kept, len(text)
        return word

    def add(self, int kind, Py_ssize_t at, int size, *, Py_ssize_t other=-1, uint64_t mask=0, conditions=(),
            bytes prefix=b"", bytes absent=b"", words=(), bint quoted=False, Py_ssize_t width=0):
        """One more column: a value of ``size`` bytes at offset ``at`` of a row.

        ``conditions`` are tuples (offset of an aligned 32-bit word, mask, value, equal).  ``prefix``
        comes before every cell, ``absent`` stands for a value that is not there; ``width`` pads the cell
        with blanks, on the right if it is negative, but not at the end of a line.
        """
        if len(words) > MAX_WORDS or len(conditions) > MAX_CONDITIONS:
            raise ValueError("too many words or conditions")
        cdef column_t* column = self._next_column()
        column.kind, column.size, column.at, column.other = kind, size, at, other
        column.mask, column.quoted, column.width = mask, quoted, width
        column.prefix, column.absent = self._keep(prefix), self._keep(absent)
        column.n_conditions, column.n_words = len(conditions), len(words)
        cdef int i
        for i, (place, bits, value, equal) in enumerate(conditions):
            column.conditions[i] = condition_t(place, bits, value, equal)
        for i, word in enumerate(words):
            column.words[i] = self._keep(word)
        longest = max([longest_cell(kind), len(absent), abs(width)]
                      + [sum(len(word) + 1 for word in words) if kind == TextKind.SET else len(word) for word in words])
        self.text.row_limit += len(prefix) + longest + 2
        self.text.has_payload |= kind == TextKind.PAYLOAD
        self.text.aligned |= width != 0
        size = <int> sizeof(verdict_t) if kind == TextKind.VERDICT else size
        self.row_end = max([self.row_end, at + size] + [place + 4 for place, *_ in conditions])
        if kind in OF_SEGMENTS:
            self.row_end = max(self.row_end, <Py_ssize_t> sizeof(segment_t))
        if other >= 0:
            self.row_end = max(self.row_end, other + (<Py_ssize_t> sizeof(analysis_t) if kind == TextKind.INFO else 1))
        self.text.n_columns += 1

    cdef column_t* _next_column(self) except NULL:
        cdef int n = self.text.n_columns
        cdef column_t* grown = <column_t*> realloc(self.text.columns, (n + 1) * sizeof(column_t))
        if grown == NULL:
            raise MemoryError
        self.text.columns = grown
        return &grown[n]

    def batch(self, Batch batch not None, Py_ssize_t part=0, Py_ssize_t n_parts=1):
        """The rows of ``batch`` as bytes, or those of one of ``n_parts`` about equal parts."""
        if not 0 <= part < n_parts:
            raise ValueError("no such part")
        self._check_fits(batch.stride)
        cdef Py_ssize_t start = batch.n_rows * part // n_parts
        cdef Py_ssize_t stop = batch.n_rows * (part + 1) // n_parts
        return self._write(source_t(
            batch.rows + start * batch.stride, batch.stride, stop - start, batch.tunnels, batch.n_tunnels, batch.data,
            batch.data_offset, batch.data_len, batch.arena, batch.arena_len))

    def rows(self, array, tunnels=None):
        """The rows of a structured array as bytes; ``tunnels`` is the TUNNEL array that its rows refer to."""
        if array.ndim != 1:
            raise ValueError("rows have one dimension")
        self._check_fits(array.dtype.itemsize)
        cdef source_t source
        memset(&source, 0, sizeof(source))
        source.rows = <char*> <size_t> array.ctypes.data
        source.stride, source.n_rows = array.strides[0], array.shape[0]
        if tunnels is not None:
            if tunnels.dtype != TUNNEL or not tunnels.flags.c_contiguous:
                raise TypeError("not a TUNNEL array")
            source.tunnels, source.n_tunnels = <const tunnel_t*> <size_t> tunnels.ctypes.data, tunnels.shape[0]
        return self._write(source)

    cdef int _check_fits(self, Py_ssize_t itemsize) except -1:
        if self.row_end > itemsize:
            raise TypeError("rows of another dtype")
        return 0

    cdef _write(self, source_t source):
        cdef Py_ssize_t done
        self.text.size = 0
        with nogil:
            done = write_rows(&self.text, &source)
        if done < source.n_rows:
            raise MemoryError
        return PyBytes_FromStringAndSize(self.text.out, self.text.size)


cdef inline Py_ssize_t longest_cell(int kind) noexcept nogil:
    if kind == TextKind.INFO:
        return MAX_INFO
    return MAX_VERDICT if kind == TextKind.VERDICT else MAX_CELL


cdef Py_ssize_t write_rows(text_t* text, const source_t* source) noexcept nogil:
    """Returns how many rows were written: fewer than there are if memory ran out."""
    cdef Py_ssize_t i, room
    cdef char* row
    cdef char* p
    for i in range(source.n_rows):
        row = source.rows + i * source.stride
        room = text.row_limit
        if text.has_payload:
            room += 2 * <Py_ssize_t> (<segment_t*> row).payload_captured * text.n_columns
        if text.capacity - text.size < room and not grow(text, room):
            return i
        p = write_row(text.out + text.size, text, source, row)
        text.size = p - text.out
    return source.n_rows


cdef bint grow(text_t* text, Py_ssize_t room) noexcept nogil:
    cdef Py_ssize_t capacity = (text.size + room) * 2
    cdef char* grown = <char*> realloc(text.out, capacity)
    if grown == NULL:
        return False
    text.out = grown
    text.capacity = capacity
    return True


cdef inline char* write_row(char* p, const text_t* text, const source_t* source, const char* row) noexcept nogil:
    cdef int i
    cdef char* start
    cdef char* line = p
    cdef const column_t* column
    for i in range(text.n_columns):
        column = &text.columns[i]
        p = start = put_short(p, column.prefix.text, column.prefix.size)
        if is_there(column, row):
            if column.quoted:
                p[0] = b'"'
                p = write_cell(p + 1, column, text, source, row)
                p[0] = b'"'
                p = p + 1 if p > start + 1 else start
            else:
                p = write_cell(p, column, text, source, row)
        if p == start:
            p = put_short(p, column.absent.text, column.absent.size)
        if column.width:
            p = pad(start, p, column.width)
    while text.aligned and p > line and (p - 1)[0] == 32:
        p -= 1
    return put_short(p, text.row_end.text, text.row_end.size)


cdef inline char* pad(char* start, char* end, Py_ssize_t width) noexcept nogil:
    """Blanks before the cell, or behind it for a negative width."""
    cdef Py_ssize_t blanks = (width if width > 0 else -width) - (end - start)
    if blanks <= 0:
        return end
    if width < 0:
        memset(end, 32, blanks)
    else:
        memmove(start + blanks, start, end - start)
        memset(start, 32, blanks)
    return end + blanks


cdef inline bint is_there(const column_t* column, const char* row) noexcept nogil:
    cdef int i
    cdef const condition_t* condition
    for i in range(column.n_conditions):
        condition = &column.conditions[i]
        if ((<const uint32_t*> (row + condition.at))[0] & condition.mask == condition.value) != condition.equal:
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


cdef inline char* write_cell(char* p, const column_t* column, const text_t* text, const source_t* source,
                             const char* row) noexcept nogil:
    """The value's text; nothing if there is none."""
    cdef const char* at = row + column.at
    cdef int kind = column.kind
    if kind == TextKind.UNSIGNED:
        return put_decimal(p, load(at, column.size))
    if kind == TextKind.BITS:
        return put_choice(p, column, (load(at, column.size) & column.mask) != 0)
    if kind == TextKind.SECONDS:
        return put_seconds(p, (<const int64_t*> at)[0])
    if kind == TextKind.SIGNED:
        return put_signed(p, (<const int32_t*> at)[0] if column.size == 4 else (<const int64_t*> at)[0])
    if kind == TextKind.HEX:
        return put_hex(put_text(p, b"0x", 2), load(at, column.size), 2 * column.size)
    if kind == TextKind.WORD:
        return put_choice(p, column, load(at, column.size))
    return write_rare(p, column, text, source, row)


cdef Py_ssize_t letters_in(const char* text, Py_ssize_t size) noexcept nogil:
    cdef const void* end = memchr(text, 0, size)
    return size if end == NULL else <const char*> end - text


cdef char* write_rare(char* p, const column_t* column, const text_t* text, const source_t* source,
                      const char* row) noexcept nogil:
    cdef const char* at = row + column.at
    cdef const segment_t* segment = <const segment_t*> row
    cdef int kind = column.kind
    if kind == TextKind.OUTER_IPV4 or kind == TextKind.OUTER_IPV6:
        return put_outer(p, column, source, segment)
    if kind == TextKind.TUNNEL_KIND or kind == TextKind.TUNNEL_ID:
        return put_tunnel(p, column, source, segment)
    if kind == TextKind.LETTERS:
        return put_text(p, at, letters_in(at, min(column.size, MAX_CELL)))
    if kind == TextKind.ADDRESS:
        return put_address(p, (<const uint64_t*> at)[0], (<const uint64_t*> at)[1], row[column.other] == 6)
    if kind == TextKind.SINCE_START:
        return put_seconds(p, <int64_t> (<uint64_t> (<const int64_t*> at)[0] - <uint64_t> text.start_ns))
    if kind == TextKind.SACK_EDGE:
        return put_decimal(p, <uint32_t> load(at, 4) - segment.ack_raw + <uint32_t> segment.ack64)
    if kind == TextKind.REAL:
        return p + snprintf(p, MAX_CELL, b"%.9g", (<const double*> at)[0])
    if kind == TextKind.PAYLOAD:
        return put_payload(p, source, segment)
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


cdef inline char* put_outer(char* p, const column_t* column, const source_t* source,
                            const segment_t* row) noexcept nogil:
    """The first header of the version wanted: an outer one if there is one, else that nearest to TCP."""
    cdef bint to_ipv6 = column.kind == TextKind.OUTER_IPV6
    cdef bint destination = column.mask != 0
    cdef const tunnel_t* tunnel
    if 0 < row.tunnel <= source.n_tunnels:
        tunnel = &source.tunnels[row.tunnel - 1]
        if to_ipv6 and tunnel.has & HAS_OUTER_IPV6:
            return (put_ipv6(p, tunnel.outer6_dst_hi, tunnel.outer6_dst_lo) if destination else
                    put_ipv6(p, tunnel.outer6_src_hi, tunnel.outer6_src_lo))
        if not to_ipv6 and tunnel.has & HAS_OUTER_IPV4:
            return put_ipv4(p, tunnel.outer4_dst if destination else tunnel.outer4_src)
    if row.ip_version != (6 if to_ipv6 else 4):
        return p
    if destination:
        return put_address(p, row.dst_hi, row.dst_lo, to_ipv6)
    return put_address(p, row.src_hi, row.src_lo, to_ipv6)


cdef inline char* put_tunnel(char* p, const column_t* column, const source_t* source,
                             const segment_t* row) noexcept nogil:
    """Nothing outside tunnels, nor as the identifier of one that has none."""
    cdef const tunnel_t* tunnel
    if not 0 < row.tunnel <= source.n_tunnels:
        return p
    tunnel = &source.tunnels[row.tunnel - 1]
    if column.kind == TextKind.TUNNEL_KIND:
        return put_choice(p, column, tunnel.kind)
    return put_decimal(p, tunnel.vni) if tunnel.has & HAS_OUTER_ID else p


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
