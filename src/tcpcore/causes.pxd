"""Why a sender sent again: what it knew by then, as far as the capture shows it."""
from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.corrections cimport call_needless
from tcpcore.flags cimport (
    ACKED_BEFORE, AFTER_SILENCE, AT_TAIL, CAUSE_FAST, CAUSE_FIN, CAUSE_PATH_MTU, CAUSE_SYN, CAUSE_TAIL_LOSS_PROBE,
    CAUSE_TIMEOUT, CAUSE_UNKNOWN, DUPLICATE_ACKS, FIN, HAS_TIMESTAMPS, IN_RECOVERY, KIND_RETRANSMISSION,
    NEAR_RECEIVER, NEAR_SENDER, SACK_GAP, SMALLER, SYN)
from tcpcore.history cimport again_packets, find_range, sent_ranges
from tcpcore.judging cimport case_t, count_recovery, judge_t, leave_after, trouble_at, trouble_of
from tcpcore.pathtime cimport (
    EARLIEST_TIMEOUT, MS, SURE_COUNTS, clock_tick, is_leg, is_near, nearly, shortest_trip, stamp_time)
from tcpcore.sender cimport (
    ANSWERED, CLOCKED, FIRST_ALONE, GAP, MEASURING, OVERDUE, PROBED, RECOVERY_FAST, RECOVERY_NONE, RECOVERY_SMALLER,
    RECOVERY_TIMEOUT, SACK_PERMITTED, SACKING, STAMPED, again_t, sender_t, sent_end, sent_t, trouble_t)
from tcpcore.seqnum cimport distance

cdef enum:
    DUP_THRESHOLD = 3              # RFC 5681 section 3.2
    SIZES_BACK = 64                # acknowledged ranges whose size shows what gets through
    DEFAULT_TRIP = 100 * MS        # while none is measured
    FINE_CLOCK = 10 * MS           # a time stamp clock with shorter steps measures pauses
    # Margins of timers.  RFCs say after what a timer runs out, not how late hosts and paths make it look: these numbers
    # rest on how right the verdicts are with them (docs/verdicts.md).
    SLACK = 5 * MS                 # beyond a round trip without news
    TAIL_SLACK = 2 * MS            # the same behind the last bytes sent: answers hardly speak for them
    BLIND_SLACK = 10 * MS          # beyond two round trips, where the capture cannot tell what news the sender had
    SURE_SLACK = 150 * MS          # beyond a round trip since these bytes were sent: a timer, whatever else was heard
    PROBE_SLACK = 50 * MS          # beyond two round trips and a delayed answer (200 ms), for a tail loss probe

# What is weighed.
ctypedef struct hints_t:
    int64_t trip                   # round trip, smoothed
    int64_t waited                 # since these bytes were last sent
    int64_t quiet                  # since this sender sent anything
    int64_t idle                   # since the latest answer reached the sender; -1: unknown
    bint asked                     # the receiver had shown the loss, long enough ago
    bint inside                    # of a recovery that goes on
    bint repeated                  # they were sent again before
    bint lost_again                # sent again after a timeout before, and still the receiver shows it missing
    bint overdue                   # the packet sent before was late itself


cdef inline void find_cause(judge_t* j, case_t* t, const sent_t* first) noexcept nogil:
    """Of a retransmission; ``first``: the range that held its bytes, perhaps a gap, or NULL."""
    cdef sender_t* sender = t.sender
    cdef sent_t* sent = &t.sent
    t.trouble = trouble_of(j, sender)
    if sender.state & MEASURING and is_measured(sender, sent):                # Karn, unless echoes tell
        t.trouble.measure_stamp = sent.stamp if sent.state & STAMPED else 0
        sender.measure_age = <float> (sender.latest - sent.time)
        sender.measure_end = <uint32_t> sent_end(sent)
        if t.trouble.measure_stamp == 0:
            sender.state &= ~<uint16_t> MEASURING
    t.out.trigger = t.out.cause = find_trigger(j, t, first)
    if acked_before(sender, t.trouble, sent):
        call_needless(t.out, ACKED_BEFORE)
    if sender.leg_min and t.peer.leg_min:
        t.out.evidence |= NEAR_SENDER * is_near(sender, t.peer) | NEAR_RECEIVER * is_near(t.peer, sender)


cdef inline bint is_measured(const sender_t* sender, const sent_t* sent) noexcept nogil:
    return distance(<uint32_t> sent.start, sender.measure_end) < 0


