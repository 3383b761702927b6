"""Segments to tshark's verdicts (SEMANTICS sections WN, A, AK, BF, TF, FR, CP): the ANALYSIS part of the rows.

FWD is the direction of the segment, REV the other.  Most segments are in order, acknowledge something
and set no flag: ``is_plain`` proves that with a few comparisons, and ``judge`` does the rest.
"""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from tcpcore.batch cimport Batch, segment_at
from tcpcore.endpoint cimport (
    CLOSER, COMPLETE_ACK, COMPLETE_DATA, COMPLETE_FIN, COMPLETE_RST, COMPLETE_SYN, COMPLETE_SYNACK, FLIGHT_HIDDEN,
    LAST_KEEP_ALIVE, LAST_PROBE, PUSH_SEEN, SCALE_SHIFT, SCALE_UNKNOWN, SYN_WINDOW, WINDOW_KNOWN,
    conversation_t, endpoint_t, known_window, settle_scales, window_shift)
from tcpcore.flags cimport (
    ACK, ACK_LOST_SEGMENT, BOGUS_HEADER_LENGTH, DUPLICATE_ACK, FAST_RETRANSMISSION, FIN, FIN_ACTIVE, FIN_PASSIVE,
    HAS_ACK_RTT, HAS_ACKS_FRAME, HAS_BYTES_IN_FLIGHT, HAS_CHECKSUM, HAS_COMPLETENESS, HAS_FLAGS, HAS_INITIAL_RTT,
    HAS_LEN, HAS_PUSH_BYTES, HAS_RECORD, HAS_RTO, HAS_TFO_COOKIE, HAS_WINDOW_SCALE, HAS_WINDOW_SIZE, HAS_WSCALE,
    KEEP_ALIVE, KEEP_ALIVE_ACK, LOST_SEGMENT, OUT_OF_ORDER, PORTS_REUSED, PSH, RETRANSMISSION, REUSED_PORTS, RST,
    SPURIOUS_RETRANSMISSION, STREAM_CREATED, SYN, SYN_REPEATED, TFO_ACK, TFO_IGNORED, TFO_SYN, WHOLE, WINDOW_FULL,
    WINDOW_UPDATE, ZERO_WINDOW, ZERO_WINDOW_PROBE, ZERO_WINDOW_PROBE_ACK)
from tcpcore.flows cimport NO_SLOT, FlowTable, flow_t
from tcpcore.growable cimport grow, growable_t, release
from tcpcore.inflight cimport (
    MAX_INFLIGHT, acked_t, flight_ack, flight_add, flight_count, flight_entries, flight_rebase, flight_t, inflight_t)
from tcpcore.pool cimport pool_clear, pool_t
from tcpcore.records cimport analysis_t, segment_t
from tcpcore.seqnum cimport after, before

cdef extern from *:
    """
    #define prefetch_write(p) __builtin_prefetch(p, 1)
    """
    void prefetch_write(const void* p) noexcept nogil

cdef enum:
    FAR = 16                       # rows ahead to fetch a stream's state
    NEAR = 6                       # ... and then the segments it has in flight
    SYN_FIN_RST = SYN | FIN | RST
    SEQUENCE_FINDINGS = REUSED_PORTS * 2 - 1       # section A and reused_ports: tcp.analysis.flags (CM-6)
    FAST_LIMIT = 20_000_000        # RT-4, ns
    REORDER_LIMIT = 3_000_000      # RT-5, ns
    MAX_SHIFT = 14
    MAX_SHOWN = 2_000_000_000      # BF-6
    FLIGHT_LIMIT = 256 << 20       # bytes of entries in flight, all streams together

# One segment and what its rules look at.
ctypedef struct turn_t:
    segment_t* row
    analysis_t* out
    conversation_t* stream
    endpoint_t* fwd
    endpoint_t* rev
    flight_t* sent                 # FWD.segments
    flight_t* awaited              # REV.segments
    uint32_t rev_base
    bint has_record                # CM-6, beside the flags


ctypedef struct analyser_t:
    growable_t conversations       # conversation_t by slot
    pool_t pool
    uint64_t dropped               # entries in flight that found no memory


