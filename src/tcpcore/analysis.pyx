"""Segments to tshark's verdicts (SEMANTICS sections ORD, WN, A, AK, BF, TF, FR, CP): the ANALYSIS part of the rows.

FWD is the direction of the segment, REV the other.  Most segments are in order, acknowledge something
and set no flag: ``is_plain`` proves that with a few comparisons, and ``find_all`` does the rest.
"""
import numpy as np

from libc.stdint cimport int8_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from tcpcore.batch cimport Batch, released_t, segment_at
from tcpcore.clear cimport clear
from tcpcore.connection cimport connection, read_options
from tcpcore.endpoint cimport (
    COMPLETE_SYN, FLIGHT_HIDDEN, LAST_KEEP_ALIVE, LAST_PROBE, MPTCP_NEWS, PUSH_SEEN, WINDOW_KNOWN, ZERO_OPEN,
    conversation_t, endpoint_t, initial_rtt, scale_shown, set_dup_frame, set_expected_frame, settle_scales, turn_t)
from tcpcore.findings cimport find_all, is_plain
from tcpcore.flags cimport (
    ACK, BOGUS_HEADER_LENGTH, FIN, HAS_ACK_RTT, HAS_ACKS_FRAME, HAS_BYTES_IN_FLIGHT, HAS_CHECKSUM, HAS_COMPLETENESS,
    HAS_FLAGS, HAS_INITIAL_RTT, HAS_LEN, HAS_PUSH_BYTES, HAS_RECORD, HAS_WINDOW_SCALE, HAS_WINDOW_SIZE, KEEP_ALIVE,
    PORTS_REUSED, PSH, REUSED_PORTS, STREAM_CREATED, SYN, SYN_REPEATED, WHOLE, ZERO_WINDOW_PROBE)
from tcpcore.flows cimport NO_SLOT, FlowTable
from tcpcore.growable cimport grow, growable_t
from tcpcore.growable cimport release as release_memory
from tcpcore.inflight cimport (
    AGAIN, MAX_INFLIGHT, acked_t, flight_ack, flight_add, flight_count, flight_drop, flight_list, flight_rebase,
    flying_t, inflight_t)
from tcpcore.pool cimport account, pool_at, pool_clear, pool_t
from tcpcore.prefetch cimport prefetch_write
from tcpcore.quantile cimport BIN_BYTES, histogram_buckets, histogram_rank
from tcpcore.records cimport analysis_t, flow_analysis_t, segment_t
from tcpcore.seqnum cimport after, before
from tcpcore.summary cimport (
    COUNTED, COUNTED_OF_FLOWS, N_COUNTS, findings_t, forget_summaries, spread_t, spreads_at, summaries_at, summaries_t,
    summarise, summary_t)

from tcpcore.records import FLOW_ANALYSIS

cdef enum:
    STATE_AHEAD = 24               # rows ahead to fetch a stream's state
    BLOCK_AHEAD = 12               # rows ahead to fetch its segments in flight and its round trips
    SEQUENCE_FINDINGS = REUSED_PORTS * 2 - 1       # section A and reused_ports: tcp.analysis.flags (CM-6)
    MAX_SHOWN = 2_000_000_000      # BF-6
    FLIGHT_LIMIT = 256 << 20       # bytes of entries in flight, all streams together
    SUMMARY_LIMIT = 256 << 20      # bytes of findings and round trips, all streams together

ctypedef struct analyser_t:
    growable_t conversations       # conversation_t by slot
    pool_t pool                    # of inflight_t
    uint64_t dropped               # entries in flight that found no memory
    summaries_t summaries


