"""What the analysis notes of a connection: completeness, SYN, FIN, options (SEMANTICS CP, TF, FR, AK-5, WN)."""
from libc.stdint cimport uint8_t

from tcpcore.endpoint cimport (
    CLOSER, COMPLETE_ACK, COMPLETE_DATA, COMPLETE_FIN, COMPLETE_RST, COMPLETE_SYN, COMPLETE_SYNACK, FAST_OPEN_DATA,
    MPTCP_NEWS, RTT_KNOWN, SCALE_SHIFT, SYN_WINDOW, conversation_t, turn_t)
from tcpcore.flags cimport (
    ACK, FIN, FIN_ACTIVE, FIN_PASSIVE, HAS_TFO_COOKIE, HAS_WSCALE, PORTS_REUSED, RST, STREAM_CREATED, SYN, TFO_ACK,
    TFO_IGNORED, TFO_SYN, WHOLE)
from tcpcore.records cimport segment_t
from tcpcore.wire.options cimport MAX_SHIFT


cdef inline void complete(turn_t* t) noexcept nogil:
    """CP-2 to CP-4."""
    cdef segment_t* row = t.row
    cdef uint8_t seen = 0
    if row.events & STREAM_CREATED and not row.events & PORTS_REUSED:
        if row.flags & (SYN | ACK) == SYN:
            seen = COMPLETE_SYN | COMPLETE_DATA * (row.payload_len > 0)
        t.stream.completeness = seen
        return
    if row.flags & ACK:
        if row.flags & SYN:
            seen = COMPLETE_SYNACK
        else:
            seen = COMPLETE_DATA if row.payload_len else COMPLETE_ACK
        seen |= COMPLETE_FIN * ((row.flags & FIN) != 0)
    t.stream.completeness |= seen | COMPLETE_RST * ((row.flags & RST) != 0)


cdef inline void opening_or_closing(turn_t* t) noexcept nogil:
    cdef segment_t* row = t.row
    if row.flags & SYN:
        if row.flags & ACK and row.ack > 1:                                    # TF-2
            t.out.findings |= TFO_ACK
        elif row.flags & ACK and t.stream.state & FAST_OPEN_DATA:
            t.out.findings |= TFO_IGNORED
        elif not row.flags & ACK and not t.stream.state & RTT_KNOWN:
            t.stream.opening_ns = row.time_ns
        t.fwd.state |= SYN_WINDOW
    if row.flags & FIN:                                                        # FR-1
        if t.rev.state & CLOSER:
            t.out.findings |= FIN_PASSIVE
        else:
            t.fwd.state |= CLOSER
            t.out.findings |= FIN_ACTIVE


cdef inline void connection(turn_t* t) noexcept nogil:
    """Steps 7 to 11."""
    cdef segment_t* row = t.row
    cdef conversation_t* stream = t.stream
    complete(t)
    if row.flags & (SYN | FIN):
        opening_or_closing(t)
    if row.flags & (SYN | ACK) == ACK:
        if stream.opening_ns and not stream.state & RTT_KNOWN and row.time_ns != stream.opening_ns:        # AK-5
            stream.opening_ns = row.time_ns - stream.opening_ns
            stream.state |= RTT_KNOWN
        t.fwd.state &= ~<uint8_t> SYN_WINDOW


cdef inline void read_options(turn_t* t) noexcept nogil:
    """Step 14: what the options change for later segments."""
    cdef segment_t* row = t.row
    if row.present & HAS_WSCALE:                                               # WN-2
        t.fwd.scale = <uint8_t> (SCALE_SHIFT + min(row.wscale, <uint8_t> MAX_SHIFT))
    if row.sack_count:                                                         # BF-4
        t.fwd.sacked = row.sack_re0 - row.sack_le0
        if row.sack_count > 1:
            t.fwd.sacked += row.sack_re1 - row.sack_le1
        if row.sack_count > 2:
            t.fwd.sacked += row.sack_re2 - row.sack_le2
    if row.present & HAS_TFO_COOKIE and row.flags & (SYN | ACK) == SYN:        # TF-1
        t.out.findings |= TFO_SYN
        t.stream.state |= FAST_OPEN_DATA * (row.payload_len > 0)
    if row.mptcp & ~t.stream.mptcp and row.events & WHOLE:
        t.stream.mptcp |= row.mptcp
        t.stream.state |= MPTCP_NEWS * 3
