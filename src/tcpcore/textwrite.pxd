"""Numbers and addresses as text.

Each function writes at ``p`` and returns the end; the caller made room for it and SLACK bytes more.  Digits come three
or eight at a time from a word, its first letter in the lowest byte: rows are little-endian, and so is the machine.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from tcpcore.bytes cimport be32

cdef extern from *:
    """
    #define TCPCORE_TEN(d) d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9"
    #define TCPCORE_HUNDRED(d) \\
        TCPCORE_TEN(d "0") TCPCORE_TEN(d "1") TCPCORE_TEN(d "2") TCPCORE_TEN(d "3") TCPCORE_TEN(d "4") \\
        TCPCORE_TEN(d "5") TCPCORE_TEN(d "6") TCPCORE_TEN(d "7") TCPCORE_TEN(d "8") TCPCORE_TEN(d "9")
    /* "000001002" to "999" */
    static const char TRIPLES[] =
        TCPCORE_HUNDRED("0") TCPCORE_HUNDRED("1") TCPCORE_HUNDRED("2") TCPCORE_HUNDRED("3") TCPCORE_HUNDRED("4")
        TCPCORE_HUNDRED("5") TCPCORE_HUNDRED("6") TCPCORE_HUNDRED("7") TCPCORE_HUNDRED("8") TCPCORE_HUNDRED("9");
    """
    const char* TRIPLES

cdef enum:
    SLACK = 16               # bytes that may be written behind the end, so that short copies have a fixed size


cdef inline char* put_text(char* p, const char* text, Py_ssize_t size) noexcept nogil:
    memcpy(p, text, size)
    return p + size


cdef inline char* put_short(char* p, const char* text, Py_ssize_t size) noexcept nogil:
    """Text with at least SLACK bytes behind its beginning; a short one is a single store."""
    memcpy(p, text, SLACK)
    if size > SLACK:
        memcpy(p, text, size)
    return p + size


cdef inline char* put_small(char* p, uint32_t value) noexcept nogil:
    """A number below 1,000, without leading zeros."""
    cdef uint32_t text, digits = 1 + (value > 9) + (value > 99)
    memcpy(&text, TRIPLES + 3 * value, 4)
    text >>= 8 * (3 - digits)
    memcpy(p, &text, 4)
    return p + digits


cdef inline char* put_triple(char* p, uint32_t value) noexcept nogil:
    """A number below 1,000 with its leading zeros."""
    memcpy(p, TRIPLES + 3 * value, 4)
    return p + 3


cdef inline char* put_six(char* p, uint32_t value) noexcept nogil:
    return put_triple(put_triple(p, value // 1000), value % 1000)


cdef inline char* put_nine(char* p, uint32_t value) noexcept nogil:
    return put_six(put_triple(p, value // 1_000_000), value % 1_000_000)


cdef inline char* put_up_to_nine(char* p, uint32_t value) noexcept nogil:
    if value < 10:
        p[0] = <char> (48 + value)
        return p + 1
    if value < 1000:
        return put_small(p, value)
    if value < 1_000_000:
        return put_triple(put_small(p, value // 1000), value % 1000)
    return put_six(put_small(p, value // 1_000_000), value % 1_000_000)


cdef inline char* put_decimal(char* p, uint64_t value) noexcept nogil:
    """Decimal digits, without leading zeros."""
    cdef uint64_t high = value // 1_000_000_000
    if high:
        if high < 1_000_000_000:
            p = put_up_to_nine(p, <uint32_t> high)
        else:
            p = put_nine(put_small(p, <uint32_t> (high // 1_000_000_000)), <uint32_t> (high % 1_000_000_000))
        return put_nine(p, <uint32_t> (value % 1_000_000_000))
    return put_up_to_nine(p, <uint32_t> value)


cdef inline char* put_signed(char* p, int64_t value) noexcept nogil:
    if value < 0:
        p[0] = b"-"
        return put_decimal(p + 1, 0 - <uint64_t> value)
    return put_decimal(p, <uint64_t> value)


cdef inline char* put_seconds(char* p, int64_t nanoseconds) noexcept nogil:
    """Seconds with nine decimals (G-4)."""
    cdef uint64_t whole = <uint64_t> nanoseconds
    if nanoseconds < 0:
        p[0] = b"-"
        p += 1
        whole = 0 - whole
    p = put_decimal(p, whole // 1_000_000_000)
    p[0] = b"."
    return put_nine(p + 1, <uint32_t> (whole % 1_000_000_000))


cdef inline uint64_t hex_digits(uint32_t value) noexcept nogil:
    """Eight hexadecimal digits: the nibbles, each in a byte of its own, the highest in the lowest byte."""
    cdef uint64_t nibbles = value
    nibbles = (nibbles >> 16 | nibbles << 32) & 0x0000FFFF0000FFFFULL
    nibbles = (nibbles >> 8 | nibbles << 16) & 0x00FF00FF00FF00FFULL
    nibbles = (nibbles >> 4 | nibbles << 8) & 0x0F0F0F0F0F0F0F0FULL
    # Those above 9 carry into the upper half when 6 is added: they are letters, "a" comes 39 after "9" + 1.
    return nibbles + 0x3030303030303030ULL + ((nibbles + 0x0606060606060606ULL) >> 4 & 0x0101010101010101ULL) * 39


cdef inline char* put_hex(char* p, uint32_t value, int digits) noexcept nogil:
    """The last ``digits`` hexadecimal digits of eight."""
    cdef uint64_t text = hex_digits(value) >> 8 * (8 - digits)
    memcpy(p, &text, 8)
    return p + digits


cdef inline char* put_bytes(char* p, const uint8_t* data, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size // 4):
        p = put_hex(p, be32(data + 4 * i), 8)
    for i in range(size - size % 4, size):
        p = put_hex(p, data[i], 2)
    return p


cdef inline char* put_ipv4(char* p, uint32_t address) noexcept nogil:
    p = put_small(p, address >> 24)
    p[0] = b"."
    p = put_small(p + 1, address >> 16 & 255)
    p[0] = b"."
    p = put_small(p + 1, address >> 8 & 255)
    p[0] = b"."
    return put_small(p + 1, address & 255)


cdef inline char* put_group(char* p, uint32_t group) noexcept nogil:
    """One group of an IPv6 address, leading zeros left out (RFC 5952 section 4.1)."""
    return put_hex(p, group, 1 + (group > 0xF) + (group > 0xFF) + (group > 0xFFF))


cdef inline char* put_ipv6(char* p, uint64_t high, uint64_t low) noexcept nogil:
    """RFC 5952; an address that embeds an IPv4 one (::a.b.c.d, ::ffff:a.b.c.d) ends in dotted form."""
    cdef uint16_t[8] group
    cdef int i, run = 0, best = 0, start = -1
    for i in range(8):
        group[i] = <uint16_t> ((high if i < 4 else low) >> (48 - 16 * (i & 3)))
        run = 0 if group[i] else run + 1
        if run > best and run > 1:
            best, start = run, i + 1 - run
    if start == 0 and (best == 6 or (best == 5 and group[5] == 0xFFFF)):
        p = put_text(p, b"::ffff:", 2 if best == 6 else 7)
        return put_ipv4(p, <uint32_t> low)
    i = 0
    while i < 8:
        if i == start:
            p = put_text(p, b"::", 2)
            i += best
            continue
        if i and i != start + best:
            p[0] = b":"
            p += 1
        p = put_group(p, group[i])
        i += 1
    return p
