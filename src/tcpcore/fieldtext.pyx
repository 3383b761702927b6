"""Rows as text: one pass over the rows, a few stores per cell, no Python object per row."""
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove, memset

from tcpcore.batch cimport Batch
from tcpcore.celltext cimport (
    MAX_CELL, MAX_CONDITIONS, MAX_WORDS, column_t, condition_t, is_there, source_t, word_at, word_t, write_cell)
from tcpcore.infotext cimport MAX_INFO
from tcpcore.records cimport analysis_t, segment_t, tunnel_t, verdict_t
from tcpcore.textwrite cimport SLACK, put_short
from tcpcore.verdicttext cimport MAX_VERDICT

from tcpcore.records import TUNNEL

OF_SEGMENTS = (TextKind.OUTER_IPV4, TextKind.OUTER_IPV6, TextKind.SACK_EDGE, TextKind.PAYLOAD, TextKind.INFO,
               TextKind.TUNNEL_KIND, TextKind.TUNNEL_NUMBER, TextKind.OUTER_NUMBER, TextKind.OUTER_HEX)

cdef struct text_t:
    column_t* columns
    int n_columns
    word_t row_end
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
    cdef list kept                         # owns what `text` points to
    cdef Py_ssize_t reach                  # what the columns read of a row lies before it
    cdef bint runs_known
    cdef public int64_t start_ns

    def __cinit__(self, *, bytes row_end=b"\n", int64_t start_ns=0):
        self.kept = []
        self.text.row_end = self._keep(row_end)
        self.start_ns = start_ns
        self.text.row_limit = len(row_end) + SLACK

    def __dealloc__(self):
        free(self.text.columns)
        free(self.text.out)

    cdef word_t _keep(self, bytes text) except *:
        cdef word_t word
        cdef bytes kept = text + bytes(SLACK)
        self.kept.append(kept)
        word.text, word.size = kept, len(text)
        return word

    cdef const word_t* _keep_words(self, words) except NULL:
        cdef bytearray kept = bytearray((len(words) + 1) * sizeof(word_t))
        cdef word_t* table = <word_t*> PyByteArray_AS_STRING(kept)
        self.kept.append(kept)
        cdef int i
        for i, word in enumerate(words):
            table[i] = self._keep(word)
        return table

    def add(self, int kind, Py_ssize_t at, int size, *, Py_ssize_t other=-1, uint64_t mask=0, conditions=(),
            bytes prefix=b"", bytes absent=b"", words=(), bint quoted=False, Py_ssize_t width=0):
        """One more column: a value of ``size`` bytes at offset ``at`` of a row.

        ``conditions`` are tuples (offset of a field of at most 32 bits, mask, value, equal).  ``prefix`` comes
        before every cell, ``absent`` stands for a value that is not there; ``width`` pads the cell with blanks,
        on the right if it is negative, but not at the end of a line.
        """
        if len(words) > MAX_WORDS or len(conditions) > MAX_CONDITIONS:
            raise ValueError("too many words or conditions")
        if kind in (TextKind.HEX, TextKind.OUTER_HEX) and not 1 <= size <= 4:
            raise ValueError("hexadecimal numbers have one to four bytes")
        cdef column_t* column = self._next_column()
        column.kind, column.size, column.at, column.other = kind, size, <int> at, <int> other
        column.mask, column.quoted, column.width = mask, quoted, <int> width
        column.blank, column.prefix_size = self._keep(prefix + absent), <int> len(prefix)
        column.words, column.n_words = self._keep_words(words), <int> len(words)
        column.n_conditions = 0
        for place, bits, value, equal in conditions:
            self._add_condition(column, place, bits, value, equal)
        if kind == TextKind.BITS and at % 4 + size <= 4 and words and not words[0]:
            # The cell is empty unless a bit is set, so that is a condition, too.
            self._add_condition(column, <uint32_t> at, <uint32_t> (mask & (<uint64_t> 1 << 8 * size) - 1), 0, False)
        longest = max([longest_cell(kind), len(absent), abs(width)]
                      + [sum(len(word) + 1 for word in words) if kind == TextKind.SET else len(word) for word in words])
        self.text.row_limit += len(prefix) + longest + 2
        self.text.has_payload |= kind == TextKind.PAYLOAD
        self.text.aligned |= width != 0
        size = <int> sizeof(verdict_t) if kind == TextKind.VERDICT else size
        self.reach = max(self.reach, at + size)
        if kind in OF_SEGMENTS:
            self.reach = max(self.reach, <Py_ssize_t> sizeof(segment_t))
        if other >= 0:
            self.reach = max(self.reach, other + (<Py_ssize_t> sizeof(analysis_t) if kind == TextKind.INFO else 1))
        self.text.n_columns += 1
        self.runs_known = False

    cdef int _add_condition(self, column_t* column, uint32_t at, uint32_t mask, uint32_t value,
                            bint equal) except -1:
        """On the aligned word that holds the field: rows are little-endian."""
        cdef uint32_t shift = 8 * (at % 4)
        at -= at % 4
        column.conditions[column.n_conditions] = condition_t(at, mask << shift, value << shift, equal)
        column.n_conditions += 1
        self.reach = max(self.reach, <Py_ssize_t> at + 4)
        return 0

    cdef int _find_runs(self) except -1:
        """Neighbours that need bits of the same word are blank together; from the end, each with those behind it."""
        cdef column_t* column
        cdef column_t* following = NULL
        cdef int i
        for i in reversed(range(0 if self.runs_known else self.text.n_columns)):
            column = &self.text.columns[i]
            column.run.mask = needed_bits(column, &column.run.at)
            column.run.count = column.run.mask != 0
            column.run.text = column.blank
            if following != NULL and column.run.count and following.run.count and column.run.at == following.run.at:
                column.run.count += following.run.count
                column.run.mask |= following.run.mask
                column.run.text = self._keep(text_of(column.blank) + text_of(following.run.text))
            following = column
        self.runs_known = True
        return 0

    cdef column_t* _next_column(self) except NULL:
        cdef int n = self.text.n_columns
        cdef column_t* grown = <column_t*> realloc(self.text.columns, (n + 1) * sizeof(column_t))
        if grown == NULL:
            raise MemoryError
        self.text.columns = grown
        return &grown[n]

    def batch(self, Batch batch not None):
        """The rows of ``batch`` as bytes."""
        self._check_fits(batch.stride)
        if self.text.has_payload:
            batch.capture()
        return self._write(source_t(batch.rows, batch.stride, batch.n_rows, self.start_ns, batch.tunnels,
                                    batch.n_tunnels, batch.data, batch.data_offset, batch.data_len, batch.arena,
                                    batch.arena_len))

    def rows(self, array, tunnels=None):
        """The rows of a structured array as bytes; ``tunnels`` is the TUNNEL array that its rows refer to."""
        if array.ndim != 1:
            raise ValueError("rows have one dimension")
        self._check_fits(array.dtype.itemsize)
        cdef source_t source
        memset(&source, 0, sizeof(source))
        source.rows = <char*> <size_t> array.ctypes.data
        source.stride, source.n_rows, source.start_ns = array.strides[0], array.shape[0], self.start_ns
        if tunnels is not None:
            if tunnels.dtype != TUNNEL or not tunnels.flags.c_contiguous:
                raise TypeError("not a TUNNEL array")
            source.tunnels, source.n_tunnels = <const tunnel_t*> <size_t> tunnels.ctypes.data, tunnels.shape[0]
        return self._write(source)

    cdef int _check_fits(self, Py_ssize_t itemsize) except -1:
        if self.reach > itemsize:
            raise TypeError("rows of another dtype")
        return 0

    cdef _write(self, source_t source):
        cdef Py_ssize_t done
        self._find_runs()
        self.text.size = 0
        with nogil:
            done = write_rows(&self.text, &source)
        if done < source.n_rows:
            raise MemoryError
        text = PyBytes_FromStringAndSize(NULL, self.text.size)
        cdef char* into = PyBytes_AS_STRING(text)
        if self.text.size:
            with nogil:
                memcpy(into, self.text.out, self.text.size)
        return text


