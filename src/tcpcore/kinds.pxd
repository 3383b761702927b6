"""What a segment was: new, overtaken on the way, sent again, a copy, or a probe (docs/verdicts.md)."""
from libc.stdint cimport int64_t, uint16_t, uint32_t

from tcpcore.causes cimport extend_recovery, find_cause, suspect_timeout
from tcpcore.corrections cimport CERTAIN, LIKELY, remember
from tcpcore.flags cimport (
    ACK, BY_SEQUENCE, BY_TIME, FIN, HAS_MSS, HAS_SACK_PERMITTED, HAS_TIMESTAMPS, HOP_DIFFERS,
    KIND_NETWORK_DUPLICATE, KIND_NEW, KIND_PROBE, KIND_REORDERED, KIND_RETRANSMISSION, LOSS_AFTER, LOSS_BEFORE,
    OVERTAKEN, SAME_PACKET, SYN)
from tcpcore.gaps cimport fill_gap, is_original, take_place
from tcpcore.history cimport again_packets, append_range, make_room, next_range, range_at
from tcpcore.judging cimport case_t, judge_t, trouble_at, trouble_of
from tcpcore.pathtime cimport SURE_COUNTS, is_copy, is_part, sent_after
from tcpcore.probes cimport is_probe
from tcpcore.records cimport segment_t
from tcpcore.sender cimport (
    ACKING, ANSWERED, CLOCKED, ECHOING, FINISHED, GAP, MEASURING, OPENING, OVERDUE, PART, SACK_PERMITTED, STAMPED,
    STARTED, SYN_AGAIN, SYN_ANSWER, UNPLACED, again_t, list_t, sender_t, sent_end, sent_t)
from tcpcore.seqnum cimport distance

# -- the next bytes

cdef inline uint16_t ip_counter(const segment_t* row) noexcept nogil:
    return row.ip_id if row.ip_version == 4 else 0


cdef inline void describe(sent_t* sent, const case_t* t) noexcept nogil:
    cdef const segment_t* row = t.row
    sent.start, sent.time, sent.frame = row.seq64, row.time_ns, row.frame
    sent.length = <uint32_t> t.takes
    sent.counter = ip_counter(row)
    sent.checksum = row.checksum
    sent.hops = row.ttl
    sent.kind = sent.displaced = 0
    if row.present & HAS_TIMESTAMPS:
        sent.state, sent.stamp = STAMPED, row.tsval
    elif row.flags & ACK:
        sent.state, sent.stamp = ACKING, row.ack_raw
    else:
        sent.state = sent.stamp = 0
    if row.flags & (SYN | ACK) == (SYN | ACK):
        sent.state |= SYN_ANSWER
    elif row.flags & SYN:
        sent.state |= OPENING


cdef inline bint overtaken(const case_t* t) noexcept nogil:
    """Did a segment that its sender sent later come before it?"""
    cdef const sender_t* sender = t.sender
    cdef uint16_t counter = ip_counter(t.row)
    if t.row.present & HAS_TIMESTAMPS and sender.state & CLOCKED and t.row.tsval != sender.stamp:
        return distance(t.row.tsval, sender.stamp) < 0
    return counter and sender.counter and sender.counts >= SURE_COUNTS \
        and -0x8000 < <short> (counter - sender.counter) < 0


cdef inline void take_next(judge_t* j, case_t* t) noexcept nogil:
    """First transmission at the head of the sequence space, described where it is kept: most segments are."""
    cdef sent_t* place = next_range(&j.ranges, t.sender)
    if place != NULL:
        describe(place, t)
        place.kind = KIND_NEW
    call_new(t)
    advance_head(t.sender, t.row.seq64 + t.takes, t.row.time_ns)


cdef inline void take_new(judge_t* j, case_t* t) noexcept nogil:
    """First transmission beyond the head: nothing overtook it."""
    t.sent.kind = KIND_NEW
    call_new(t)
    push(j, t)


cdef inline void call_new(case_t* t) noexcept nogil:
    t.out.kind = KIND_NEW
    t.out.evidence |= BY_SEQUENCE
    t.out.confidence = CERTAIN


cdef inline void push(judge_t* j, case_t* t) noexcept nogil:
    append_range(&j.ranges, t.sender, &t.sent)
    advance_head(t.sender, sent_end(&t.sent), t.sent.time)


cdef inline void advance_head(sender_t* sender, int64_t high, int64_t time) noexcept nogil:
    """What the sender sent last ends at its highest number now, and may be measured."""
    sender.high = high
    if not sender.state & MEASURING:
        sender.state = sender.state & ~<uint16_t> ECHOING | MEASURING
        sender.measure_end = <uint32_t> sender.high
        sender.measure_age = <float> (sender.latest - time)


# -- all that is not simply next

cdef inline void open_direction(case_t* t) noexcept nogil:
    """The first segment of a direction."""
    t.sender.state |= STARTED
    t.sender.latest = t.row.time_ns
    t.sender.high = t.before = t.row.seq64
    if not t.sender.state & ANSWERED:
        t.sender.acked = t.sender.high