cdef class Analysis:
    """``flight_limit`` bounds the bytes spent on segments in flight; ``dropped`` counts what it cost."""

    cdef analyser_t state

    def __cinit__(self, *, uint64_t flight_limit=FLIGHT_LIMIT):
        memset(&self.state, 0, sizeof(analyser_t))
        self.state.conversations.huge = True
        self.state.pool.entry = sizeof(inflight_t)
        self.state.pool.limit = flight_limit

    def __dealloc__(self):
        release(&self.state.conversations)
        pool_clear(&self.state.pool)

    def process(self, Batch batch not None, FlowTable flows not None):
        """Fill the ANALYSIS part of the batch's rows; after ``flows.process``."""
        if batch.analysis_at < 0:
            raise ValueError("the batch has no ANALYSIS part")
        if grow(&self.state.conversations, flows.n_slots * sizeof(conversation_t)):
            raise MemoryError
        with nogil:
            process_rows(&self.state, batch.rows, batch.stride, batch.analysis_at, batch.slots, batch.n_rows,
                         flows.flows)

    @property
    def dropped(self):
        """Entries in flight not kept because of ``flight_limit``; their acknowledgement goes unnoticed."""
        return self.state.dropped

    @property
    def flight_bytes(self):
        """Bytes of entries in flight now."""
        return self.state.pool.used


cdef void process_rows(analyser_t* a, char* rows, Py_ssize_t stride, Py_ssize_t at, const uint32_t* slots,
                       Py_ssize_t n_rows, const flow_t* flows) noexcept nogil:
    cdef Py_ssize_t i
    cdef segment_t* row
    for i in range(n_rows):
        if i + FAR < n_rows:
            fetch_stream(a, slots[i + FAR])
        if i + NEAR < n_rows:
            fetch_flights(a, slots[i + NEAR])
        row = segment_at(rows, stride, i)
        memset(<char*> row + at, 0, sizeof(analysis_t))
        if slots[i] != NO_SLOT:
            analyse(a, row, <analysis_t*> (<char*> row + at), slots[i], flows)


cdef inline void fetch_stream(analyser_t* a, uint32_t slot) noexcept nogil:
    cdef conversation_t* stream = <conversation_t*> a.conversations.data + slot
    if slot != NO_SLOT:
        prefetch_write(&stream.ends[0])
        prefetch_write(&stream.ends[1])
        prefetch_write(&stream.flights)


cdef inline void fetch_flights(analyser_t* a, uint32_t slot) noexcept nogil:
    cdef conversation_t* stream = <conversation_t*> a.conversations.data + slot
    cdef flight_t* flight
    cdef int direction
    if slot != NO_SLOT:
        for direction in range(2):
            flight = &stream.flights[direction]
            if flight.block:
                prefetch_write(flight_entries(&a.pool, flight) + flight.head)


# -- one segment, in the order of section ORD

cdef inline void analyse(analyser_t* a, segment_t* row, analysis_t* out, uint32_t slot,
                         const flow_t* flows) noexcept nogil:
    cdef turn_t t
    cdef int direction = row.direction
    t.row, t.out = row, out
    t.stream = <conversation_t*> a.conversations.data + slot
    t.fwd, t.rev = &t.stream.ends[direction], &t.stream.ends[1 - direction]
    t.sent, t.awaited = &t.stream.flights[direction], &t.stream.flights[1 - direction]
    t.has_record = False
    out.findings = 0
    if row.events & (SYN_REPEATED | PORTS_REUSED):      # 1
        repeated_syn(a, &t)
    show_completeness(&t)                               # 2
    t.fwd.sacked = 0                                    # 3
    if row.present & HAS_LEN:                           # 5
        t.rev_base = row.ack_raw - row.ack if row.flags & ACK else flows[slot].base[1 - direction]
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
        t.out.findings |= judge(a, t)
    if row.ack_raw != fwd.last_ack:                     # A-10
        fwd.dup_frame, fwd.dup_count = row.frame, 0
    advance(t, remember(a, t))                          # A-13
    fwd.window = row.window                             # A-14
    fwd.last_ack, fwd.last_ack_ns = row.ack_raw, row.time_ns
    fwd.mptcp = t.stream.mptcp                          # DA-4
    fwd.state = (fwd.state & ~<uint8_t> (LAST_KEEP_ALIVE | LAST_PROBE) | WINDOW_KNOWN
                 | LAST_KEEP_ALIVE * ((t.out.findings & KEEP_ALIVE) != 0)
                 | LAST_PROBE * ((t.out.findings & ZERO_WINDOW_PROBE) != 0))
    acknowledge(a, t)                                   # A-15
    if row.payload_len and t.sent.block and not fwd.state & FLIGHT_HIDDEN:     # BF-1
        bytes_in_flight(t)                              # A-16


