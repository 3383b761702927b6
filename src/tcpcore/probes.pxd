"""Keep-alives and window probes (RFC 9293 sections 3.8.4 and 3.8.6.1)."""
from libc.stdint cimport int64_t, uint32_t

from tcpcore.flags cimport CLOSED_WINDOW, FIN, IDLE_PROBE, PSH, SYN
from tcpcore.history cimport range_at
from tcpcore.judging cimport case_t, judge_t
from tcpcore.pathtime cimport EARLIEST_TIMEOUT, is_copy, sent_after, shortest_trip
from tcpcore.records cimport segment_t
from tcpcore.sender cimport ANSWERED, GAP, WINDOW_CLOSED, sender_t, sent_t


cdef inline bint is_probe(judge_t* j, case_t* t) noexcept nogil:
    """At most one byte, just below the highest number, and no mere repetition of the last byte."""
    cdef const segment_t* row = t.row
    cdef sender_t* sender = t.sender
    cdef const sent_t* last
    cdef bint acked = sender.state & ANSWERED and sender.acked >= sender.high, whole
    cdef uint32_t by = 0
    cdef int order
    if row.flags & (SYN | FIN) or sender.sent.tail == sender.sent.head:
        return False
    if sender.state & ANSWERED and sender.acked > sender.high and t.sent.start == sender.acked - 1:
        t.out.evidence |= IDLE_PROBE            # of bytes the capture missed
        return True
    if t.sent.start != sender.high - 1:
        return False
    last = range_at(&j.ranges, sender, t.sent.start)
    whole = last != NULL and last.start == t.sent.start and not last.state & GAP
    t.out.evidence |= IDLE_PROBE * acked | CLOSED_WINDOW * ((sender.state & WINDOW_CLOSED) != 0)
    if row.payload_len == 0:
        if not whole:
            return True
        order = sent_after(sender, &t.sent, last, &by)
        if not acked or order < 0:
            return False
        return order > 0 or t.sent.time - last.time > max(shortest_trip(sender, t.peer), <int64_t> EARLIEST_TIMEOUT)
    if not acked:
        return (sender.state & WINDOW_CLOSED) != 0
    if not whole:
        return True
    if is_copy(sender, t.peer, &t.sent, last) or sent_after(sender, &t.sent, last, &by) < 0:
        return False
    return not row.flags & PSH
