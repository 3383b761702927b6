"""What an acknowledgement tells of the sender it answers: round trips, losses, and what was sent needlessly."""
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t

from tcpcore.corrections cimport show_needless
from tcpcore.flags cimport (
    ACK, DSACK, EARLY_ACK, EARLY_ECHO, FIN, HAS_SACK_LE, HAS_TIMESTAMPS, KIND_RETRANSMISSION, RST, SYN)
from tcpcore.history cimport again_packets, keep_last, range_at
from tcpcore.judging cimport case_t, count_recovery, judge_t, leave_after, trouble_at, trouble_of
from tcpcore.pathtime cimport MS, bound_leg, is_leg, is_near, measure_leg, measured
from tcpcore.records cimport segment_t
from tcpcore.sender cimport (
    ANSWERED, ECHOING, FINISHED, FIRST_ALONE, GAP, MEASURING, PROBED, RECOVERY_NONE, RECOVERY_TIMEOUT, REPORTED,
    SACK_PERMITTED, SACKING, STAMPED, STARTED, WINDOW_CLOSED, again_t, list_t, sender_t, sent_end, sent_t, trouble_t)
from tcpcore.seqnum cimport distance, unwrap

cdef enum:
    LOOK_BACK = 64                 # packets sent again that one acknowledgement is compared with
    ENOUGH = 4                     # round trips measured, so that not all of them are those of delayed answers
    SHORT_TRIP = 5 * MS            # below it, how long hosts take to answer counts for as much as the path


cdef inline int64_t sack_edge(const segment_t* row, uint32_t edge) noexcept nogil:
    return unwrap(edge, row.ack_raw, row.ack64)


cdef inline void read_answer(judge_t* j, case_t* t) noexcept nogil:
    """``t.row`` answers ``t.peer``."""
    cdef const segment_t* row = t.row
    cdef sender_t* data = t.peer
    if row.flags & (ACK | RST) != ACK:
        return
    if data.state & ECHOING and row.present & HAS_TIMESTAMPS and distance(row.tsecr, data.measure_end) >= 0:
        bound_leg(data, measured(data, row.time_ns))
        data.state &= ~<uint16_t> ECHOING
    if not data.state & ANSWERED:
        first_answer(t)
    if row.present & HAS_SACK_LE or (data.trouble and trouble_at(j, data).sack_count):
        read_sack(j, t)
    elif row.ack64 == data.acked:
        count_duplicate(j, t, 0, False)
    if row.ack64 > data.acked:
        advance(j, t)
    if row.ack64 == data.acked:                 # not an old one
        data.answer_window = row.window
    data.state = data.state & ~<uint16_t> WINDOW_CLOSED | WINDOW_CLOSED * (row.window == 0)


cdef inline void first_answer(const case_t* t) noexcept nogil:
    cdef sender_t* data = t.peer
    data.acked = min(data.acked, t.row.ack64) if data.state & STARTED else t.row.ack64
    data.state |= ANSWERED


cdef inline void count_duplicate(judge_t* j, case_t* t, uint32_t n_blocks, bint has_dsack) noexcept nogil:
    """RFC 5681 section 2; a window that changes with SACK blocks is one too."""
    cdef const segment_t* row = t.row
    cdef sender_t* data = t.peer
    cdef trouble_t* trouble
    if row.payload_len or row.flags & (SYN | FIN) or not data.state & STARTED or data.high <= row.ack64:
        return
    if (row.window != data.answer_window and not row.present & HAS_SACK_LE) or (has_dsack and n_blocks == 0):
        return
    trouble = trouble_of(j, data)
    if trouble.dup_acks < 0xFFFF:
        trouble.dup_acks += 1
    if trouble.dup_acks == 1:
        trouble.loss_time = row.time_ns


# -- progress

cdef inline void advance(judge_t* j, case_t* t) noexcept nogil:
    cdef int64_t old = t.peer.acked
    t.peer.acked = t.row.ack64
    if t.peer.state & MEASURING and distance(<uint32_t> t.row.ack64, t.peer.measure_end) >= 0:
        measure(j, t)
    if t.peer.trouble:
        leave_trouble(j, t, old)
    if is_done(t.peer) and is_done(t.sender):
        keep_last(&j.ranges, t.peer)
        keep_last(&j.ranges, t.sender)