cdef inline bint is_plain(const turn_t* t) noexcept nogil:
    """In order, news of some kind, and no flag of section A possible: all of A-1 to A-12 would find nothing."""
    cdef const segment_t* row = t.row
    cdef const endpoint_t* rev = t.rev
    cdef uint32_t end = row.seq_raw + row.payload_len
    if row.flags & SYN_FIN_RST or row.window == 0 or row.seq_raw != t.fwd.expected or row.seq_raw == 0:
        return False                                    # A-2, A-3, A-4, RT-4 to RT-6
    if row.flags & ACK and after(row.ack_raw, rev.contiguous) and rev.contiguous:
        return False                                    # A-11
    if row.payload_len == 0:
        return row.ack_raw != t.fwd.last_ack            # A-5, A-7 to A-9
    if row.payload_len == 1 and rev.window == 0:
        return False                                    # A-1
    if end == rev.last_ack + (known_window(rev) << window_shift(rev)):
        return False                                    # A-6
    return rev.last_ack == 0 or after(end, rev.last_ack)                       # RT-3


# -- section A, the slow way

cdef uint32_t judge(analyser_t* a, turn_t* t) noexcept nogil:
    cdef segment_t* row = t.row
    cdef uint32_t findings = windows(t)
    if row.flags & ACK and t.rev.contiguous and after(row.ack_raw, t.rev.contiguous):
        findings |= unseen_acknowledged(t)
    if row.payload_len or row.flags & (SYN | FIN):
        findings |= sent_again(t, findings)
    if findings & (RETRANSMISSION | FAST_RETRANSMISSION | SPURIOUS_RETRANSMISSION) == RETRANSMISSION:
        timed_out(a, t)
    return findings


cdef inline uint32_t windows(turn_t* t) noexcept nogil:
    """A-1 to A-9: probes, windows, keep-alives, duplicate acknowledgements."""
    cdef segment_t* row = t.row
    cdef endpoint_t* fwd = t.fwd
    cdef endpoint_t* rev = t.rev
    cdef uint32_t findings = 0
    cdef bint plain = not row.flags & SYN_FIN_RST
    cdef uint32_t end = row.seq_raw + row.payload_len
    if row.payload_len == 1 and row.seq_raw == fwd.expected and known_window(rev) == 0:
        return ZERO_WINDOW_PROBE                                               # A-1
    if row.window == 0 and plain:
        findings |= ZERO_WINDOW                                                # A-2
    if fwd.expected and after(row.seq_raw, fwd.expected) and not row.flags & RST:
        findings |= LOST_SEGMENT                                               # A-3
        fwd.state |= FLIGHT_HIDDEN
    if row.payload_len <= 1 and row.seq_raw == fwd.expected - 1 and plain:
        findings |= KEEP_ALIVE                                                 # A-4
    if row.payload_len and rev.scale != SCALE_UNKNOWN and plain and \
            end == rev.last_ack + (known_window(rev) << window_shift(rev)):
        findings |= WINDOW_FULL                                                # A-6
    if row.payload_len == 0 and row.seq_raw == fwd.expected and row.ack_raw == fwd.last_ack and plain:
        findings |= nothing_new(t)
    return findings


cdef inline uint32_t nothing_new(turn_t* t) noexcept nogil:
    """An empty segment that repeats both numbers: the window tells what for (A-5, A-7 to A-9)."""
    cdef endpoint_t* fwd = t.fwd
    if t.row.window != known_window(fwd):
        return WINDOW_UPDATE if t.row.window else 0                            # A-5
    if t.row.window == 0:
        return ZERO_WINDOW_PROBE_ACK if t.rev.state & LAST_PROBE else 0        # A-8
    if t.rev.state & LAST_KEEP_ALIVE:
        return KEEP_ALIVE_ACK                                                  # A-7
    if t.stream.mptcp != fwd.mptcp:
        return 0                                                               # DA-4
    fwd.dup_count = 1 if fwd.dup_count == <uint32_t> -1 else fwd.dup_count + 1
    t.out.duplicate_ack_num = fwd.dup_count
    t.out.duplicate_ack_frame = fwd.dup_frame
    return DUPLICATE_ACK                                                       # A-9