cdef class Analysis:
    """What tshark says of each segment, and with ``summary`` what that adds up to for each stream.

    Without ``spread`` only as far as the flows table tells it: retransmissions, shortest and mean round trips.
    ``flight_limit`` bounds the bytes spent on segments in flight, ``summary_limit`` those on counts of findings and
    distributions of round trips; ``dropped`` counts what they cost.
    """

    cdef analyser_t state

    def __cinit__(self, *, bint summary=False, bint spread=True, uint64_t flight_limit=FLIGHT_LIMIT,
                  uint64_t summary_limit=SUMMARY_LIMIT):
        memset(&self.state, 0, sizeof(analyser_t))
        self.state.conversations.huge = self.state.summaries.of.huge = self.state.summaries.spreads.huge = True
        self.state.pool.entry = sizeof(inflight_t)
        self.state.pool.limit = flight_limit
        self.state.summaries.wanted = summary
        self.state.summaries.spread_wanted = summary and spread
        self.state.summaries.counted = COUNTED if spread else COUNTED_OF_FLOWS
        self.state.summaries.findings.entry = sizeof(findings_t)
        self.state.summaries.bins.entry = BIN_BYTES
        self.state.summaries.findings.limit = self.state.summaries.bins.limit = summary_limit // 2

    def __dealloc__(self):
        release_memory(&self.state.conversations)
        release_memory(&self.state.summaries.of)
        release_memory(&self.state.summaries.spreads)
        pool_clear(&self.state.pool)
        pool_clear(&self.state.summaries.findings)
        pool_clear(&self.state.summaries.bins)

    cdef int reserve(self, Py_ssize_t n_slots) except -1:
        if (grow(&self.state.conversations, n_slots * sizeof(conversation_t)) or self.state.summaries.wanted
                and grow(&self.state.summaries.of, n_slots * 2 * sizeof(summary_t))
                or self.state.summaries.spread_wanted
                and grow(&self.state.summaries.spreads, n_slots * 2 * sizeof(spread_t))):
            raise MemoryError
        return 0

    cdef int release(self, Batch batch) except -1:
        """Let go of what the flow table has released; the FLOW_ANALYSIS rows go to the batch."""
        cdef const released_t* gone = <released_t*> batch.given_up.data
        cdef Py_ssize_t i, n = batch.n_released
        cdef flow_analysis_t* rows = NULL
        if self.state.summaries.wanted:
            out = batch.released["analysis"] = np.zeros(n, FLOW_ANALYSIS)
            rows = <flow_analysis_t*> <size_t> out.ctypes.data
        with nogil:
            for i in range(n):
                if rows != NULL:
                    write_record(&self.state, gone[i].slot, gone[i].stream, gone[i].latest_ns, &rows[i])
                let_go(&self.state, gone[i].slot)
        return 0

    def process(self, Batch batch not None):
        """Fill the ANALYSIS part of the batch's rows, if it has one; after ``FlowTable.process``."""
        self.reserve(batch.n_slots)
        if batch.n_released:
            self.release(batch)
        with nogil:
            process_rows(&self.state, batch.rows, batch.stride, batch.analysis_at, batch.slots, batch.n_rows)

    def records(self, FlowTable flows not None, slots=None):
        """FLOW_ANALYSIS rows, one for each of ``flows.records(slots)``."""
        cdef const uint32_t[::1] chosen = flows.chosen(slots)
        cdef Py_ssize_t i
        self.reserve(flows.n_slots)
        if not self.state.summaries.wanted:
            raise ValueError("made without summary")
        out = np.zeros(chosen.shape[0], FLOW_ANALYSIS)
        cdef flow_analysis_t* rows = <flow_analysis_t*> <size_t> out.ctypes.data
        for i in range(chosen.shape[0]):
            write_record(&self.state, chosen[i], flows.flows[chosen[i]].stream, flows.flows[chosen[i]].previous_ns,
                         &rows[i])
        return out

    @property
    def dropped(self):
        """What the limits cost: segments whose acknowledgement goes unnoticed, findings and round trips not counted."""
        return self.state.dropped + self.state.summaries.dropped

    @property
    def pools(self):
        """Bytes taken, bytes held, and times that more was refused, by what they are for."""
        return {"segments in flight": account(&self.state.pool), "findings": account(&self.state.summaries.findings),
                "round trips": account(&self.state.summaries.bins)}

    @property
    def slot_bytes(self):
        """What a stream takes beside them."""
        return (sizeof(conversation_t) + 2 * sizeof(summary_t) * self.state.summaries.wanted
                + 2 * sizeof(spread_t) * self.state.summaries.spread_wanted)


cdef void process_rows(analyser_t* a, char* rows, Py_ssize_t stride, Py_ssize_t at, const uint32_t* slots,
                       Py_ssize_t n_rows) noexcept nogil:
    cdef Py_ssize_t i
    cdef segment_t* row
    cdef analysis_t* out
    cdef analysis_t scratch
    for i in range(n_rows):
        if i + STATE_AHEAD < n_rows:
            fetch_stream(a, slots[i + STATE_AHEAD])
        if i + BLOCK_AHEAD < n_rows:
            fetch_blocks(a, slots[i + BLOCK_AHEAD])
        row = segment_at(rows, stride, i)
        out = &scratch if at < 0 else <analysis_t*> (<char*> row + at)
        clear(out, sizeof(analysis_t))
        if slots[i] != NO_SLOT:
            analyse(a, row, out, slots[i])


