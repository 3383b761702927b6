"""Bytes the capture had not seen: an original that was overtaken, or sent again after it was lost before."""
from libc.stdint cimport int64_t, uint32_t

from tcpcore.causes cimport find_cause
from tcpcore.corrections cimport remember, show_needless
from tcpcore.flags cimport (
    BY_TIME, FILLS_GAP, KIND_NETWORK_DUPLICATE, KIND_REORDERED, KIND_RETRANSMISSION, KIND_UNDETERMINED, LOSS_BEFORE,
    ORIGINAL_LATE, OVERTAKEN)
from tcpcore.history cimport again_packets, find_range, insert_range, range_capacity, sent_ranges
from tcpcore.judging cimport case_t, judge_t, trouble_of
from tcpcore.pathtime cimport EARLIEST_TIMEOUT, UNKNOWN_TRIP, clock_tick, nearly, sent_after, shortest_trip
from tcpcore.sender cimport (
    AGAIN, ANSWERED, FORGETFUL, GAP, OVERDUE, STAMPED, again_t, list_t, sender_t, sent_end, sent_t)
from tcpcore.tally cimport count_delay


cdef inline void fill_gap(judge_t* j, case_t* t, sent_t* gap) noexcept nogil:
    """An original that was overtaken, or sent again after it was lost before the capture point."""
    cdef sender_t* sender = t.sender
    cdef sent_t* bound = gap
    cdef int order
    if bound == NULL and sender.sent.tail > sender.sent.head:
        bound = &sent_ranges(&j.ranges, sender)[sender.sent.head]
    if bound == NULL:
        remember(j, t, KIND_UNDETERMINED)
        return
    order = sent_after(sender, &t.sent, bound, &t.out.evidence)
    if gap == NULL and sender.state & FORGETFUL:
        judge_forgotten(j, t, order)
        return
    t.out.evidence |= FILLS_GAP
    if order == 0:
        t.out.evidence |= BY_TIME
        order = order_by_time(t, bound)
    if order < 0:
        t.out.kind = t.sent.kind = KIND_REORDERED
        t.out.evidence |= OVERTAKEN
        t.sent.state |= OVERDUE
        count_delay(j, t, bound)
    elif order == 0:
        remember(j, t, KIND_UNDETERMINED)
    else:
        t.sent.state |= AGAIN
        t.out.loss_side = LOSS_BEFORE
        find_cause(j, t, gap)
        remember(j, t, KIND_RETRANSMISSION)
    place(j, t, gap)


cdef inline int order_by_time(case_t* t, const sent_t* bound) noexcept nogil:
    """Neither clock nor counter tell: what is sent again comes at least a round trip after what was overtaken."""
    cdef sender_t* sender = t.sender
    cdef int64_t trip = shortest_trip(sender, t.peer), apart = t.sent.time - bound.time
    cdef double tick = clock_tick(sender)
    if sender.state & ANSWERED and sender.acked >= sent_end(&t.sent):
        return 1
    if trip and not (sender.leg_min and t.peer.leg_min):                       # the other leg may be long
        trip = max(trip, <int64_t> UNKNOWN_TRIP)
    if t.sent.state & bound.state & STAMPED and 0 < tick < trip:               # within one tick of each other
        return -1
    if trip:
        return -1 if apart < nearly(trip) else 1
    if apart < UNKNOWN_TRIP:
        return -1
    return 1 if apart >= EARLIEST_TIMEOUT else 0


cdef inline void judge_forgotten(judge_t* j, case_t* t, int order) noexcept nogil:
    """Bytes from before what is remembered: not sent again while its sender was further on, unless it says so."""
    if order < 0 and was_late(j, t):
        t.out.evidence |= OVERTAKEN
        remember(j, t, KIND_REORDERED)
    elif order < 0:
        remember(j, t, KIND_NETWORK_DUPLICATE)
    else:
        find_cause(j, t, NULL)
        remember(j, t, KIND_RETRANSMISSION)


cdef inline bint was_late(judge_t* j, case_t* t) noexcept nogil:
    """Is it the original of a packet sent again, whose bytes the capture had not seen before that?"""
    cdef const list_t* again = &trouble_of(j, t.sender).again
    cdef again_t* packet
    cdef uint32_t by = 0
    cdef int i
    for i in range(again.tail, again.head, -1):
        packet = again_packets(&j.packets, again) + i - 1
        if (packet.sent.kind == KIND_RETRANSMISSION and packet.sent.start == t.sent.start
                and packet.sent.length == t.sent.length and packet.verdict.repeats == 0
                and sent_after(t.sender, &packet.sent, &t.sent, &by) > 0):
            packet.verdict.repeats = t.sent.frame
            packet.verdict.repeats_after = packet.sent.time - t.sent.time
            trouble_of(j, t.sender).tally.too_late += 1
            show_needless(j, t.sender, t.peer, packet, t.sent.time, ORIGINAL_LATE)
            return True
    return False


cdef inline void place(judge_t* j, case_t* t, sent_t* gap) noexcept nogil:
    """Put the segment where its bytes belong; what is left of the gap stays one."""
    cdef sender_t* sender = t.sender
    cdef uint32_t i = find_range(&j.ranges, sender, t.sent.start)
    cdef sent_t rest, fill = t.sent
    if <uint32_t> sender.sent.tail + 2 > range_capacity(sender):
        return
    if gap == NULL:
        place_first(j, t, i)
        return
    rest = gap[0]
    fill.length = <uint32_t> (min(sent_end(&fill), sent_end(gap)) - fill.start)
    gap.length = <uint32_t> (fill.start - gap.start)
    if gap.length == 0:
        gap[0] = fill
    else:
        insert_range(&j.ranges, sender, i, &fill)
        i += 1
    if sent_end(&fill) < sent_end(&rest):
        rest.length = <uint32_t> (sent_end(&rest) - sent_end(&fill))
        rest.start = sent_end(&fill)
        insert_range(&j.ranges, sender, i, &rest)


cdef inline void place_first(judge_t* j, case_t* t, uint32_t i) noexcept nogil:
    """Below all that was seen: the bytes up to there are a gap."""
    cdef sender_t* sender = t.sender
    cdef sent_t rest = sent_ranges(&j.ranges, sender)[i], fill = t.sent
    cdef int64_t end = rest.start
    fill.length = <uint32_t> (min(sent_end(&fill), end) - fill.start)
    insert_range(&j.ranges, sender, i, &fill)
    if not sender.state & ANSWERED:
        sender.acked = min(sender.acked, fill.start)
    if sent_end(&fill) < end:
        rest.start, rest.length, rest.frame = sent_end(&fill), <uint32_t> (end - sent_end(&fill)), 0
        rest.state |= GAP
        insert_range(&j.ranges, sender, i + 1, &rest)
