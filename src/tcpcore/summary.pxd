"""What the analysis adds up for each direction of a stream: findings, round trips, bytes in flight, closed windows."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from tcpcore.endpoint cimport ZERO_OPEN, turn_t
from tcpcore.flags cimport FIN, RETRANSMISSION, RST, SPURIOUS_RETRANSMISSION, SYN, ZERO_WINDOW
from tcpcore.growable cimport growable_t
from tcpcore.pool cimport pool_disown, pool_give_back, pool_own, pool_t
from tcpcore.quantile cimport histogram_add, histogram_t

cdef enum:
    N_COUNTS = 14                  # the findings of section A
    COUNTED = (1 << N_COUNTS) - 1
    COUNTED_OF_FLOWS = RETRANSMISSION | SPURIOUS_RETRANSMISSION

# Only of directions that have any finding.
ctypedef struct findings_t:
    int64_t zero_since             # while ZERO_OPEN
    int64_t zero_window_ns
    uint32_t[N_COUNTS] counts      # by bit number of Finding

# Of the data that the direction sends, whose acknowledgements the other sends.
ctypedef struct summary_t:
    int64_t rtt_min, rtt_sum
    uint32_t rtt_samples
    uint32_t findings              # pool block; 0: none

# What not everybody asks for.
ctypedef struct spread_t:
    int64_t rtt_max
    double rtt_squares             # sum of the squared deviations from the mean (Welford)
    histogram_t rtt                # from the third sample on; two are their own minimum and maximum
    uint32_t max_in_flight

ctypedef struct summaries_t:
    growable_t of                  # summary_t[2] by slot
    growable_t spreads             # spread_t[2] by slot
    pool_t findings                # of findings_t
    pool_t bins                    # of BIN_BYTES
    bint wanted
    bint spread_wanted
    uint32_t counted               # Finding bits
    uint64_t dropped               # samples and findings that found no memory


cdef inline summary_t* summaries_at(const summaries_t* s, uint32_t slot) noexcept nogil:
    return <summary_t*> s.of.data + 2 * <uint64_t> slot


cdef inline spread_t* spreads_at(const summaries_t* s, uint32_t slot) noexcept nogil:
    """Only if they are wanted."""
    return <spread_t*> s.spreads.data + 2 * <uint64_t> slot


cdef inline void add_round_trip(summary_t* of, int64_t rtt) noexcept nogil:
    of.rtt_min = min(of.rtt_min, rtt) if of.rtt_samples else rtt
    of.rtt_sum += rtt
    of.rtt_samples += 1


cdef inline void add_to_spread(summaries_t* s, spread_t* spread, const summary_t* so_far, int64_t rtt) noexcept nogil:
    """``so_far``: of the round trips before this one."""
    cdef uint32_t n = so_far.rtt_samples
    cdef double off
    if n == 2:
        s.dropped += not histogram_add(&s.bins, &spread.rtt, so_far.rtt_min)
        s.dropped += not histogram_add(&s.bins, &spread.rtt, spread.rtt_max)
    if n >= 2:
        s.dropped += not histogram_add(&s.bins, &spread.rtt, rtt)
    if n:
        off = <double> rtt - <double> so_far.rtt_sum / n
        spread.rtt_squares += off * off * n / (n + 1.0)
    spread.rtt_max = max(spread.rtt_max, rtt) if n else rtt


cdef inline findings_t* findings_of(summaries_t* s, summary_t* of) noexcept nogil:
    """NULL without memory."""
    return <findings_t*> pool_own(&s.findings, &of.findings)


cdef inline void add_findings(summaries_t* s, summary_t* of, turn_t* t) noexcept nogil:
    """Count what was found, and how long the window is closed."""
    cdef findings_t* found = findings_of(s, of)
    cdef uint32_t findings = t.out.findings & s.counted
    cdef int i
    if found == NULL:
        s.dropped += 1
        return
    for i in range(N_COUNTS):
        found.counts[i] += findings >> i & 1
    if findings & ZERO_WINDOW and not t.fwd.state & ZERO_OPEN:
        found.zero_since = t.row.time_ns
        t.fwd.state |= ZERO_OPEN
    elif t.fwd.state & ZERO_OPEN and t.row.window and not t.row.flags & (SYN | FIN | RST):
        found.zero_window_ns += t.row.time_ns - found.zero_since
        t.fwd.state &= ~<uint8_t> ZERO_OPEN


cdef inline void summarise(summaries_t* s, turn_t* t, uint32_t slot, int direction) noexcept nogil:
    """One whole segment."""
    cdef summary_t* both = summaries_at(s, slot)
    cdef spread_t* spreads
    if s.spread_wanted:
        spreads = spreads_at(s, slot)
        if t.round_trip >= 0:
            add_to_spread(s, &spreads[1 - direction], &both[1 - direction], t.round_trip)
        if t.out.bytes_in_flight > spreads[direction].max_in_flight:      # else untouched: a flood takes no memory here
            spreads[direction].max_in_flight = t.out.bytes_in_flight
    if t.round_trip >= 0:
        add_round_trip(&both[1 - direction], t.round_trip)
    if t.out.findings & s.counted or t.fwd.state & ZERO_OPEN:
        add_findings(s, &both[direction], t)


cdef inline void forget_summaries(summaries_t* s, uint32_t slot) noexcept nogil:
    """Both directions back to the start."""
    cdef summary_t* both = summaries_at(s, slot)
    cdef spread_t* spreads = spreads_at(s, slot)
    cdef int direction
    for direction in range(2):
        pool_disown(&s.findings, both[direction].findings)
        if s.spread_wanted and spreads[direction].rtt.block:
            pool_give_back(&s.bins, spreads[direction].rtt.size, spreads[direction].rtt.block)
    memset(both, 0, 2 * sizeof(summary_t))
    if s.spread_wanted:
        memset(spreads, 0, 2 * sizeof(spread_t))
