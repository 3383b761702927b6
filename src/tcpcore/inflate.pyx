"""DEFLATE (RFC 1951) of one packet into a given space.

Made for packets, so it is small rather than fast: codes are read bit by bit.  Time is bounded by
the sizes of input and output.
"""
from libc.stdint cimport uint16_t
from libc.string cimport memcpy, memset

cdef enum:
    MAX_CODE_BITS = 15
    LITERAL_CODES = 288
    DISTANCE_CODES = 32
    LENGTH_CODES = 19
    END_OF_BLOCK = 256
    BROKEN = -1

ctypedef struct stream_t:
    const uint8_t* p
    const uint8_t* end
    uint32_t bits                  # read but not taken
    uint32_t n_bits
    bint ran_out
    uint8_t* out
    uint32_t length                # written
    uint32_t capacity

ctypedef struct code_t:            # a canonical Huffman code
    uint16_t[MAX_CODE_BITS + 1] count           # codes of each length
    uint16_t[LITERAL_CODES] symbol              # in the order of their codes


cdef bint inflate(const uint8_t* data, uint32_t size, uint8_t* out, uint32_t capacity,
                  uint32_t* length) noexcept nogil:
    """Write ``length`` bytes, as far as the input goes and the space allows; False if the input is not DEFLATE."""
    cdef stream_t s
    cdef bint last = False
    cdef uint32_t kind
    cdef int problem = 0
    s.p, s.end, s.bits, s.n_bits, s.ran_out = data, data + size, 0, 0, False
    s.out, s.length, s.capacity = out, 0, capacity
    while not last and not s.ran_out and problem == 0:
        last = take(&s, 1)
        kind = take(&s, 2)
        if s.ran_out:
            break
        problem = stored(&s) if kind == 0 else fixed(&s) if kind == 1 else dynamic(&s) if kind == 2 else BROKEN
    length[0] = s.length
    return problem == 0


cdef uint32_t take(stream_t* s, uint32_t n) noexcept nogil:
    """The next ``n`` <= 16 bits, low bit first; 0 and ``ran_out`` at the end."""
    cdef uint32_t value
    while s.n_bits < n:
        if s.p == s.end:
            s.ran_out = True
            return 0
        s.bits |= <uint32_t> s.p[0] << s.n_bits
        s.n_bits += 8
        s.p += 1
    value = s.bits & ((<uint32_t> 1 << n) - 1)
    s.bits >>= n
    s.n_bits -= n
    return value


cdef int stored(stream_t* s) noexcept nogil:
    """Length 2, its complement 2, bytes (section 3.2.4)."""
    cdef uint32_t length, complement
    take(s, s.n_bits & 7)
    length, complement = take(s, 16), take(s, 16)
    if s.ran_out:
        return 0
    if length ^ complement != 0xFFFF:
        return BROKEN
    while s.n_bits and length:
        put(s, <uint8_t> take(s, 8))
        length -= 1
    if length > s.end - s.p:
        length = <uint32_t> (s.end - s.p)
        s.ran_out = True
    if length > s.capacity - s.length:
        length = s.capacity - s.length
        s.ran_out = True
    memcpy(s.out + s.length, s.p, length)
    s.length += length
    s.p += length
    return 0


cdef int fixed(stream_t* s) noexcept nogil:
    """Section 3.2.6."""
    cdef code_t literals, distances
    cdef uint8_t[LITERAL_CODES] lengths
    memset(lengths, 8, 144)
    memset(lengths + 144, 9, 112)
    memset(lengths + 256, 7, 24)
    memset(lengths + 280, 8, 8)
    build(&literals, lengths, LITERAL_CODES)
    memset(lengths, 5, 30)
    build(&distances, lengths, 30)
    return block(s, &literals, &distances)


cdef int dynamic(stream_t* s) noexcept nogil:
    """Codes whose lengths are themselves coded (section 3.2.7)."""
    cdef code_t literals, distances
    cdef uint8_t[LITERAL_CODES + DISTANCE_CODES] lengths
    cdef uint32_t n_literals = take(s, 5) + 257
    cdef uint32_t n_distances = take(s, 5) + 1
    cdef uint32_t n_lengths = take(s, 4) + 4
    cdef uint32_t i
    if n_literals > 286 or n_distances > 30:
        return BROKEN
    memset(lengths, 0, LENGTH_CODES)
    for i in range(n_lengths):
        lengths[length_order(i)] = <uint8_t> take(s, 3)
    build(&literals, lengths, LENGTH_CODES)
    if read_lengths(s, &literals, lengths, n_literals + n_distances):
        return BROKEN
    build(&literals, lengths, n_literals)
    build(&distances, lengths + n_literals, n_distances)
    return block(s, &literals, &distances)