cdef inline bint acked_before(const sender_t* sender, const trouble_t* trouble, const sent_t* sent) noexcept nogil:
    """Does the capture hold an acknowledgement of all of it?"""
    cdef uint32_t i
    if sender.state & ANSWERED and sender.acked >= sent_end(sent):
        return True
    for i in range(trouble.sack_count):
        if (sent.start >= trouble.sack_base + trouble.sack_edges[2 * i]
                and sent_end(sent) <= trouble.sack_base + trouble.sack_edges[2 * i + 1]):
            return True
    return False


cdef inline uint8_t find_trigger(judge_t* j, case_t* t, const sent_t* first) noexcept nogil:
    cdef sender_t* sender = t.sender
    cdef const sent_t* sent = &t.sent
    cdef hints_t h
    cdef bint lone_fin = t.row.flags & FIN and t.row.payload_len == 0, timer, tail = sent_end(sent) == sender.high
    if t.row.flags & SYN:
        t.trouble.syns = <uint16_t> min(<int> t.trouble.syns + 1, 255)
        t.out.backoff = <uint8_t> t.trouble.syns
        return CAUSE_SYN
    collect_hints(j, t, first, &h)
    t.out.evidence |= AT_TAIL * tail
    if first != NULL and not first.state & GAP and is_smaller(j, t, first):
        t.out.evidence |= SMALLER
        return CAUSE_PATH_MTU
    timer = is_timer(&h, tail)
    t.out.evidence |= AFTER_SILENCE * timer
    if h.inside and sender.mode == RECOVERY_TIMEOUT and (timer or not h.lost_again):
        if timer and is_earliest(t):
            count_timeout(t)
            t.trouble.recover = sender.high
        else:
            sender.state &= ~<uint16_t> FIRST_ALONE
        return CAUSE_FIN if lone_fin else CAUSE_TIMEOUT
    if lone_fin:
        if timer:
            count_timeout(t)
        return CAUSE_FIN
    if not timer:
        return fast_cause(t, &h)
    if tail and (not h.asked or acked_before(sender, t.trouble, sent)) and probes_tail(t, &h):
        sender.state |= PROBED
        return CAUSE_TAIL_LOSS_PROBE
    if not may_time_out(t, &h):
        return fast_cause(t, &h)
    count_timeout(t)
    begin_recovery(t, RECOVERY_TIMEOUT)
    sender.state |= FIRST_ALONE
    return CAUSE_TIMEOUT


# -- what the sender had to go by

cdef inline void collect_hints(judge_t* j, case_t* t, const sent_t* first, hints_t* h) noexcept nogil:
    cdef sender_t* sender = t.sender
    cdef sender_t* peer = t.peer
    cdef const sent_t* last
    cdef bint dup_acks, gap, evident
    h.trip = <int64_t> (sender.leg + peer.leg)
    if h.trip == 0:
        h.trip = DEFAULT_TRIP
    h.overdue = first != NULL and first.state & OVERDUE
    last = last_sent(j, t, first, h)
    h.waited = h.quiet = pause(t, sender.state & CLOCKED, sender.stamp, sender.latest)
    if last != NULL:
        h.waited = pause(t, last.state & STAMPED, last.stamp, last.time)
    h.idle = since_answer(t)
    if sender.mode != RECOVERY_NONE and t.sent.time >= t.trouble.mode_end:
        sender.mode = RECOVERY_NONE
    # The news had reached the sender; close to it legs are how long hosts take to answer.
    evident = is_near(sender, peer) or is_leg(peer, t.sent.time - t.trouble.loss_time)
    gap = sender.state & SACKING and t.trouble.sack_high > t.sent.start and evident
    dup_acks = (not sender.state & SACKING and t.trouble.dup_acks >= DUP_THRESHOLD and sender.state & ANSWERED
                and sender.acked <= t.sent.start and evident)
    h.asked = gap or dup_acks
    h.inside = sender.mode != RECOVERY_NONE and t.sent.start < t.trouble.recover
    h.lost_again &= gap
    t.out.evidence |= SACK_GAP * gap | DUPLICATE_ACKS * dup_acks | IN_RECOVERY * h.inside


cdef inline int64_t pause(const case_t* t, bint stamped, uint32_t stamp, int64_t time) noexcept nogil:
    """Between the sending of two packets, by their sender's clock if it is fine enough: on the way they may wait."""
    cdef double tick = clock_tick(t.sender) if stamped and t.sent.state & STAMPED else 0.0
    if 0 < tick < FINE_CLOCK:
        return <int64_t> (distance(t.sent.stamp, stamp) * tick)
    return t.sent.time - time