cdef inline void judge(judge_t* j, case_t* t) noexcept nogil:
    cdef const segment_t* row = t.row
    cdef sent_t* held
    if row.flags & SYN:
        t.sender.state |= SACK_PERMITTED * ((row.present & HAS_SACK_PERMITTED) != 0)
        t.sender.mss = row.mss if row.present & HAS_MSS else 536                # RFC 9293 section 3.7.1
    if row.flags & FIN:
        t.sender.state |= FINISHED
    if row.payload_len <= 1 and is_probe(j, t):
        judge_probe(j, t)
        return
    if t.takes == 0:
        reveal(j, t)
        return
    if t.sent.start >= t.sender.high:
        judge_head(j, t)
        return
    make_room(&j.ranges, t.sender, 3)
    held = range_at(&j.ranges, t.sender, t.sent.start)
    if is_old_copy(j, t):
        remember(j, t, KIND_NETWORK_DUPLICATE)
    elif held == NULL or held.state & GAP:
        fill_gap(j, t, held)
    else:
        judge_seen(j, t, held)
    if row.flags & SYN:
        t.sender.state |= SYN_AGAIN
    if sent_end(&t.sent) > t.sender.high:
        extend(j, t)


cdef inline void judge_probe(judge_t* j, case_t* t) noexcept nogil:
    """Sent by a timer (RFC 9293 sections 3.8.4 and 3.8.6.1), or the path's copy of the latest that was."""
    cdef sent_t* latest = &trouble_of(j, t.sender).probe
    if latest.frame and is_copy(t.sender, t.peer, &t.sent, latest):
        show_copied(t, latest)
        t.out.kind = KIND_NETWORK_DUPLICATE
        return
    if t.takes == 0 and t.row.flags & ACK and t.row.ack64 < t.peer.acked:      # an acknowledgement that comes late
        t.out.evidence = 0
        return
    latest[0] = t.sent
    t.out.kind = KIND_PROBE
    t.out.confidence = LIKELY


cdef inline void judge_head(judge_t* j, case_t* t) noexcept nogil:
    """Beyond all that was seen: new, unless the sender's clock or counter says that others were sent later."""
    cdef bint late = t.sender.sent.tail > t.sender.sent.head and overtaken(t)
    reveal(j, t)
    if late:
        t.out.kind = t.sent.kind = KIND_REORDERED
        t.out.evidence |= OVERTAKEN
        t.out.confidence = LIKELY
        t.sent.state |= OVERDUE
        push(j, t)
    else:
        take_new(j, t)


cdef inline void reveal(judge_t* j, case_t* t) noexcept nogil:
    """All below any segment's number was sent before it; what the capture lacks of that is a gap."""
    cdef sender_t* sender = t.sender
    cdef sent_t gap = t.sent
    if t.sent.start <= sender.high or sender.sent.tail == sender.sent.head:
        return
    gap.start, gap.length, gap.frame = sender.high, <uint32_t> (t.sent.start - sender.high), 0
    gap.state |= GAP
    if append_range(&j.ranges, sender, &gap):
        if sender.trouble:
            extend_recovery(j, t)
        sender.high = t.sent.start
        suspect_timeout(j, t)


cdef inline void extend(judge_t* j, case_t* t) noexcept nogil:
    """Sent again together with new bytes."""
    cdef sent_t rest = t.sent
    rest.start = t.sender.high
    rest.length = <uint32_t> (sent_end(&t.sent) - t.sender.high)
    rest.state |= PART
    rest.displaced = UNPLACED
    append_range(&j.ranges, t.sender, &rest)
    t.sender.high = sent_end(&t.sent)


# -- bytes that were sent before, or overtaken

cdef inline bint is_old_copy(judge_t* j, case_t* t) noexcept nogil:
    """A copy of a packet that was not the first with its bytes."""
    cdef const list_t* again
    cdef const again_t* packets
    cdef int i
    if t.sender.trouble == 0:
        return False
    again = &trouble_at(j, t.sender).again
    packets = again_packets(&j.packets, again)
    for i in range(again.tail, again.head, -1):
        if is_copy(t.sender, t.peer, &t.sent, &packets[i - 1].sent):
            show_original(t, &packets[i - 1].sent)
            return True
    return False


cdef inline void show_original(case_t* t, const sent_t* first) noexcept nogil:
    t.out.repeats = first.frame
    t.out.repeats_after = t.sent.time - first.time
    t.out.evidence |= HOP_DIFFERS * (t.sent.hops != first.hops)
    if t.sent.counter and t.sent.counter == first.counter:
        t.out.evidence |= SAME_PACKET


cdef inline void show_copied(case_t* t, const sent_t* first) noexcept nogil:
    show_original(t, first)
    t.out.evidence |= BY_TIME * (not t.out.evidence & SAME_PACKET)


cdef inline void judge_seen(judge_t* j, case_t* t, sent_t* first) noexcept nogil:
    """The capture has its bytes: a copy, an original that comes after its retransmission, or sent again."""
    cdef int order
    if is_copy(t.sender, t.peer, &t.sent, first) or is_part(t.sender, t.peer, &t.sent, first):
        show_copied(t, first)
        remember(j, t, KIND_NETWORK_DUPLICATE)
        return
    order = sent_after(t.sender, &t.sent, first, &t.out.evidence)
    if order < 0:
        t.out.evidence |= OVERTAKEN
    if order < 0 and is_original(j, t):
        trouble_of(j, t.sender).tally.too_late += 1                            # but for the place of what it exposes
        t.sent.kind, t.sent.displaced = KIND_REORDERED, UNPLACED
        take_place(j, t)
        remember(j, t, KIND_REORDERED)
        return
    if order >= 0:
        show_original(t, first)
        t.out.evidence &= ~<uint32_t> SAME_PACKET
    t.out.loss_side = LOSS_AFTER if order >= 0 else LOSS_BEFORE
    find_cause(j, t, first)
    remember(j, t, KIND_RETRANSMISSION)
