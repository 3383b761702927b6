"""Order and time on the path: which of two packets was sent first, and how long the way is.

A leg is the way from the capture point to a receiver and back to it: what the capture shows between a
segment and its acknowledgement.  The legs of both directions together are the round trip.
"""
from libc.stdint cimport int16_t, int32_t, int64_t, uint16_t, uint32_t

from tcpcore.flags cimport BY_ACK, BY_IP_ID, BY_TIMESTAMP
from tcpcore.sender cimport (
    ACKING, CLOCKED, OPENING, OVERDUE, STAMPED, SYN_AGAIN, SYN_ANSWER, sender_t, sent_end, sent_t)
from tcpcore.seqnum cimport distance

cdef enum:
    MS = 1_000_000
    COUNTER_STEP = 1024            # more between two packets of a sender, and its IP IDs do not count packets
    COUNTS_MAX = 8
    SURE_COUNTS = 2                # consecutive IP IDs before they may contradict the sequence numbers
    CLOCK_SPAN = 20 * MS           # a shorter time does not tell the rate of a time stamp clock
    UNKNOWN_TRIP = 4 * MS          # two packets closer than this are not a timeout apart, whatever the trip
    EARLIEST_TIMEOUT = 200 * MS    # no sender repeats after less without hearing from its peer
    NEAR = 8                       # a leg this much shorter than the other: the capture point is at its receiver


# -- round trips

cdef inline void pass_time(sender_t* sender, int64_t now) noexcept nogil:
    """``latest`` moves on, and with it what is counted back from there."""
    cdef float step = <float> (now - sender.latest)
    sender.stamp_age += step
    sender.measure_age += step
    sender.latest = now


cdef inline float measured(const sender_t* sender, int64_t now) noexcept nogil:
    """Since what is measured was sent."""
    return sender.measure_age + <float> (now - sender.latest)


cdef inline void measure_leg(sender_t* sender, float leg) noexcept nogil:
    if leg < 0:                                 # the capture's clock was set back
        return
    leg = max(leg, <float> 1)
    if sender.leg_min == 0 or leg < sender.leg_min:
        sender.leg_min = leg
    sender.samples += sender.samples < 255
    sender.leg = leg if sender.leg == 0 else sender.leg + (leg - sender.leg) / 8       # RFC 6298 2.3


cdef inline void bound_leg(sender_t* sender, float leg) noexcept nogil:
    """An answer that may have waited for its cause: an upper bound."""
    if leg < 0:
        return
    leg = max(leg, <float> 1)
    if sender.leg_min == 0 or leg < sender.leg_min:
        sender.leg_min = leg
        if sender.leg == 0:
            sender.leg = leg


cdef inline int64_t shortest_trip(const sender_t* a, const sender_t* b) noexcept nogil:
    """0: unknown."""
    return <int64_t> (a.leg_min + b.leg_min)


cdef inline int64_t nearly(int64_t span) noexcept nogil:
    """A tenth less: how long packets take to the capture point varies."""
    return span * 9 // 10


cdef inline bint is_leg(const sender_t* sender, int64_t apart) noexcept nogil:
    """Is that time enough for a packet to reach the receiver, and its answer the capture point?

    Somewhat less than the shortest leg measured, for that has in it what the receiver took to answer.
    """
    return apart >= sender.leg_min * 0.7


cdef inline bint is_near(const sender_t* sender, const sender_t* peer) noexcept nogil:
    """Is the capture point close to this sender?  Its answers to the peer then come at once."""
    return peer.leg_min and sender.leg_min and peer.leg_min * NEAR < sender.leg_min


# -- the sender's clock (RFC 7323) and counter (IP ID)

cdef inline int64_t stamp_time(const sender_t* sender) noexcept nogil:
    """When its latest time stamp was first seen."""
    return sender.latest - <int64_t> sender.stamp_age


cdef inline double clock_tick(const sender_t* sender) noexcept nogil:
    """Nanoseconds for each step of the time stamps; 0: unknown."""
    cdef int32_t steps = distance(sender.stamp, sender.first_stamp)
    cdef int64_t span = stamp_time(sender) - sender.first_stamp_time
    return <double> span / steps if steps > 0 and span > CLOCK_SPAN else 0.0


cdef inline void read_clock(sender_t* sender, uint32_t stamp) noexcept nogil:
    """The stamp of its latest segment."""
    if not sender.state & CLOCKED:
        sender.state |= CLOCKED
        sender.stamp = sender.first_stamp = stamp
        sender.first_stamp_time = sender.latest
        sender.stamp_age = 0
    elif distance(stamp, sender.stamp) > 0:
        sender.stamp, sender.stamp_age = stamp, 0