cdef inline uint32_t unseen_acknowledged(turn_t* t) noexcept nogil:
    """A-11: acknowledges what the capture has not shown."""
    cdef endpoint_t* rev = t.rev
    cdef bint first = rev.dup_count == 0
    t.has_record = True
    if before(rev.contiguous, rev.expected):                                   # AL-1
        rev.contiguous = rev.expected
        return ACK_LOST_SEGMENT
    rev.dup_count = <uint32_t> -1                                              # AL-2
    return ACK_LOST_SEGMENT if first else 0


cdef inline uint32_t sent_again(turn_t* t, uint32_t findings) noexcept nogil:
    """A-12: retransmissions and what looks like them; the first that fits."""
    cdef segment_t* row = t.row
    cdef endpoint_t* fwd = t.fwd
    cdef endpoint_t* rev = t.rev
    cdef uint32_t end = row.seq_raw + row.payload_len
    cdef bint old = fwd.expected != 0 and before(row.seq_raw, fwd.expected)
    if findings & KEEP_ALIVE:                                                  # RT-1
        return 0
    if row.payload_len > 1 and row.seq_raw == fwd.expected - 1:                # RT-2
        old = False
    if row.payload_len and rev.last_ack and not after(end, rev.last_ack):      # RT-3
        return RETRANSMISSION | SPURIOUS_RETRANSMISSION
    if not old:
        return 0
    if rev.dup_count >= 2 and rev.last_ack == row.seq_raw and elapsed(row, rev.last_ack_ns) < FAST_LIMIT:
        return RETRANSMISSION | FAST_RETRANSMISSION                            # RT-4
    if elapsed(row, fwd.expected_ns) < (<uint64_t> t.stream.initial_rtt or <uint64_t> REORDER_LIMIT) and \
            end + (row.flags & (SYN | FIN) != 0) != fwd.expected:
        return OUT_OF_ORDER                                                    # RT-5
    return RETRANSMISSION                                                      # RT-6


cdef inline uint64_t elapsed(const segment_t* row, int64_t since) noexcept nogil:
    """Unsigned: a negative time is huge (RT-8)."""
    return <uint64_t> (row.time_ns - since)


cdef inline void timed_out(analyser_t* a, turn_t* t) noexcept nogil:
    """RT-7: how long since the oldest segment in flight, or since the one that last moved ``expected``."""
    cdef inflight_t* oldest
    cdef int64_t since = t.fwd.expected_ns
    t.out.rto_frame = t.fwd.expected_frame
    if t.sent.block:
        oldest = flight_entries(&a.pool, t.sent) + t.sent.head
        since, t.out.rto_frame = oldest.time_ns, oldest.frame
    t.out.rto = t.row.time_ns - since
    if t.out.rto:
        t.out.present |= HAS_RTO
    else:
        t.out.rto_frame = 0


# -- what a segment leaves behind

cdef inline uint32_t remember(analyser_t* a, turn_t* t) noexcept nogil:
    """A-13: into the segments in flight; returns where the segment ends (UL-2: without SYN and FIN at the limit)."""
    cdef segment_t* row = t.row
    cdef inflight_t entry
    entry.nxt = row.seq_raw + row.payload_len
    if (row.payload_len or row.flags & (SYN | FIN)) and flight_count(t.sent) < MAX_INFLIGHT:
        entry.frame, entry.time_ns, entry.seq = row.frame, row.time_ns, row.seq_raw
        entry.nxt += row.flags & (SYN | FIN) != 0
        a.dropped += not flight_add(&a.pool, t.sent, &entry, row.seq_raw - row.seq)
    return entry.nxt


