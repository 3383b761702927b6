"""TCP options (RFC 9293 section 3.2): one pass that notes what later stages need."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport (
    HAS_MSS, HAS_SACK, HAS_SACK_PERMITTED, HAS_TFO_COOKIE, HAS_TIMESTAMPS, HAS_WSCALE, OPTIONS_MALFORMED, SACK_BROKEN)
from tcpcore.records cimport segment_t

cdef enum OptionKind:
    OPTION_END = 0
    OPTION_NOP = 1
    OPTION_MSS = 2
    OPTION_WSCALE = 3
    OPTION_SACK_PERMITTED = 4
    OPTION_SACK = 5
    OPTION_TIMESTAMPS = 8
    OPTION_MPTCP = 30              # RFC 8684
    OPTION_FAST_OPEN = 34          # RFC 7413
    OPTION_EXPERIMENT_1 = 253      # RFC 6994
    OPTION_EXPERIMENT_2 = 254

cdef enum:
    FAST_OPEN_EXPERIMENT = 0xF989


cdef inline void timestamps(segment_t* row, const uint8_t* value) noexcept nogil:
    row.tsval = be32(value)
    row.tsecr = be32(value + 4)
    row.present |= HAS_TIMESTAMPS


cdef inline void sack_blocks(segment_t* row, const uint8_t* p, uint32_t length) noexcept nogil:
    """Up to four blocks; a SACK option of 2-9 bytes is broken (LN-9)."""
    cdef uint32_t* edge = &row.sack_le0
    cdef uint32_t i, n = (length - 2) // 8
    if n == 0:
        row.damage |= SACK_BROKEN
        return
    row.present |= HAS_SACK
    row.sack_count = <uint8_t> n
    for i in range(n * 2):
        edge[i] = be32(p + 2 + 4 * i)


cdef inline void note_option(segment_t* row, const uint8_t* p, uint32_t length) noexcept nogil:
    """One option of ``length`` >= 2 bytes, all of them there; a wrong length is as if absent (WN-6)."""
    cdef uint8_t kind = p[0]
    if kind == OPTION_MSS and length == 4:
        row.mss = be16(p + 2)
        row.present |= HAS_MSS
    elif kind == OPTION_WSCALE and length == 3:
        row.wscale = p[2]
        row.present |= HAS_WSCALE
    elif kind == OPTION_SACK_PERMITTED and length == 2:
        row.present |= HAS_SACK_PERMITTED
    elif kind == OPTION_SACK:
        sack_blocks(row, p, length)
    elif kind == OPTION_TIMESTAMPS and length == 10:
        timestamps(row, p + 2)
    elif kind == OPTION_MPTCP and length > 2:
        row.mptcp |= <uint16_t> (1 << (p[2] >> 4))
    elif kind == OPTION_FAST_OPEN and length > 2:
        row.present |= HAS_TFO_COOKIE
    elif kind in (OPTION_EXPERIMENT_1, OPTION_EXPERIMENT_2) and length > 4 and be16(p + 2) == FAST_OPEN_EXPERIMENT:
        row.present |= HAS_TFO_COOKIE


cdef inline void read_options(segment_t* row, const uint8_t* p, uint32_t size) noexcept nogil:
    """Reading stops at a bad length and at the first non-zero byte after the end (LN-9)."""
    cdef uint32_t length
    if size == 12 and be32(p) == 0x0101080A:   # NOP, NOP, timestamps: most segments
        timestamps(row, p + 4)
        return
    while size:
        if p[0] == OPTION_END:
            return
        if p[0] == OPTION_NOP:
            length = 1
        elif size < 2 or p[1] < 2 or p[1] > size:
            row.damage |= OPTIONS_MALFORMED
            return
        else:
            length = p[1]
            note_option(row, p, length)
        p += length
        size -= length