cdef bytes text_of(word_t word):
    return word.text[:word.size]


cdef uint32_t needed_bits(const column_t* column, uint32_t* at) noexcept nogil:
    """Bits of the word at ``at`` of which one must be set for the cell not to be blank; 0: nothing so simple."""
    cdef const condition_t* last
    if column.n_conditions == 0 or column.width:
        return 0
    last = &column.conditions[column.n_conditions - 1]
    at[0] = last.at
    return last.mask if last.value == (last.mask if last.equal else 0) else 0


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
    cdef char* line = p
    cdef const column_t* column = text.columns
    cdef const column_t* end = text.columns + text.n_columns
    while column < end:
        if column.run.count and not word_at(row, column.run.at) & column.run.mask:
            p = put_short(p, column.run.text.text, column.run.text.size)
            column += column.run.count
        else:
            p = write_column(p, column, source, row)
            column += 1
    while text.aligned and p > line and (p - 1)[0] == 32:
        p -= 1
    return put_short(p, text.row_end.text, text.row_end.size)


cdef inline char* write_column(char* p, const column_t* column, const source_t* source,
                               const char* row) noexcept nogil:
    """The prefix, and the cell or what stands for it."""
    cdef char* start = put_short(p, column.blank.text, column.prefix_size)
    cdef char* cell = start + column.quoted
    p = write_cell(cell, column, source, row) if is_there(column, row) else cell
    if p == cell:
        p = put_short(start, column.blank.text + column.prefix_size, column.blank.size - column.prefix_size)
    elif column.quoted:
        start[0] = p[0] = b'"'
        p += 1
    return pad(start, p, column.width) if column.width else p


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