cdef inline void read_counter(sender_t* sender, uint16_t counter, bint fresh, bint moves) noexcept nogil:
    """``fresh``: at the head of the sequence space; ``moves``: such a segment comes in the order of sending."""
    cdef int16_t step = <int16_t> (counter - sender.counter)
    if sender.counter and fresh:
        if 0 < step <= COUNTER_STEP:
            sender.counts = min(<int> sender.counts + 1, <int> COUNTS_MAX)
        elif moves:
            sender.counts = max(<int> sender.counts - 3, <int> -COUNTS_MAX)
    if sender.counter == 0 or step > 0 or sender.counts < 0:
        sender.counter = counter


cdef inline bint is_counted(const sender_t* sender, int16_t step) noexcept nogil:
    """Do its IP IDs count?  RFC 6864 section 4.1 lets them be anything; untested, they do if they are close."""
    return sender.counts > 0 or (sender.counts == 0 and -COUNTER_STEP <= step <= COUNTER_STEP)


cdef inline int sent_after(const sender_t* sender, const sent_t* a, const sent_t* b, uint32_t* by) noexcept nogil:
    """1: ``a`` was sent after ``b``, -1: before, 0: these cannot tell.  Sets the bit of what told."""
    if a.state & b.state & STAMPED and a.stamp != b.stamp:
        by[0] |= BY_TIMESTAMP
        return 1 if distance(a.stamp, b.stamp) > 0 else -1
    if a.state & b.state & ACKING and a.stamp != b.stamp:
        by[0] |= BY_ACK
        return 1 if distance(a.stamp, b.stamp) > 0 else -1
    if a.counter and b.counter and a.counter != b.counter and is_counted(sender, <int16_t> (a.counter - b.counter)):
        by[0] |= BY_IP_ID
        return 1 if <int16_t> (a.counter - b.counter) > 0 else -1
    return 0


# -- copies

cdef inline bint looks_same(const sent_t* a, const sent_t* b) noexcept nogil:
    return (a.start == b.start and a.length == b.length and a.checksum == b.checksum
            and not (a.state ^ b.state) & (STAMPED | SYN_ANSWER) and a.stamp == b.stamp)


cdef inline bint too_close(const sender_t* sender, const sender_t* peer, const sent_t* first,
                           int64_t apart) noexcept nogil:
    """Nothing is sent again before an answer could have come back, one round trip after it was sent."""
    cdef int64_t trip = shortest_trip(sender, peer)
    if is_near(sender, peer):                   # hardly a path on which a copy could be made
        trip = <int64_t> peer.leg_min
    elif sender.leg_min == 0 or peer.leg_min == 0:
        trip = max(trip, <int64_t> UNKNOWN_TRIP)
    if first.state & OVERDUE:                   # came late itself: what was sent again may follow closely
        return apart < trip // 4
    return apart < trip * 3 // 4


cdef inline bint is_copy(const sender_t* sender, const sender_t* peer, const sent_t* sent,
                         const sent_t* first) noexcept nogil:
    """Is ``sent`` the path's copy of the packet ``first``?"""
    cdef double tick
    cdef int64_t apart = sent.time - first.time
    if not looks_same(sent, first):
        return False
    if sent.counter and first.counter and sender.counts >= 0:
        return sent.counter == first.counter
    if sent.state & STAMPED and (sent.hops < first.hops if apart >= 0 else sent.hops > first.hops):
        return True                             # seen again behind a router
    if sent.state & SYN_ANSWER and peer.state & SYN_AGAIN:      # each SYN has its answer
        return False
    if too_close(sender, peer, first, apart) or (sent.state & OPENING and apart < EARLIEST_TIMEOUT):
        return True                             # a SYN is repeated by timer only
    if not sent.state & STAMPED:
        return False
    tick = clock_tick(sender)                   # by then the sender's clock had moved on
    return tick > 0 and apart > 2 * tick + MS or distance(sender.stamp, sent.stamp) > 2


cdef inline bint is_part(const sender_t* sender, const sender_t* peer, const sent_t* sent,
                         const sent_t* first) noexcept nogil:
    """Is it the path's copy of one of the packets that receive offload had joined into ``first``?"""
    cdef int64_t offset = sent.start - first.start
    if peer.mss == 0 or first.length <= peer.mss or sent_end(sent) > sent_end(first):
        return False
    if (sent.state ^ first.state) & STAMPED or sent.stamp != first.stamp:      # joined are only equal stamps
        return False
    if sent.counter and first.counter and sender.counts > 0:
        return offset % sent.length == 0 and offset // sent.length == <uint16_t> (sent.counter - first.counter)
    return too_close(sender, peer, first, sent.time - first.time)
