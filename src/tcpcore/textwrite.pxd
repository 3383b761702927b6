"""Numbers and addresses as text.

Each function writes at ``p`` and returns the end; the caller made room for it and SLACK bytes more.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    static const char DIGIT_PAIRS[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    static const char HEX_DIGITS[] = "0123456789abcdef";
    """
    const char* DIGIT_PAIRS
    const char* HEX_DIGITS

cdef enum:
    MAX_NUMBER = 20          # longest text of a 64-bit number, sign included
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


cdef inline char* put_decimal(char* p, uint64_t value) noexcept nogil:
    """Decimal digits, without leading zeros; two at a time from the right."""
    cdef char[MAX_NUMBER + SLACK] text
    cdef int at = MAX_NUMBER
    if value < 10:
        p[0] = <char> (48 + value)
        return p + 1
    while value >= 100:
        at -= 2
        memcpy(text + at, DIGIT_PAIRS + 2 * (value % 100), 2)
        value //= 100
    if value >= 10:
        at -= 2
        memcpy(text + at, DIGIT_PAIRS + 2 * value, 2)
    else:
        at -= 1
        text[at] = <char> (48 + value)
    return put_short(p, text + at, MAX_NUMBER - at)


cdef inline char* put_signed(char* p, int64_t value) noexcept nogil:
    if value < 0:
        p[0] = b"-"
        return put_decimal(p + 1, 0 - <uint64_t> value)
    return put_decimal(p, <uint64_t> value)


cdef inline char* put_seconds(char* p, int64_t nanoseconds) noexcept nogil:
    """Seconds with nine decimals (G-4)."""
    cdef uint64_t whole = <uint64_t> nanoseconds
    cdef uint32_t rest
    cdef int i
    if nanoseconds < 0:
        p[0] = b"-"
        p += 1
        whole = 0 - whole
    rest = <uint32_t> (whole % 1000000000)
    p = put_decimal(p, whole // 1000000000)
    p[0] = b"."
    for i in range(4):
        memcpy(p + 8 - 2 * i, DIGIT_PAIRS + 2 * (rest % 100), 2)
        rest //= 100
    p[1] = <char> (48 + rest)
    return p + 10


cdef inline char* put_hex(char* p, uint64_t value, int digits) noexcept nogil:
    """``digits`` hexadecimal digits, leading zeros kept."""
    cdef int i
    for i in range(digits):
        p[i] = HEX_DIGITS[(value >> (4 * (digits - 1 - i))) & 15]
    return p + digits


cdef inline char* put_bytes(char* p, const uint8_t* data, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        p[2 * i] = HEX_DIGITS[data[i] >> 4]
        p[2 * i + 1] = HEX_DIGITS[data[i] & 15]
    return p + 2 * size


cdef inline char* put_ipv4(char* p, uint32_t address) noexcept nogil:
    p = put_decimal(p, address >> 24)
    p[0] = b"."
    p = put_decimal(p + 1, address >> 16 & 255)
    p[0] = b"."
    p = put_decimal(p + 1, address >> 8 & 255)
    p[0] = b"."
    return put_decimal(p + 1, address & 255)


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