cdef inline void fetch_stream(analyser_t* a, uint32_t slot) noexcept nogil:
    cdef conversation_t* stream = <conversation_t*> a.conversations.data + slot
    if slot == NO_SLOT:
        return
    prefetch_write(stream)
    prefetch_write(&stream.flights)
    if a.summaries.wanted:
        prefetch_write(summaries_at(&a.summaries, slot))
        prefetch_write(<char*> summaries_at(&a.summaries, slot + 1) - 1)
    if a.summaries.spread_wanted:
        prefetch_write(spreads_at(&a.summaries, slot))


cdef inline void fetch_blocks(analyser_t* a, uint32_t slot) noexcept nogil:
    cdef conversation_t* stream = <conversation_t*> a.conversations.data + slot
    cdef spread_t* spreads = spreads_at(&a.summaries, slot)
    cdef int direction
    if slot == NO_SLOT:
        return
    for direction in range(2):
        if stream.flights[direction].block:
            prefetch_write(flight_list(&a.pool, &stream.flights[direction]))
        if a.summaries.spread_wanted and spreads[direction].rtt.block:
            prefetch_write(histogram_buckets(&a.summaries.bins, &spreads[direction].rtt))


# -- one segment, in the order of section ORD

cdef inline void analyse(analyser_t* a, segment_t* row, analysis_t* out, uint32_t slot) noexcept nogil:
    cdef turn_t t
    cdef int direction = row.direction
    t.row, t.out = row, out
    t.stream = <conversation_t*> a.conversations.data + slot
    t.fwd, t.rev = &t.stream.ends[direction], &t.stream.ends[1 - direction]
    t.sent, t.awaited = &t.stream.flights[direction], &t.stream.flights[1 - direction]
    t.has_record, t.round_trip = False, -1
    out.findings = 0
    if row.events & (SYN_REPEATED | PORTS_REUSED):      # 1
        repeated_syn(a, &t)
    show_completeness(&t)                               # 2
    t.fwd.sacked = 0                                    # 3
    if row.present & HAS_LEN:                           # 5
        t.rev_base = row.ack_raw - <uint32_t> row.ack64
        sequence(a, &t)
    if row.damage & BOGUS_HEADER_LENGTH:                # 6
        hide(out)
        return
    show_window(&t)
    connection(&t)                                      # 7 to 11
    if row.present & HAS_CHECKSUM:                      # 12
        read_options(&t)                                # 14
    if not row.events & WHOLE:
        hide(out)
        return
    show_record(&t)                                     # 15
    if a.summaries.wanted:
        summarise(&a.summaries, &t, slot, direction)
    if row.flags & SYN:                                 # 16
        settle_scales(t.fwd, t.rev, row.flags & ACK)


cdef void repeated_syn(analyser_t* a, turn_t* t) noexcept nogil:
    if t.row.events & SYN_REPEATED:                     # ST-5; there is a record, though without a flag
        t.fwd.expected = t.fwd.contiguous
        t.has_record = True
        return
    t.out.findings |= REUSED_PORTS
    if t.row.events & STREAM_CREATED:                   # CP-4
        t.stream.completeness = COMPLETE_SYN
    else:                                               # ST-6
        flight_rebase(&a.pool, t.sent, t.row.seq_raw)


cdef inline void sequence(analyser_t* a, turn_t* t) noexcept nogil:
    """Section A: what the numbers say, and what they leave behind."""
    cdef segment_t* row = t.row
    cdef endpoint_t* fwd = t.fwd
    if row.flags & ACK:                                 # A-0
        t.rev.state &= ~<uint8_t> FLIGHT_HIDDEN
    if not is_plain(t):
        t.out.findings |= find_all(t, &a.pool)
    if row.ack_raw != fwd.last_ack:                     # A-10
        set_dup_frame(t.stream, row.direction, row.frame)
        fwd.dup_count = 0
    advance(t, remember(a, t))                          # A-13
    fwd.window = row.window                             # A-14
    fwd.last_ack, t.stream.last_ack_ns[row.direction] = row.ack_raw, row.time_ns
    t.stream.state &= ~<uint8_t> (MPTCP_NEWS << row.direction)                 # DA-4
    fwd.state = (fwd.state & ~<uint8_t> (LAST_KEEP_ALIVE | LAST_PROBE) | WINDOW_KNOWN
                 | LAST_KEEP_ALIVE * ((t.out.findings & KEEP_ALIVE) != 0)
                 | LAST_PROBE * ((t.out.findings & ZERO_WINDOW_PROBE) != 0))
    acknowledge(a, t)                                   # A-15
    if row.payload_len and t.sent.block and not fwd.state & FLIGHT_HIDDEN:     # BF-1
        bytes_in_flight(t, flight_list(&a.pool, t.sent))                       # A-16