cdef inline const sent_t* last_sent(judge_t* j, case_t* t, const sent_t* first, hints_t* h) noexcept nogil:
    """The packet that bore these bytes before, the last time; of bytes never captured, those before them; or NULL."""
    cdef const again_t* packet
    cdef const sent_t* ranges
    cdef bint outlived = False                 # a timeout since then gave up what was sent before it
    cdef int i
    h.repeated = h.lost_again = False
    for i in range(t.trouble.again.tail, t.trouble.again.head, -1):
        packet = again_packets(&j.packets, &t.trouble.again) + i - 1
        if packet.sent.start <= t.sent.start < sent_end(&packet.sent) and packet.sent.kind == KIND_RETRANSMISSION:
            h.overdue, h.repeated = False, True
            h.lost_again = packet.verdict.trigger == CAUSE_TIMEOUT and not outlived
            return &packet.sent
        outlived |= packet.verdict.backoff != 0
    if first != NULL and not first.state & GAP:
        return first
    if t.sender.sent.tail == t.sender.sent.head:
        return NULL
    ranges = sent_ranges(&j.ranges, t.sender)
    i = find_range(&j.ranges, t.sender, t.sent.start)
    while i > t.sender.sent.head:
        i -= 1
        if not ranges[i].state & GAP:
            return &ranges[i]
    return &ranges[t.sender.sent.head]


cdef inline int64_t since_answer(case_t* t) noexcept nogil:
    """How long the sender had heard nothing new, by the answer it echoes; -1 if the capture cannot tell."""
    cdef const sender_t* peer = t.peer
    cdef double tick
    cdef int32_t steps
    if t.row.present & HAS_TIMESTAMPS and t.row.tsecr and peer.state & CLOCKED:
        tick, steps = clock_tick(peer), distance(peer.stamp, t.row.tsecr)
        if tick > 0 or steps == 0:
            return max(<int64_t> 0, t.sent.time - <int64_t> peer.leg_min - stamp_time(peer)
                       + <int64_t> (steps * tick))
    if is_near(t.sender, peer) and peer.latest:
        return t.sent.time - peer.latest
    return -1


# -- what made it send

cdef inline bint is_timer(const hints_t* h, bint tail) noexcept nogil:
    """A timer runs out when nothing has happened for more than a round trip (RFC 6298, RFC 8985)."""
    cdef int64_t slack = TAIL_SLACK if tail and not h.asked else SLACK
    if h.idle < 0:
        if h.quiet > 2 * h.trip + BLIND_SLACK and h.waited > nearly(h.trip):
            return True
    elif h.idle > h.trip + slack and h.quiet > h.trip and h.waited > nearly(h.trip):
        return True
    return not h.asked and not h.inside and h.waited > h.trip + SURE_SLACK


cdef inline bint is_earliest(const case_t* t) noexcept nogil:
    """A timeout sends again what begins at the first byte not acknowledged (RFC 6298 section 5.4)."""
    return not t.sender.state & ANSWERED or t.sent.start <= t.sender.acked


cdef inline bint may_time_out(const case_t* t, const hints_t* h) noexcept nogil:
    """Not if it had no time to, nor if the sender certainly knew of the loss before (RFC 6675 section 4)."""
    cdef const trouble_t* trouble = t.trouble
    cdef int64_t arrived = 0
    cdef uint32_t i
    if not is_earliest(t) or h.waited < nearly(EARLIEST_TIMEOUT):
        return False
    if not h.asked or h.repeated or not is_near(t.sender, t.peer):
        return True
    for i in range(trouble.sack_count):
        arrived += <int64_t> trouble.sack_edges[2 * i + 1] - trouble.sack_edges[2 * i]
    return arrived <= 2 * <int64_t> t.sent.length


cdef inline uint8_t fast_cause(case_t* t, const hints_t* h) noexcept nogil:
    """Prompted by answers: the capture shows them, or that there was time for them."""
    if not (h.asked or t.sender.mode != RECOVERY_NONE or h.idle >= 0 or h.overdue
            or h.waited > nearly(shortest_trip(t.sender, t.peer))):
        return CAUSE_UNKNOWN
    if not h.inside or t.sender.mode == RECOVERY_TIMEOUT:
        begin_recovery(t, RECOVERY_FAST)
    return CAUSE_FAST


cdef inline bint probes_tail(const case_t* t, const hints_t* h) noexcept nogil:
    """RFC 8985 section 7: one probe, two round trips and a delayed answer after the flight; only with SACK."""
    if t.sender.state & (SACK_PERMITTED | PROBED) != SACK_PERMITTED or t.trouble.timeouts:
        return False
    return t.sent.start > t.sender.acked or h.waited <= 2 * h.trip + EARLIEST_TIMEOUT + PROBE_SLACK


cdef inline void count_timeout(case_t* t) noexcept nogil:
    t.trouble.timeouts = <uint16_t> min(<int> t.trouble.timeouts + 1, 255)
    t.out.backoff = <uint8_t> t.trouble.timeouts


