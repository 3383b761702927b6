"""TCP options (RFC 9293 section 3.2): one pass that notes what later stages need."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport (
    HAS_MSS, HAS_SACK, HAS_SACK_PERMITTED, HAS_SACK_LE, HAS_SACK_RE, HAS_TFO_COOKIE, HAS_TIMESTAMPS,
    HAS_TSVAL, HAS_WSCALE, MPTCP_BROKEN, OPTIONS_CUT, OPTIONS_MALFORMED, QUOTED, SACK_BROKEN)
from tcpcore.records cimport segment_t

cdef enum OptionKind:
    OPTION_END = 0
    OPTION_NOP = 1
    OPTION_MSS = 2
    OPTION_WSCALE = 3
    OPTION_SACK_PERMITTED = 4
    OPTION_SACK = 5
    OPTION_ECHO = 6                # RFC 1072
    OPTION_ECHO_REPLY = 7
    OPTION_TIMESTAMPS = 8
    OPTION_CC = 11                 # RFC 1644
    OPTION_CC_ECHO = 13
    OPTION_MD5 = 19                # RFC 2385
    OPTION_SCPS = 20               # CCSDS 714.0-B
    OPTION_SNACK = 21
    OPTION_RECORD_BOUNDARY = 22
    OPTION_CORRUPTION = 23
    OPTION_QUICK_START = 27        # RFC 4782
    OPTION_USER_TIMEOUT = 28       # RFC 5482
    OPTION_MPTCP = 30              # RFC 8684
    OPTION_FAST_OPEN = 34          # RFC 7413
    OPTION_EXPERIMENT_1 = 253      # RFC 6994
    OPTION_EXPERIMENT_2 = 254

cdef enum:
    FAST_OPEN_EXPERIMENT = 0xF989
    SACK_EDGES = 8
    MAX_SHIFT = 14                 # of a window; a larger one counts as this (WN-2)

cdef enum Mptcp:                   # subtypes, and flags of a data sequence signal
    MPTCP_CAPABLE = 0
    MPTCP_DSS = 2
    MPTCP_ADD_ADDR = 3
    MPTCP_FAIL = 6
    MPTCP_FASTCLOSE = 7
    MPTCP_RST = 8
    DSS_ACK = 1
    DSS_ACK8 = 2
    DSS_MAP = 4
    DSS_MAP8 = 8


cdef inline void timestamps(segment_t* row, const uint8_t* value) noexcept nogil:
    row.tsval = be32(value)
    row.tsecr = be32(value + 4)
    row.present |= HAS_TIMESTAMPS | HAS_TSVAL


cdef inline void sack_edges(segment_t* row, const uint8_t* p, uint32_t size) noexcept nogil:
    """The edges in ``size`` bytes of option: at most four blocks fit in a header, but half of a fifth one does."""
    cdef uint32_t* edge = &row.sack_le0
    cdef uint32_t i
    for i in range(min((size - 2) // 4, <uint32_t> SACK_EDGES)):
        edge[i] = be32(p + 2 + 4 * i)
    row.present |= (HAS_SACK_LE if size >= 6 else 0) | (HAS_SACK_RE if size >= 10 else 0)


cdef inline void sack(segment_t* row, const uint8_t* p, uint32_t length) noexcept nogil:
    """A SACK option of 2-9 bytes is broken (LN-9)."""
    row.sack_count = <uint8_t> ((length - 2) // 8)
    row.present |= HAS_SACK
    row.damage |= SACK_BROKEN if row.sack_count == 0 else 0
    sack_edges(row, p, length)


cdef inline uint32_t mptcp_length(const uint8_t* p) noexcept nogil:
    """The length that an MPTCP option of this subtype needs (RFC 8684 section 3), as tshark sees it."""
    cdef uint8_t subtype = p[2] >> 4, flags
    if subtype == MPTCP_DSS:
        flags = p[3]
        return (4 + (0 if not flags & DSS_ACK else 8 if flags & DSS_ACK8 else 4)
                + (0 if not flags & DSS_MAP else 14 if flags & DSS_MAP8 else 10))
    if subtype == MPTCP_FAIL or subtype == MPTCP_FASTCLOSE:
        return 12
    return 4 if subtype == MPTCP_CAPABLE or subtype == MPTCP_ADD_ADDR or subtype == MPTCP_RST else 3


cdef inline bint has_key(uint32_t length) noexcept nogil:
    """Whether an MP_CAPABLE has one: in version 1 that of a SYN has none."""
    return length == 12 or length == 20 or length == 22 or length == 24


cdef inline void mptcp(segment_t* row, const uint8_t* p, uint32_t length) noexcept nogil:
    if length < 3 or length == 3 and p[2] >> 4 == MPTCP_DSS or length < mptcp_length(p):
        row.damage |= MPTCP_BROKEN
    elif p[2] >> 4 != MPTCP_CAPABLE or has_key(length):
        row.mptcp |= <uint8_t> (1 << (p[2] >> 4))                # of later subtypes tshark takes no notice


cdef inline void note_option(segment_t* row, const uint8_t* p, uint32_t length) noexcept nogil:
    """One whole option of ``length`` >= 2 bytes; a wrong length is as if absent (WN-6), the first of a kind counts."""
    cdef uint8_t kind = p[0]
    if kind == OPTION_TIMESTAMPS:
        if length == 10 and not row.present & HAS_TIMESTAMPS:
            timestamps(row, p + 2)
    elif kind == OPTION_SACK:
        if not row.present & HAS_SACK:
            sack(row, p, length)
    elif kind == OPTION_MSS:
        if length == 4 and not row.present & HAS_MSS:
            row.mss = be16(p + 2)
            row.present |= HAS_MSS
    elif kind == OPTION_WSCALE:
        if length == 3 and not row.present & HAS_WSCALE:
            row.wscale = p[2]
            row.present |= HAS_WSCALE
    elif kind == OPTION_SACK_PERMITTED:
        row.present |= HAS_SACK_PERMITTED if length == 2 else 0
    elif kind == OPTION_MPTCP:
        mptcp(row, p, length)
    elif is_fast_open(p, length):
        row.present |= HAS_TFO_COOKIE


cdef inline bint is_fast_open(const uint8_t* p, uint32_t length) noexcept nogil:
    """With a cookie, in its own option or in an experimental one (TF-1)."""
    if p[0] == OPTION_FAST_OPEN:
        return length > 2
    if p[0] == OPTION_EXPERIMENT_1 or p[0] == OPTION_EXPERIMENT_2:
        return length > 4 and be16(p + 2) == FAST_OPEN_EXPERIMENT
    return False


cdef inline void note_cut_option(segment_t* row, const uint8_t* p, uint32_t captured) noexcept nogil:
    """An option of which the capture holds only the first bytes: the values in them count (LN-3, BF-4)."""
    if captured < 6 or row.present & (HAS_TSVAL if p[0] == OPTION_TIMESTAMPS else HAS_SACK):
        return
    if p[0] == OPTION_TIMESTAMPS and p[1] == 10:
        row.tsval = be32(p + 2)
        row.present |= HAS_TSVAL
    elif p[0] == OPTION_SACK:
        sack_edges(row, p, captured)
        row.sack_count = <uint8_t> ((captured - 2) // 8)
        row.present |= HAS_SACK if p[1] < 10 else 0              # a broken one is counted though it is cut


cdef inline uint32_t fixed_length(uint8_t kind) noexcept nogil:
    """The only length that options of this kind have; 0 if they can have several, or the kind is not known."""
    if kind == OPTION_SACK_PERMITTED or kind == OPTION_RECORD_BOUNDARY or kind == OPTION_CORRUPTION:
        return 2
    if kind == OPTION_WSCALE:
        return 3
    if kind == OPTION_MSS or kind == OPTION_SCPS or kind == OPTION_USER_TIMEOUT:
        return 4
    if kind == OPTION_ECHO or kind == OPTION_ECHO_REPLY or OPTION_CC <= kind <= OPTION_CC_ECHO or kind == OPTION_SNACK:
        return 6
    if kind == OPTION_QUICK_START:
        return 8
    if kind == OPTION_TIMESTAMPS:
        return 10
    return 18 if kind == OPTION_MD5 else 0


cdef inline bint is_passed_over(const uint8_t* p) noexcept nogil:
    """Nothing in an option is looked at if its length cannot be that of its kind."""
    cdef uint32_t length = fixed_length(p[0])
    return length != 0 and p[1] != length


cdef inline bint is_missed(const uint8_t* p, uint32_t size, uint32_t captured) noexcept nogil:
    """Whether an option with a bad length hides that the options are cut: of ``size`` bytes two may be missing."""
    return p[1] > size and captured + 2 < size


cdef inline void read_options(segment_t* row, const uint8_t* p, uint32_t size, uint32_t captured,
                              bint whole) noexcept nogil:
    """Reading stops at a bad length, the first non-zero byte after the end, and what is broken but in quotes (LN-9).

    Of what was cut off nothing is missed (LN-3) where reading stops before, where the last option is passed over, nor
    if a quote, in a frame captured ``whole``, ends within the last option.
    """
    cdef uint32_t length
    if captured == 12 and be32(p) == 0x0101080A:   # NOP, NOP, timestamps: most segments
        timestamps(row, p + 4)
        return
    while captured:
        if p[0] == OPTION_END:
            return
        if p[0] == OPTION_NOP:
            length = 1
        elif captured < 2:
            return
        elif p[1] < 2 or p[1] > size:
            row.damage = (row.damage | OPTIONS_MALFORMED) & ~(OPTIONS_CUT * (not is_missed(p, size, captured)))
            return
        else:
            length = p[1]
            if length > captured:
                note_cut_option(row, p, captured)
                row.damage &= ~(OPTIONS_CUT * (length == size and (
                    is_passed_over(p) or whole and row.damage & QUOTED != 0)))
                return
            note_option(row, p, length)
            if row.damage & (MPTCP_BROKEN | SACK_BROKEN):
                if not row.damage & QUOTED:
                    return
                row.damage &= ~<uint32_t> (MPTCP_BROKEN | SACK_BROKEN)
        p += length
        size -= length
        captured -= length