cdef inline void advance(turn_t* t, uint32_t nxt) noexcept nogil:
    cdef endpoint_t* fwd = t.fwd
    if t.out.findings & ZERO_WINDOW_PROBE:
        return
    if fwd.expected == 0 or after(nxt, fwd.expected):                          # EX-2
        fwd.expected = nxt
        fwd.expected_frame, fwd.expected_ns = t.row.frame, t.row.time_ns
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


cdef inline void bytes_in_flight(turn_t* t) noexcept nogil:
    """BF-2 to BF-6, PB-1."""
    cdef segment_t* row = t.row
    cdef endpoint_t* fwd = t.fwd
    cdef uint32_t size = t.sent.high - t.sent.low - t.rev.sacked
    t.has_record = True
    fwd.push_count = row.payload_len + (0 if fwd.state & PUSH_SEEN else fwd.push_count)
    fwd.state = fwd.state & ~<uint8_t> PUSH_SEEN | PUSH_SEEN * ((row.flags & PSH) != 0)
    if size - 1 >= <uint32_t> (MAX_SHOWN - 1):
        return
    t.out.bytes_in_flight = size - (row.flags & (SYN | FIN) != 0)              # BF-3
    t.out.push_bytes_sent = fwd.push_count
    t.out.present |= (HAS_BYTES_IN_FLIGHT * (t.out.bytes_in_flight != 0)
                      | HAS_PUSH_BYTES * (t.out.push_bytes_sent != 0))


# -- the connection: completeness, SYN, FIN, round trip, options

cdef inline void connection(turn_t* t) noexcept nogil:
    """Steps 7 to 11."""
    cdef segment_t* row = t.row
    cdef conversation_t* stream = t.stream
    complete(t)
    if row.flags & (SYN | FIN):
        opening_or_closing(t)
    if row.flags & (SYN | ACK) == ACK:
        if stream.syn_ns and stream.initial_rtt == 0:                          # AK-5
            stream.initial_rtt = row.time_ns - stream.syn_ns
        t.fwd.state &= ~<uint8_t> SYN_WINDOW


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


cdef void opening_or_closing(turn_t* t) noexcept nogil:
    cdef segment_t* row = t.row
    if row.flags & SYN:
        if row.flags & ACK and row.ack > 1:                                    # TF-2
            t.out.findings |= TFO_ACK
        elif row.flags & ACK and t.stream.fast_open_data:
            t.out.findings |= TFO_IGNORED
        elif not row.flags & ACK:
            t.stream.syn_ns = row.time_ns
        t.fwd.state |= SYN_WINDOW
    if row.flags & FIN:                                                        # FR-1
        if t.rev.state & CLOSER:
            t.out.findings |= FIN_PASSIVE
        else:
            t.fwd.state |= CLOSER
            t.out.findings |= FIN_ACTIVE


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
        t.stream.fast_open_data |= row.payload_len > 0
    t.stream.mptcp |= row.mptcp


# -- columns

cdef inline void show_completeness(turn_t* t) noexcept nogil:
    t.out.completeness = t.stream.completeness                                 # CP-1
    t.out.present |= HAS_COMPLETENESS


cdef inline void show_window(turn_t* t) noexcept nogil:
    """WN-1, RL-7."""
    cdef int shift = t.fwd.scale - SCALE_SHIFT
    t.out.window_size = t.row.window
    t.out.present |= HAS_WINDOW_SIZE
    if t.row.flags & SYN:
        return
    t.out.present |= HAS_WINDOW_SCALE
    if shift < 0:
        t.out.window_scale = -1 if t.fwd.scale == SCALE_UNKNOWN else -2
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
    if t.stream.initial_rtt:
        t.out.initial_rtt = t.stream.initial_rtt
        t.out.present |= HAS_INITIAL_RTT


cdef void hide(analysis_t* out) noexcept nogil:
    """A frame that ends before step 15 shows nothing of section A, though its state has changed."""
    out.findings &= ~<uint32_t> SEQUENCE_FINDINGS
    out.present &= HAS_COMPLETENESS | HAS_WINDOW_SIZE | HAS_WINDOW_SCALE
    out.acks_frame = out.duplicate_ack_frame = out.rto_frame = 0
    out.ack_rtt = out.rto = 0
    out.bytes_in_flight = out.push_bytes_sent = out.duplicate_ack_num = 0