cdef inline uint32_t length_order(uint32_t i) noexcept nogil:
    """16, 17, 18, 0, then outwards from 8: 8, 7, 9, 6, 10, ..."""
    if i < 3:
        return 16 + i
    if i == 3:
        return 0
    return 8 + (i - 4) // 2 if i % 2 == 0 else 8 - (i - 3) // 2


cdef int read_lengths(stream_t* s, const code_t* code, uint8_t* lengths, uint32_t n) noexcept nogil:
    cdef uint32_t i = 0, repeat
    cdef uint8_t value
    cdef int symbol
    while i < n and not s.ran_out:
        symbol = next_symbol(s, code)
        if symbol < 0 or (symbol == 16 and i == 0):
            return BROKEN
        value = <uint8_t> symbol if symbol < 16 else lengths[i - 1] if symbol == 16 else 0
        repeat = 1 if symbol < 16 else 3 + take(s, 2) if symbol == 16 else (
            3 + take(s, 3) if symbol == 17 else 11 + take(s, 7))
        if repeat > n - i:
            return BROKEN
        memset(lengths + i, value, repeat)
        i += repeat
    memset(lengths + i, 0, n - i)
    return 0


cdef void build(code_t* code, const uint8_t* lengths, uint32_t n) noexcept nogil:
    """Symbols in the order of their codes: by length, then by number (section 3.2.2)."""
    cdef uint16_t[MAX_CODE_BITS + 1] at
    cdef uint32_t i
    cdef int bits
    memset(code.count, 0, sizeof(code.count))
    for i in range(n):
        code.count[lengths[i]] += 1
    code.count[0] = 0
    at[1] = 0
    for bits in range(1, MAX_CODE_BITS):
        at[bits + 1] = at[bits] + code.count[bits]
    for i in range(n):
        if lengths[i]:
            code.symbol[at[lengths[i]]] = <uint16_t> i
            at[lengths[i]] += 1


cdef int next_symbol(stream_t* s, const code_t* code) noexcept nogil:
    cdef int value = 0, first = 0, index = 0, n
    for n in range(1, MAX_CODE_BITS + 1):
        value |= <int> take(s, 1)
        if s.ran_out:
            return END_OF_BLOCK
        if value - first < code.count[n]:
            return code.symbol[index + value - first]
        index += code.count[n]
        first = (first + code.count[n]) << 1
        value <<= 1
    return BROKEN


cdef int block(stream_t* s, const code_t* literals, const code_t* distances) noexcept nogil:
    """Literals and copies up to the end of the block (section 3.2.3)."""
    cdef int symbol
    while not s.ran_out:
        symbol = next_symbol(s, literals)
        if symbol == END_OF_BLOCK:
            return 0
        if symbol < 0 or symbol > 285:
            return BROKEN
        if symbol < END_OF_BLOCK:
            put(s, <uint8_t> symbol)
        elif copy(s, <uint32_t> symbol - 257, distances):
            return BROKEN
    return 0


cdef int copy(stream_t* s, uint32_t symbol, const code_t* distances) noexcept nogil:
    """Repeat ``length`` bytes from ``distance`` back; both numbers grow by powers of two (section 3.2.5)."""
    cdef uint32_t extra = symbol // 4 - 1 if symbol >= 8 else 0
    cdef uint32_t length = 258 if symbol == 28 else (
        3 + symbol if symbol < 8 else 3 + ((4 + symbol % 4) << extra) + take(s, extra))
    cdef int code = next_symbol(s, distances)
    cdef uint32_t distance
    if s.ran_out:
        return 0
    if code < 0 or code > 29:
        return BROKEN
    extra = <uint32_t> code // 2 - 1 if code >= 4 else 0
    distance = 1 + <uint32_t> code if code < 4 else 1 + ((2 + <uint32_t> code % 2) << extra) + take(s, extra)
    if s.ran_out:
        return 0
    if distance > s.length:
        return BROKEN
    while length and not s.ran_out:
        put(s, s.out[s.length - distance])
        length -= 1
    return 0


cdef inline void put(stream_t* s, uint8_t byte) noexcept nogil:
    """One byte of output; the end of the space is the end."""
    if s.length == s.capacity:
        s.ran_out = True
        return
    s.out[s.length] = byte
    s.length += 1