cdef inline bint is_done(const sender_t* sender) noexcept nogil:
    """All it sent was acknowledged, its FIN too."""
    return sender.state & FINISHED and sender.acked >= sender.high


cdef inline void measure(judge_t* j, case_t* t) noexcept nogil:
    """Of a retransmission only if it is this one that is echoed (RFC 7323 section 4)."""
    cdef const segment_t* row = t.row
    cdef sender_t* data = t.peer
    cdef uint32_t stamp = trouble_at(j, data).measure_stamp if data.trouble else 0
    data.state &= ~<uint16_t> MEASURING
    if stamp == 0 or (row.present & HAS_TIMESTAMPS and distance(row.tsecr, stamp) >= 0):
        measure_leg(data, measured(data, row.time_ns))
    elif row.present & HAS_TIMESTAMPS and not row.flags & SYN:                # repeated SYN+ACKs echo the first SYN
        measure_original(j, t)
    if stamp:
        trouble_at(j, data).measure_stamp = 0


cdef inline void measure_original(judge_t* j, case_t* t) noexcept nogil:
    """Sent again, but what is echoed is older."""
    cdef const sent_t* first = range_at(&j.ranges, t.peer, t.row.ack64 - 1)
    if first != NULL and not first.state & GAP and first.state & STAMPED and first.stamp == t.row.tsecr:
        measure_leg(t.peer, <float> (t.row.time_ns - first.time))


cdef inline void leave_trouble(judge_t* j, case_t* t, int64_t old) noexcept nogil:
    cdef sender_t* data = t.peer
    cdef trouble_t* trouble = trouble_at(j, data)
    trouble.dup_acks = trouble.timeouts = 0
    data.state &= ~<uint16_t> PROBED
    if data.state & SACKING and trouble.sack_high <= data.acked:
        data.state &= ~<uint16_t> SACKING
    if data.mode != RECOVERY_NONE and data.acked >= trouble.recover:
        trouble.mode_end = min(trouble.mode_end, leave_after(t.sender, t.row.time_ns))
        count_recovery(trouble, data.mode, t.row.time_ns)
    if old < trouble.again_high:
        find_needless(j, t, old)


cdef inline void find_needless(judge_t* j, case_t* t, int64_t old) noexcept nogil:
    """Retransmissions that this acknowledgement cannot be the answer to, though it covers them."""
    cdef const list_t* again = &trouble_at(j, t.peer).again
    cdef again_t* packets = again_packets(&j.packets, again)
    cdef int i, start = max(<int> again.head, <int> again.tail - LOOK_BACK)
    for i in range(again.tail, start, -1):
        if old < sent_end(&packets[i - 1].sent) and packets[i - 1].sent.kind == KIND_RETRANSMISSION:
            test_needless(j, t, &packets[i - 1], old)


cdef inline void test_needless(judge_t* j, case_t* t, again_t* packet, int64_t old) noexcept nogil:
    cdef const segment_t* row = t.row
    cdef sender_t* data = t.peer
    cdef bint echoes = packet.sent.state & STAMPED and row.present & HAS_TIMESTAMPS
    cdef bint older = echoes and distance(row.tsecr, packet.sent.stamp) < 0
    if packet.sent.start <= old and older:                                     # RFC 3522
        show_needless(j, data, t.sender, packet, row.time_ns, EARLY_ECHO)
    if (data.samples >= ENOUGH and data.leg_min > SHORT_TRIP and sent_end(&packet.sent) <= row.ack64
            and older == echoes and row.time_ns - packet.sent.time < data.leg_min * 0.75):      # by a margin, too soon
        show_needless(j, data, t.sender, packet, row.time_ns, EARLY_ACK)


# -- SACK and D-SACK

