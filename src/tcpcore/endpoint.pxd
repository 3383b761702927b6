"""What the analysis knows of a stream: its two directions (CM-3) and what they share (CM-4).  All zero is the start."""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.inflight cimport flight_t
from tcpcore.records cimport analysis_t, segment_t

cdef enum EndpointState:
    WINDOW_KNOWN = 1               # window is that of a segment, not the 2^32 - 1 of the start
    SYN_WINDOW = 2                 # from a SYN: unscaled (A-6)
    FLIGHT_HIDDEN = 4              # BF-5: the opposite of SEMANTICS' flight_ok
    PUSH_SEEN = 8
    CLOSER = 16                    # FR-1
    LAST_KEEP_ALIVE = 32           # of last_flags only these two are ever asked for (A-7, A-8)
    LAST_PROBE = 64
    ZERO_OPEN = 128                # the direction's window is closed; only summaries ask

cdef enum Scale:
    SCALE_UNKNOWN = 0              # -1 in SEMANTICS
    SCALE_NOT_USED = 1             # -2
    SCALE_SHIFT = 2                # + the shift

cdef enum ConversationState:
    RTT_KNOWN = 1                  # opening_ns is the round trip of the handshake
    FAST_OPEN_DATA = 2             # tfo_data
    MPTCP_NEWS = 4                 # subtypes came since the direction's previous frame (DA-4); shift left by direction

cdef enum Completeness:            # CP-1
    COMPLETE_SYN = 1
    COMPLETE_SYNACK = 2
    COMPLETE_ACK = 4
    COMPLETE_DATA = 8
    COMPLETE_FIN = 16
    COMPLETE_RST = 32

# The lower bits of the numbers of frames; conversation_t has the times, and the upper bits.
ctypedef struct endpoint_t:
    uint32_t expected_frame        # exp_frame
    uint32_t dup_frame
    uint32_t expected
    uint32_t contiguous
    uint32_t last_ack
    uint32_t dup_count
    uint32_t push_count
    uint32_t sacked                # sizes of the SACK blocks of the latest frame, three at most (BF-4)
    uint16_t window
    uint8_t scale                  # Scale
    uint8_t state                  # EndpointState bits

# Two cache lines.
ctypedef struct conversation_t:
    int64_t[2] expected_ns         # exp_time
    int64_t[2] last_ack_ns
    int64_t opening_ns             # time of the latest pure SYN, then irtt (AK-5); 0: none
    endpoint_t[2] ends
    flight_t[2] flights            # segments: what each direction has in flight
    uint8_t[2] expected_frame_high                 # numbers of frames have 40 bits
    uint8_t[2] dup_frame_high
    uint16_t mptcp                 # subtypes seen
    uint8_t completeness
    uint8_t state                  # ConversationState bits

# One segment and what its rules look at.
ctypedef struct turn_t:
    segment_t* row
    analysis_t* out                # scratch if the rows have no such part
    conversation_t* stream
    endpoint_t* fwd
    endpoint_t* rev
    flight_t* sent                 # FWD.segments
    flight_t* awaited              # REV.segments
    uint32_t rev_base
    int64_t round_trip             # ack_rtt if Karn's rule lets it count, else -1
    bint has_record                # CM-6, beside the flags


cdef inline int64_t initial_rtt(const conversation_t* stream) noexcept nogil:
    """irtt; 0: none."""
    return stream.opening_ns if stream.state & RTT_KNOWN else 0


# -- numbers of frames

cdef inline void set_expected_frame(conversation_t* stream, int direction, uint64_t frame) noexcept nogil:
    stream.ends[direction].expected_frame = <uint32_t> frame
    stream.expected_frame_high[direction] = <uint8_t> (frame >> 32)


cdef inline uint64_t expected_frame(const conversation_t* stream, int direction) noexcept nogil:
    return <uint64_t> stream.expected_frame_high[direction] << 32 | stream.ends[direction].expected_frame


cdef inline void set_dup_frame(conversation_t* stream, int direction, uint64_t frame) noexcept nogil:
    stream.ends[direction].dup_frame = <uint32_t> frame
    stream.dup_frame_high[direction] = <uint8_t> (frame >> 32)


cdef inline uint64_t dup_frame(const conversation_t* stream, int direction) noexcept nogil:
    return <uint64_t> stream.dup_frame_high[direction] << 32 | stream.ends[direction].dup_frame


# -- windows

cdef inline uint32_t known_window(const endpoint_t* end) noexcept nogil:
    return end.window if end.state & WINDOW_KNOWN else <uint32_t> -1


cdef inline int window_shift(const endpoint_t* end) noexcept nogil:
    """Of the latest window (A-6): SYN windows and unused scaling are plain."""
    return end.scale - SCALE_SHIFT if end.scale >= SCALE_SHIFT and not end.state & SYN_WINDOW else 0


cdef inline int scale_shown(const endpoint_t* end) noexcept nogil:
    """The shift, or -1 unknown, -2 not used (WN-1)."""
    return end.scale - SCALE_SHIFT if end.scale >= SCALE_SHIFT else -1 - end.scale


cdef inline void settle_scales(endpoint_t* fwd, endpoint_t* rev, bint synack) noexcept nogil:
    """After the options of a SYN (WN-4): scaling is used if both sides offer it."""
    if fwd.scale == SCALE_UNKNOWN:
        fwd.scale = rev.scale = SCALE_NOT_USED
    elif synack and rev.scale == SCALE_NOT_USED:
        fwd.scale = SCALE_NOT_USED