cdef inline void begin_recovery(case_t* t, uint8_t mode) noexcept nogil:
    cdef sender_t* sender = t.sender
    count_recovery(t.trouble, sender.mode, t.sent.time)
    sender.mode, t.trouble.recover = mode, sender.high
    sender.state &= ~<uint16_t> FIRST_ALONE
    t.trouble.tally.recoveries += 1
    t.trouble.begun = t.sent.time
    t.trouble.mode_end = INT64_MAX
    if sender.state & ANSWERED and sender.acked >= sender.high:
        t.trouble.mode_end = leave_after(t.peer, t.sent.time)


cdef inline void extend_recovery(judge_t* j, case_t* t) noexcept nogil:
    """What is missing right above the highest number seen when a timer ran out had been sent before that.

    If it was needless, and answered by more than it bore, its sender gives it up (RFC 5682 section 2.1).
    """
    cdef trouble_t* trouble = trouble_at(j, t.sender)
    cdef bint awaited = t.sender.mode == RECOVERY_TIMEOUT and t.sent.time < trouble.mode_end
    cdef const again_t* last
    if not awaited or trouble.recover != t.sender.high or trouble.again.tail == trouble.again.head:
        return
    last = again_packets(&j.packets, &trouble.again) + trouble.again.tail - 1
    if last.verdict.trigger == CAUSE_TIMEOUT and (
            last.verdict.cause == CAUSE_TIMEOUT or sent_end(&last.sent) == t.sender.acked):
        trouble.recover, trouble.mode_end = t.sent.start, INT64_MAX


cdef inline void suspect_timeout(judge_t* j, case_t* t) noexcept nogil:
    """A gap was revealed: if it was sent before the segment below it, which looked new, a timer sent that one.

    Nothing above it had arrived by then that answers could have told of.
    """
    cdef sender_t* sender = t.sender
    cdef const sent_t* ranges = sent_ranges(&j.ranges, sender)
    cdef uint32_t gap = <uint32_t> sender.sent.tail - 1
    if gap == <uint32_t> sender.sent.head or ranges[gap - 1].state & GAP:
        return
    if sender.mode != RECOVERY_NONE and t.sent.time < trouble_of(j, sender).mode_end:
        return
    if sender.counts >= SURE_COUNTS and t.peer.mss and t.sent.counter:
        if not is_sent_before(&ranges[gap], &ranges[gap - 1], &t.sent, t.peer.mss):
            return
    elif gap == <uint32_t> sender.sent.head + 1 or not stood_alone(t, &ranges[gap - 1], ranges[gap - 2].time):
        return
    t.trouble = trouble_of(j, sender)
    begin_recovery(t, RECOVERY_TIMEOUT)


cdef inline bint is_sent_before(const sent_t* gap, const sent_t* below, const sent_t* above,
                                uint16_t mss) noexcept nogil:
    """Too few IP IDs lie between its neighbours for all its segments."""
    cdef uint32_t between = <uint16_t> (above.counter - below.counter - 1)
    return below.counter and <uint64_t> between * <uint64_t> mss < gap.length


cdef inline bint stood_alone(const case_t* t, const sent_t* below, int64_t before) noexcept nogil:
    """After a silence, and no more followed until it was answered."""
    cdef int64_t trip = shortest_trip(t.sender, t.peer)
    return (trip and t.sent.time - below.time >= nearly(trip)
            and below.time - before >= max(trip, <int64_t> EARLIEST_TIMEOUT))


cdef inline bint is_smaller(judge_t* j, case_t* t, const sent_t* first) noexcept nogil:
    """Full-sized segments that never got through come again in smaller pieces (RFC 1191, 4821, 8899)."""
    cdef sender_t* sender = t.sender
    cdef const sent_t* ranges
    cdef uint32_t i, acked, mss = t.peer.mss
    if sender.mode == RECOVERY_SMALLER and t.sent.start < t.trouble.recover and t.sent.length < first.length:
        return True
    if (t.sent.start != first.start or t.sent.length >= first.length or mss == 0 or first.length > mss
            or sent_end(&t.sent) == sender.high):
        return False
    ranges = sent_ranges(&j.ranges, sender)
    acked = find_range(&j.ranges, sender, sender.acked)
    for i in range(max(<uint32_t> sender.sent.head, acked - min(acked, <uint32_t> SIZES_BACK)), acked):
        if not ranges[i].state & GAP and sent_end(&ranges[i]) <= sender.acked and ranges[i].length >= first.length:
            return False
    sender.mode, t.trouble.recover, t.trouble.mode_end = RECOVERY_SMALLER, sender.high, INT64_MAX
    return True
