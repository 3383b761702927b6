"""Section A of SEMANTICS: what a segment's numbers, window and time say of it."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from tcpcore.endpoint cimport (
    FLIGHT_HIDDEN, LAST_KEEP_ALIVE, LAST_PROBE, MPTCP_NEWS, SCALE_UNKNOWN, dup_frame, endpoint_t, expected_frame,
    initial_rtt, known_window, turn_t, window_shift)
from tcpcore.flags cimport (
    ACK, ACK_LOST_SEGMENT, DUPLICATE_ACK, FAST_RETRANSMISSION, FIN, HAS_RTO, KEEP_ALIVE, KEEP_ALIVE_ACK,
    LOST_SEGMENT, OUT_OF_ORDER, RETRANSMISSION, RST, SPURIOUS_RETRANSMISSION, SYN, WINDOW_FULL, WINDOW_UPDATE,
    ZERO_WINDOW, ZERO_WINDOW_PROBE, ZERO_WINDOW_PROBE_ACK)
from tcpcore.inflight cimport AGAIN, flight_entries, flight_list, flying_t, inflight_t
from tcpcore.pool cimport pool_t
from tcpcore.records cimport segment_t
from tcpcore.seqnum cimport after, before, not_after

cdef enum:
    SYN_FIN_RST = SYN | FIN | RST
    FAST_LIMIT = 20_000_000        # RT-4, ns
    REORDER_LIMIT = 3_000_000      # RT-5, ns


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
    return rev.last_ack == 0 or not not_after(end, rev.last_ack)               # RT-3


cdef inline uint64_t elapsed(const segment_t* row, int64_t since) noexcept nogil:
    """Unsigned: a negative time is huge (RT-8)."""
    return <uint64_t> (row.time_ns - since)


cdef inline uint32_t nothing_new(turn_t* t) noexcept nogil:
    """An empty segment that repeats both numbers: the window tells what for (A-5, A-7 to A-9)."""
    cdef endpoint_t* fwd = t.fwd
    if t.row.window != known_window(fwd):
        return WINDOW_UPDATE if t.row.window else 0                            # A-5
    if t.row.window == 0:
        return ZERO_WINDOW_PROBE_ACK if t.rev.state & LAST_PROBE else 0        # A-8
    if t.rev.state & LAST_KEEP_ALIVE:
        return KEEP_ALIVE_ACK                                                  # A-7
    if t.stream.state & MPTCP_NEWS << t.row.direction:
        return 0                                                               # DA-4
    fwd.dup_count = 1 if fwd.dup_count == <uint32_t> -1 else fwd.dup_count + 1
    t.out.duplicate_ack_num = fwd.dup_count
    t.out.duplicate_ack_frame = dup_frame(t.stream, t.row.direction)
    return DUPLICATE_ACK                                                       # A-9


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
    cdef uint64_t late = <uint64_t> initial_rtt(t.stream) or <uint64_t> REORDER_LIMIT
    cdef bint old = fwd.expected != 0 and before(row.seq_raw, fwd.expected)
    if findings & KEEP_ALIVE:                                                  # RT-1
        return 0
    if row.payload_len > 1 and row.seq_raw == fwd.expected - 1:                # RT-2
        old = False
    if row.payload_len and rev.last_ack and not_after(end, rev.last_ack):      # RT-3
        return RETRANSMISSION | SPURIOUS_RETRANSMISSION
    if not old:
        return 0
    if (rev.dup_count >= 2 and rev.last_ack == row.seq_raw
            and elapsed(row, t.stream.last_ack_ns[1 - row.direction]) < FAST_LIMIT):
        return RETRANSMISSION | FAST_RETRANSMISSION                            # RT-4
    if (elapsed(row, t.stream.expected_ns[row.direction]) < late and
            end + (row.flags & (SYN | FIN) != 0) != fwd.expected):
        return OUT_OF_ORDER                                                    # RT-5
    return RETRANSMISSION                                                      # RT-6


cdef inline void timed_out(turn_t* t, const pool_t* pool) noexcept nogil:
    """RT-7: how long since the oldest segment in flight, or since the one that last moved ``expected``."""
    cdef inflight_t* oldest
    cdef int64_t since = t.stream.expected_ns[t.row.direction]
    t.out.rto_frame = expected_frame(t.stream, t.row.direction)
    if t.sent.block:
        oldest = flight_entries(pool, t.sent) + flight_list(pool, t.sent).head
        since, t.out.rto_frame = oldest.time_ns, oldest.frame & ~AGAIN
    t.out.rto = t.row.time_ns - since
    if t.out.rto:
        t.out.present |= HAS_RTO
    else:
        t.out.rto_frame = 0


cdef inline uint32_t find_all(turn_t* t, const pool_t* pool) noexcept nogil:
    """A-1 to A-12: Finding bits."""
    cdef segment_t* row = t.row
    cdef uint32_t findings = windows(t)
    if row.flags & ACK and t.rev.contiguous and after(row.ack_raw, t.rev.contiguous):
        findings |= unseen_acknowledged(t)
    if row.payload_len or row.flags & (SYN | FIN):
        findings |= sent_again(t, findings)
    if findings & (RETRANSMISSION | FAST_RETRANSMISSION | SPURIOUS_RETRANSMISSION) == RETRANSMISSION:
        timed_out(t, pool)
    return findings