# -- what a segment leaves behind

cdef inline uint32_t remember(analyser_t* a, turn_t* t) noexcept nogil:
    """A-13: into the segments in flight; returns where the segment ends (UL-2: without SYN and FIN at the limit)."""
    cdef segment_t* row = t.row
    cdef inflight_t entry
    entry.nxt = row.seq_raw + row.payload_len
    if (row.payload_len or row.flags & (SYN | FIN)) and flight_count(&a.pool, t.sent) < MAX_INFLIGHT:
        entry.frame, entry.time_ns, entry.seq = row.frame, row.time_ns, row.seq_raw
        if t.fwd.expected and before(row.seq_raw, t.fwd.expected):
            entry.frame |= AGAIN
        entry.nxt += row.flags & (SYN | FIN) != 0
        a.dropped += not flight_add(&a.pool, t.sent, &entry, row.seq_raw - row.seq)
    return entry.nxt


cdef inline void advance(turn_t* t, uint32_t nxt) noexcept nogil:
    cdef endpoint_t* fwd = t.fwd
    if t.out.findings & ZERO_WINDOW_PROBE:
        return
    if fwd.expected == 0 or after(nxt, fwd.expected):                          # EX-2
        fwd.expected = nxt
        set_expected_frame(t.stream, t.row.direction, t.row.frame)
        t.stream.expected_ns[t.row.direction] = t.row.time_ns
    if fwd.contiguous == 0 or t.row.seq_raw == fwd.contiguous:                 # EX-3
        fwd.contiguous = fwd.expected


cdef inline void acknowledge(analyser_t* a, turn_t* t) noexcept nogil:
    """AK-1 to AK-4: whatever the flags say, the ack field counts."""
    cdef acked_t acked
    flight_ack(&a.pool, t.awaited, t.row.ack_raw, t.rev_base, &acked)
    if acked.frame == 0:
        return
    t.has_record = True
    t.out.acks_frame = acked.frame
    t.out.ack_rtt = t.row.time_ns - acked.time_ns
    t.out.present |= HAS_ACKS_FRAME
    if t.out.ack_rtt:                                                          # AK-3
        t.out.present |= HAS_ACK_RTT
    if not acked.again and t.row.time_ns:                                      # 0: the capture has no times
        t.round_trip = t.out.ack_rtt


cdef inline void bytes_in_flight(turn_t* t, const flying_t* flying) noexcept nogil:
    """BF-2 to BF-6, PB-1."""
    cdef segment_t* row = t.row
    cdef endpoint_t* fwd = t.fwd
    cdef uint32_t size = flying.high - flying.low - t.rev.sacked
    t.has_record = True
    fwd.push_count = row.payload_len + (0 if fwd.state & PUSH_SEEN else fwd.push_count)
    fwd.state = fwd.state & ~<uint8_t> PUSH_SEEN | PUSH_SEEN * ((row.flags & PSH) != 0)
    if size - 1 >= <uint32_t> (MAX_SHOWN - 1):
        return
    t.out.bytes_in_flight = size - (row.flags & (SYN | FIN) != 0)              # BF-3
    if t.out.bytes_in_flight == 0:                                             # BF-6
        return
    t.out.push_bytes_sent = fwd.push_count
    t.out.present |= HAS_BYTES_IN_FLIGHT | HAS_PUSH_BYTES


# -- columns

cdef inline void show_completeness(turn_t* t) noexcept nogil:
    t.out.completeness = t.stream.completeness                                 # CP-1
    t.out.present |= HAS_COMPLETENESS


cdef inline void show_window(turn_t* t) noexcept nogil:
    """WN-1, RL-7."""
    cdef int shift = scale_shown(t.fwd)
    t.out.window_size = t.row.window
    t.out.present |= HAS_WINDOW_SIZE
    if t.row.flags & SYN:
        return
    t.out.present |= HAS_WINDOW_SCALE
    if shift < 0:
        t.out.window_scale = shift
        return
    t.out.window_scale = 1 << shift
    if t.row.present & HAS_LEN:
        t.out.window_size <<= shift


