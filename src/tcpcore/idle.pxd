"""Streams that have been silent for longer than the time-out are over: what comes between their ends is another one.

The clock is the latest time that the capture has shown so far, and each stream's silence is measured by it: once over,
a stream stays so, whatever the times of later segments.  So it does not matter when it is let go of: a hand goes
round the slots, some for each row.
"""
from libc.stdint cimport int64_t, uint32_t

from tcpcore.batch cimport released_t
from tcpcore.flags cimport EVICTED_IDLE
from tcpcore.flows cimport LIVE, flow_t, table_t

cdef enum:
    LOOKS = 4                      # slots looked at for each row
    LEAST_LOOKS = 1 << 10          # slots looked at for each batch, beside those for its rows


cdef inline bint is_silent(const table_t* t, uint32_t slot) noexcept nogil:
    return t.clock_ns - (<int64_t*> t.heard.data)[slot] > t.idle_ns


cdef inline void note_time(table_t* t, int64_t time_ns) noexcept nogil:
    t.clock_ns = max(t.clock_ns, time_ns)


cdef inline void note_heard(table_t* t, uint32_t slot) noexcept nogil:
    (<int64_t*> t.heard.data)[slot] = t.clock_ns


cdef inline uint32_t looks(const table_t* t, Py_ssize_t n_rows) noexcept nogil:
    """Slots to look at before a batch."""
    return <uint32_t> min(<Py_ssize_t> t.n_slots, LOOKS * n_rows + LEAST_LOOKS) if t.idle_ns else 0


cdef inline bint end_if_silent(table_t* t, uint32_t slot) noexcept nogil:
    cdef flow_t* flow = <flow_t*> t.flows.data + slot
    if not flow.state & LIVE or flow.evicted or not is_silent(t, slot):
        return False
    flow.evicted = EVICTED_IDLE
    t.evicted[<int> EVICTED_IDLE] += 1
    return True


cdef inline uint32_t choose_silent(table_t* t, released_t* chosen, uint32_t n_looks) noexcept nogil:
    """Mark those among the next slots; how many there are."""
    cdef uint32_t _, n = 0
    cdef const flow_t* flow
    for _ in range(n_looks):
        t.idle_hand = t.idle_hand + 1 if t.idle_hand + 1 < t.n_slots else 0
        if end_if_silent(t, t.idle_hand):
            flow = <flow_t*> t.flows.data + t.idle_hand
            chosen[n].slot, chosen[n].stream, chosen[n].latest_ns = t.idle_hand, flow.stream, flow.previous_ns
            n += 1
    return n