cdef inline void read_sack(judge_t* j, case_t* t) noexcept nogil:
    """The blocks of an answer, or that it has none any more."""
    cdef const segment_t* row = t.row
    cdef sender_t* data = t.peer
    cdef trouble_t* trouble = trouble_of(j, data)
    cdef const uint32_t* edges = &row.sack_le0
    cdef uint32_t count = min(<uint32_t> row.sack_count, <uint32_t> 4), first = 0, i
    cdef int64_t high = 0
    if row.present & HAS_SACK_LE:
        data.state |= SACK_PERMITTED
        count = max(count, <uint32_t> 1)
        first = is_dsack(row)
    if row.ack64 == data.acked:
        count_duplicate(j, t, count - first, first)
    if data.state & FIRST_ALONE and row.sack_count > first:
        test_timeout(j, t, trouble, sack_edge(row, edges[2 * first + 1]))
    trouble.sack_count = <uint16_t> (count - first)
    trouble.sack_base = row.ack64
    for i in range(2 * (count - first)):
        trouble.sack_edges[i] = distance(edges[2 * first + i], row.ack_raw)
    if row.sack_count == 0 and count > first:   # cut off behind its left edge: one byte at least
        trouble.sack_edges[1] = <int32_t> (<uint32_t> trouble.sack_edges[0] + 1)
    for i in range(count - first):
        high = max(high, row.ack64 + trouble.sack_edges[2 * i + 1])
    if trouble.sack_count and (not data.state & SACKING or high > trouble.sack_high):
        if not data.state & SACKING or trouble.sack_high <= data.acked:
            trouble.loss_time = row.time_ns
        trouble.sack_high = high
        data.state |= SACKING
    if first and row.sack_count:
        match_dsack(j, t)


cdef inline void test_timeout(judge_t* j, case_t* t, trouble_t* trouble, int64_t right) noexcept nogil:
    """RFC 5682 section 3.1: news of what was sent once, before a timeout, and its sender gives that up as spurious.

    ``right``: the end of the latest block (RFC 2018 section 4).
    """
    cdef sender_t* data = t.peer
    cdef const again_t* packets = again_packets(&j.packets, &trouble.again)
    cdef int64_t now = t.row.time_ns
    cdef int i
    if data.mode != RECOVERY_TIMEOUT or right > trouble.recover or is_sacked(trouble, right - 1):
        return
    for i in range(trouble.again.head, trouble.again.tail):
        if packets[i].sent.start < right <= sent_end(&packets[i].sent):
            return
    trouble.mode_end = min(trouble.mode_end, now if is_near(data, t.sender) else leave_after(t.sender, now))


cdef inline bint is_sacked(const trouble_t* trouble, int64_t position) noexcept nogil:
    cdef int64_t offset = position - trouble.sack_base
    cdef uint32_t i
    for i in range(trouble.sack_count):
        if trouble.sack_edges[2 * i] <= offset < trouble.sack_edges[2 * i + 1]:
            return True
    return False


cdef inline bint is_dsack(const segment_t* row) noexcept nogil:
    """RFC 2883 section 4: the first block lies below the acknowledgement, or inside the second."""
    if row.sack_count == 0:
        return distance(row.sack_le0, row.ack_raw) < 0
    if distance(row.sack_re0, row.ack_raw) <= 0:
        return True
    return (row.sack_count > 1 and distance(row.sack_le0, row.sack_le1) >= 0
            and distance(row.sack_re1, row.sack_re0) >= 0)


cdef inline void match_dsack(judge_t* j, case_t* t) noexcept nogil:
    """The latest packet that the report can be about: sent again, early enough, and not yet reported.

    If it reports a part of the packet only, the rest was needed.
    """
    cdef const segment_t* row = t.row
    cdef sender_t* data = t.peer
    cdef const list_t* again = &trouble_of(j, data).again
    cdef int64_t left = sack_edge(row, row.sack_le0), right = sack_edge(row, row.sack_re0)
    cdef again_t* packet
    cdef int i
    for i in range(again.tail, again.head, -1):
        packet = again_packets(&j.packets, again) + i - 1
        if (left <= packet.sent.start and sent_end(&packet.sent) <= right and not packet.sent.state & REPORTED
                and (is_leg(data, row.time_ns - packet.sent.time) or data.leg_min < MS)):
            packet.sent.state |= REPORTED
            show_needless(j, data, t.sender, packet, row.time_ns, DSACK)
            return