cdef inline void show_record(turn_t* t) noexcept nogil:
    """CM-6, AK-6."""
    cdef uint32_t flagged = t.out.findings & SEQUENCE_FINDINGS
    if not flagged and not t.has_record:
        return
    t.out.present |= HAS_RECORD | HAS_FLAGS * (flagged != 0)
    if initial_rtt(t.stream):
        t.out.initial_rtt = initial_rtt(t.stream)
        t.out.present |= HAS_INITIAL_RTT


cdef void hide(analysis_t* out) noexcept nogil:
    """A frame that ends before step 15 shows nothing of section A, though its state has changed."""
    out.findings &= ~<uint32_t> SEQUENCE_FINDINGS
    out.present &= HAS_COMPLETENESS | HAS_WINDOW_SIZE | HAS_WINDOW_SCALE
    out.acks_frame = out.duplicate_ack_frame = out.rto_frame = 0
    out.ack_rtt = out.rto = 0
    out.bytes_in_flight = out.push_bytes_sent = out.duplicate_ack_num = 0


# -- streams that are let go of, and summaries

cdef void let_go(analyser_t* a, uint32_t slot) noexcept nogil:
    """Back to the start: all zero."""
    cdef conversation_t* stream = <conversation_t*> a.conversations.data + slot
    flight_drop(&a.pool, &stream.flights[0])
    flight_drop(&a.pool, &stream.flights[1])
    memset(stream, 0, sizeof(conversation_t))
    if a.summaries.wanted:
        forget_summaries(&a.summaries, slot)


cdef void write_record(const analyser_t* a, uint32_t slot, uint32_t number, int64_t latest_ns,
                       flow_analysis_t* out) noexcept nogil:
    cdef const conversation_t* stream = <conversation_t*> a.conversations.data + slot
    cdef const summary_t* both = summaries_at(&a.summaries, slot)
    cdef int d
    out.stream = number
    out.initial_rtt = initial_rtt(stream)
    out.completeness = stream.completeness
    out.window_shift0, out.window_shift1 = <int8_t> scale_shown(&stream.ends[0]), <int8_t> scale_shown(&stream.ends[1])
    for d in range(2):
        (&out.rtt_min0)[d], (&out.rtt_sum0)[d] = both[d].rtt_min, both[d].rtt_sum
        (&out.rtt_samples0)[d] = both[d].rtt_samples
        if a.summaries.spread_wanted:
            write_spread(a, &both[d], spreads_at(&a.summaries, slot) + d, d, out)
        if both[d].findings:
            write_findings(<findings_t*> pool_at(&a.summaries.findings, 0, both[d].findings), d, out)
            if stream.ends[d].state & ZERO_OPEN:
                (&out.zero_window_ns0)[d] += latest_ns - (
                    <findings_t*> pool_at(&a.summaries.findings, 0, both[d].findings)).zero_since


cdef inline void write_findings(const findings_t* found, int d, flow_analysis_t* out) noexcept nogil:
    """The pairs of counts lie in the order of the Finding bits."""
    cdef int i
    for i in range(N_COUNTS):
        (&out.retransmissions0)[2 * i + d] = found.counts[i]
    (&out.zero_window_ns0)[d] = found.zero_window_ns


cdef inline void write_spread(const analyser_t* a, const summary_t* of, const spread_t* spread, int d,
                              flow_analysis_t* out) noexcept nogil:
    (&out.rtt_max0)[d], (&out.rtt_squares0)[d] = spread.rtt_max, spread.rtt_squares
    (&out.rtt_median0)[d] = median(a, of, spread)
    (&out.max_in_flight0)[d] = spread.max_in_flight


cdef inline int64_t median(const analyser_t* a, const summary_t* of, const spread_t* spread) noexcept nogil:
    """Of one or two samples exact, of more to within 1/32."""
    cdef uint64_t n = of.rtt_samples
    if n <= 2:
        return (of.rtt_min + spread.rtt_max) // 2
    return min(max((histogram_rank(&a.summaries.bins, &spread.rtt, (n - 1) // 2)
                    + histogram_rank(&a.summaries.bins, &spread.rtt, n // 2)) // 2, of.rtt_min), spread.rtt_max)
