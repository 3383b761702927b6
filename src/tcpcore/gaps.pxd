"""Segments that come late: into bytes the capture had not seen, or saw first in a packet sent later."""
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memset

from tcpcore.causes cimport find_cause
from tcpcore.corrections cimport CERTAIN, PROBABLE, correct, remember, show_needless
from tcpcore.flags cimport (
    BY_TIME, CAUSE_UNKNOWN, FILLS_GAP, KIND_NETWORK_DUPLICATE, KIND_NEW, KIND_REORDERED, KIND_RETRANSMISSION,
    KIND_UNDETERMINED, LOSS_BEFORE, ORIGINAL_LATE, OVERTAKEN)
from tcpcore.history cimport (
    add_again, again_packets, find_again, find_range, insert_range, range_at, range_capacity, replace_ranges,
    sent_ranges)
from tcpcore.judging cimport case_t, judge_t, trouble_of
from tcpcore.pathtime cimport EARLIEST_TIMEOUT, UNKNOWN_TRIP, clock_tick, nearly, sent_after, shortest_trip
from tcpcore.records cimport verdict_t
from tcpcore.sender cimport (
    ACKING, ANSWERED, FORGETFUL, GAP, OVERDUE, PART, STAMPED, UNPLACED, again_t, list_t, sender_t, sent_end, sent_t)
from tcpcore.seqnum cimport distance
from tcpcore.tally cimport count_delay, count_exposed

cdef enum:
    LOOK_UP = 64                   # ranges that a late segment is compared with: where it belongs, and above


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
    elif order < 0 and not is_original(j, t):
        order = 1
    if order < 0:
        t.out.kind = t.sent.kind = KIND_REORDERED
        t.out.evidence |= OVERTAKEN
        t.sent.state |= OVERDUE
        count_delay(j, t, bound)
    elif order == 0:
        remember(j, t, KIND_UNDETERMINED)
    else:
        t.out.loss_side = LOSS_BEFORE
        find_cause(j, t, gap)
        remember(j, t, KIND_RETRANSMISSION)
    if gap != NULL:
        take_place(j, t)
    elif <uint32_t> sender.sent.tail + 2 <= range_capacity(sender):
        place_first(j, t)


cdef inline bint is_original(judge_t* j, const case_t* t) noexcept nogil:
    """May it be a first transmission?  These are sent in the order of their numbers, so before the next one above."""
    cdef const sent_t* ranges = sent_ranges(&j.ranges, t.sender)
    cdef uint32_t i = find_range(&j.ranges, t.sender, sent_end(&t.sent) - 1), by = 0
    for i in range(i, min(<uint32_t> t.sender.sent.tail, i + LOOK_UP)):
        if ranges[i].state & GAP or ranges[i].kind in (KIND_NEW, KIND_REORDERED):
            return sent_after(t.sender, &t.sent, &ranges[i], &by) <= 0
    return True


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
    if t.sent.state & bound.state & (STAMPED | ACKING) and has_moved_on(t):
        return -1
    if trip:
        return -1 if apart < nearly(trip) else 1
    if apart < UNKNOWN_TRIP:
        return -1
    return 1 if apart >= EARLIEST_TIMEOUT else 0


cdef inline bint has_moved_on(const case_t* t) noexcept nogil:
    """Its sender's clock, or what it acknowledged: a segment that was sent later came before it."""
    if t.sent.state & STAMPED:
        return distance(t.sender.stamp, t.sent.stamp) > 0
    return t.row.ack64 < t.peer.acked


cdef inline void judge_forgotten(judge_t* j, case_t* t, int order) noexcept nogil:
    """Bytes from before what is remembered: not sent again while its sender was further on, unless it says so."""
    cdef uint8_t kind = KIND_RETRANSMISSION if order >= 0 else kind_among_repeated(j, t)
    if kind == KIND_RETRANSMISSION:
        find_cause(j, t, NULL)
    elif kind == KIND_REORDERED:
        t.out.evidence |= OVERTAKEN
    remember(j, t, kind)
    if kind == KIND_NETWORK_DUPLICATE:          # what it would be a copy of is not on record
        t.out.confidence = PROBABLE


