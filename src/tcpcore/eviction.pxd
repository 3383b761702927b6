"""Which streams give up their slots when there is no room for new ones, and taking them out of the table.

A hand goes round the slots, a few at a time, and takes what is over or has been silent for long.  How long is
settled at the beginning of each round, from the ages of all streams, so that the round finds a quarter of them:
each stream that goes costs a look at some eight slots, whatever the capture does.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from tcpcore.batch cimport released_t
from tcpcore.flags cimport EVICTED_IDLE, EVICTED_NOT, EVICTED_PRESSURE
from tcpcore.flowkey cimport hash_key
from tcpcore.flows cimport FIN0_SEEN, FIN1_SEEN, IRREGULAR, LIVE, REACHABLE, RESET_SEEN, flow_t, odd_t, table_t
from tcpcore.prefetch cimport prefetch_write
from tcpcore.quantile cimport bucket_of, low_of

cdef enum:
    AGES = 1024                    # buckets of ages
    OVER = AGES - 1                # the bucket of streams that are over
    SHARE = 4                      # a round is to find one of so many
    PLACE_AHEAD = 16               # streams ahead to fetch the place that leads to one

cdef extern from *:
    """
    /* ns: retransmissions of the last segments come later, but hardly later than this. */
    #define TCPCORE_LINGER 5000000000LL
    #define TCPCORE_NEVER INT64_MAX
    """
    const int64_t LINGER "TCPCORE_LINGER"
    const int64_t NEVER "TCPCORE_NEVER"          # no age is as high


cdef inline int64_t age_of(const table_t* t, const flow_t* flow) noexcept nogil:
    """How long it had been silent when the round began; hostile times may be any."""
    cdef int64_t age = <int64_t> (<uint64_t> t.round_ns - <uint64_t> flow.previous_ns)
    return age if age > 0 else 0


cdef inline bint is_over(const table_t* t, const flow_t* flow) noexcept nogil:
    """No segment can reach it, or it was closed or reset and nothing has come for a while."""
    cdef uint8_t closed = flow.state & (FIN0_SEEN | FIN1_SEEN)
    if not flow.state & REACHABLE:
        return True
    return (flow.state & RESET_SEEN or closed == FIN0_SEEN | FIN1_SEEN) and age_of(t, flow) > LINGER


cdef inline bint may_be_chosen(const flow_t* flow) noexcept nogil:
    return flow.state & LIVE and not flow.evicted


cdef inline void begin_round(table_t* t) noexcept nogil:
    """Settle the age from which on streams go."""
    cdef uint32_t[AGES] counts
    cdef uint64_t n = 0, found = 0
    cdef uint32_t slot, bucket = AGES
    cdef const flow_t* flow = <flow_t*> t.flows.data
    memset(counts, 0, sizeof(counts))
    t.hand = 0
    t.round_ns = t.latest_ns
    for slot in range(t.n_slots):
        if may_be_chosen(&flow[slot]):
            n += 1
            counts[OVER if is_over(t, &flow[slot]) else bucket_of(age_of(t, &flow[slot]))] += 1
    while found * SHARE < n:
        bucket -= 1
        found += counts[bucket]
    t.least_age = low_of(<uint16_t> bucket) if bucket < OVER else NEVER


cdef inline uint8_t reason_to_go(const table_t* t, const flow_t* flow) noexcept nogil:
    """Eviction."""
    if not may_be_chosen(flow):
        return EVICTED_NOT
    if is_over(t, flow):
        return EVICTED_IDLE
    return EVICTED_PRESSURE if age_of(t, flow) >= t.least_age else EVICTED_NOT


cdef inline void choose(table_t* t, released_t* chosen, uint32_t wanted) noexcept nogil:
    """Mark so many streams; there are as many.  Every round finds some, so this ends."""
    cdef flow_t* flow
    cdef uint32_t n = 0
    cdef uint8_t reason
    while n < wanted:
        if t.hand >= t.n_slots:
            begin_round(t)
        flow = <flow_t*> t.flows.data + t.hand
        reason = reason_to_go(t, flow)
        if reason:
            flow.evicted = reason
            t.evicted[reason] += 1
            chosen[n].slot, chosen[n].stream, chosen[n].latest_ns = t.hand, flow.stream, flow.previous_ns
            n += 1
        t.hand += 1


cdef inline void free_slots(table_t* t, const released_t* chosen, uint32_t n) noexcept nogil:
    """What is marked leaves the table; its records have been written."""
    cdef uint32_t[PLACE_AHEAD] tags
    cdef Py_ssize_t i
    cdef flow_t* flow
    for i in range(-PLACE_AHEAD, <Py_ssize_t> n):
        if i >= 0:
            free_slot(t, chosen[i].slot, tags[i & (PLACE_AHEAD - 1)])
        if i + PLACE_AHEAD < n:
            flow = <flow_t*> t.flows.data + chosen[i + PLACE_AHEAD].slot
            tags[i & (PLACE_AHEAD - 1)] = hash_key(&flow.key, &t.secret)
            prefetch_write(<uint64_t*> t.places.data + (tags[i & (PLACE_AHEAD - 1)] & t.mask))


cdef inline void free_slot(table_t* t, uint32_t slot, uint32_t tag) noexcept nogil:
    cdef flow_t* flow = <flow_t*> t.flows.data + slot
    cdef odd_t* odd = <odd_t*> t.odd.data + slot
    if flow.state & REACHABLE:
        remove_place(t, slot, tag)
    if flow.state & IRREGULAR or odd.seam or (odd.packets_high[0] | odd.packets_high[1]
                                              | odd.wire_high[0] | odd.wire_high[1]):
        memset(odd, 0, sizeof(odd_t))
    memset(flow, 0, sizeof(flow_t))
    (<uint32_t*> t.free_slots.data)[t.n_free] = slot
    t.n_free += 1


cdef inline void remove_place(table_t* t, uint32_t slot, uint32_t tag) noexcept nogil:
    """Entries behind it move up that would not be found across the empty place (Knuth, volume 3, 6.4, algorithm R)."""
    cdef uint64_t* places = <uint64_t*> t.places.data
    cdef uint64_t empty = tag & t.mask, i
    while <uint32_t> places[empty] != slot + 1:
        empty = (empty + 1) & t.mask
    i = empty
    while True:
        i = (i + 1) & t.mask
        if places[i] == 0:
            break
        if ((i - (places[i] >> 32)) & t.mask) >= ((i - empty) & t.mask):
            places[empty] = places[i]
            empty = i
    places[empty] = 0
    t.used -= 1