cdef inline uint8_t kind_among_repeated(judge_t* j, case_t* t) noexcept nogil:
    """By the packets sent again that had its bytes: sent after one of them, or the original that one of them lacked."""
    cdef const list_t* again = &trouble_of(j, t.sender).again
    cdef again_t* packet
    cdef sent_t* needless = NULL
    cdef uint32_t by = 0
    cdef int i, order
    for i in range(again.tail, again.head, -1):
        packet = again_packets(&j.packets, again) + i - 1
        if packet.sent.start >= sent_end(&t.sent) or sent_end(&packet.sent) <= t.sent.start:
            continue
        order = sent_after(t.sender, &t.sent, &packet.sent, &by)
        if order > 0:
            return KIND_RETRANSMISSION
        if order < 0 and packet.sent.kind == KIND_RETRANSMISSION and packet.verdict.repeats == 0:
            needless = &packet.sent
    if needless == NULL:
        return KIND_NETWORK_DUPLICATE
    trouble_of(j, t.sender).tally.too_late += 1
    expose(j, t, needless)
    return KIND_REORDERED


cdef inline void expose(judge_t* j, case_t* t, sent_t* first) noexcept nogil:
    """``first`` had come first, but was sent second, and needlessly if the original has all of it."""
    cdef list_t* again = &trouble_of(j, t.sender).again
    cdef again_t* packet = find_again(&j.packets, again, first.frame)
    if packet == NULL:
        packet = add_again(&j.packets, again) if t.sender.trouble else NULL
        if packet == NULL:
            return
        packet.sent = first[0]
        memset(&packet.verdict, 0, sizeof(verdict_t))
    if packet.sent.kind != KIND_RETRANSMISSION:
        count_exposed(&trouble_of(j, t.sender).tally, &t.sent, first)
        packet.sent.kind = first.kind = KIND_RETRANSMISSION
        packet.verdict.kind, packet.verdict.confidence = KIND_RETRANSMISSION, CERTAIN
        packet.verdict.trigger = packet.verdict.cause = CAUSE_UNKNOWN
    packet.verdict.repeats = t.sent.frame
    packet.verdict.repeats_after = packet.sent.time - t.sent.time
    if t.sent.start <= packet.sent.start and sent_end(&packet.sent) <= sent_end(&t.sent):
        show_needless(j, t.sender, t.peer, packet, t.sent.time, ORIGINAL_LATE)
    else:
        packet.verdict.evidence |= ORIGINAL_LATE
        correct(j, packet.sent.frame, &packet.verdict)


cdef inline void take_place(judge_t* j, case_t* t) noexcept nogil:
    """Put the segment where its bytes were not captured, or only in packets sent after it: these were sent again."""
    cdef int64_t begin = t.sent.start, at = begin, end
    cdef sent_t* held
    cdef int _i
    for _i in range(LOOK_UP):
        held = range_at(&j.ranges, t.sender, at) if at < sent_end(&t.sent) else NULL
        if held == NULL:
            break
        end = min(sent_end(held), sent_end(&t.sent))
        if not is_taken(j, t, held):
            put(j, t, begin, at)
            begin = end
        at = end
    put(j, t, begin, at)


cdef inline bint is_taken(judge_t* j, case_t* t, sent_t* held) noexcept nogil:
    """Does it take the place of this range?"""
    cdef uint32_t by = 0
    if held.state & GAP:
        return True
    if t.sent.kind != KIND_REORDERED or sent_after(t.sender, &t.sent, held, &by) >= 0:
        return False
    expose(j, t, held)
    return True


cdef inline void put(judge_t* j, case_t* t, int64_t start, int64_t end) noexcept nogil:
    """One range from ``start`` to ``end``, in others without holes between; what is left of these stays as it is."""
    cdef sender_t* sender = t.sender
    cdef sent_t* ranges = sent_ranges(&j.ranges, sender)
    cdef uint32_t first, last
    cdef sent_t rest
    if start == end or <uint32_t> sender.sent.tail + 2 > range_capacity(sender):
        return
    first, last = find_range(&j.ranges, sender, start) - 1, find_range(&j.ranges, sender, end - 1)
    rest = ranges[last - 1]
    if ranges[first].start < start:
        ranges[first].length = <uint32_t> (start - ranges[first].start)
        first += 1
    replace_ranges(&j.ranges, sender, first, last, &t.sent)
    ranges[first].start, ranges[first].length = start, <uint32_t> (end - start)
    if end < sent_end(&rest):
        rest.length = <uint32_t> (sent_end(&rest) - end)
        rest.start = end
        insert_range(&j.ranges, sender, first + 1, &rest)
    t.sent.state |= PART                        # what comes further up
    t.sent.displaced = UNPLACED


cdef inline void place_first(judge_t* j, case_t* t) noexcept nogil:
    """Below all that was seen: the bytes up to there are a gap."""
    cdef sender_t* sender = t.sender
    cdef uint32_t i = find_range(&j.ranges, sender, t.sent.start)
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
