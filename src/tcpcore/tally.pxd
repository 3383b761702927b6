"""What the verdicts on a direction's segments add up to."""
from libc.stdint cimport int8_t, uint32_t, uint64_t
from libc.stdlib cimport abs
from libc.string cimport memset

from tcpcore.flags cimport (
    CAUSE_FAST, CAUSE_SPURIOUS, CAUSE_TAIL_LOSS_PROBE, CAUSE_TIMEOUT, KIND_NETWORK_DUPLICATE, KIND_PROBE,
    KIND_REORDERED, KIND_RETRANSMISSION, KIND_UNDETERMINED, LOSS_AFTER, LOSS_BEFORE)
from tcpcore.history cimport find_range, sent_ranges
from tcpcore.judging cimport case_t, judge_t, sender_at, trouble_at, trouble_of
from tcpcore.records cimport flow_verdict_t, verdict_t
from tcpcore.sender cimport DISPLACED_MAX, DISPLACED_STEPS, GAP, PART, UNPLACED, sender_t, sent_t, tally_t

cdef enum:
    EXTENT_MAX = 1024              # segments that overtook one are counted up to here


cdef inline void count(tally_t* tally, const verdict_t* verdict) noexcept nogil:
    tally.reordered += verdict.kind == KIND_REORDERED
    tally.duplicates += verdict.kind == KIND_NETWORK_DUPLICATE
    tally.probes += verdict.kind == KIND_PROBE
    tally.undetermined += verdict.kind == KIND_UNDETERMINED
    tally.retransmissions += verdict.kind == KIND_RETRANSMISSION
    tally.needless += verdict.cause == CAUSE_SPURIOUS
    tally.fast += verdict.trigger == CAUSE_FAST
    tally.timeouts += verdict.trigger == CAUSE_TIMEOUT
    tally.tail_probes += verdict.trigger == CAUSE_TAIL_LOSS_PROBE
    tally.lost_before += verdict.loss_side == LOSS_BEFORE
    tally.lost_after += verdict.loss_side == LOSS_AFTER


cdef inline void count_delay(judge_t* j, case_t* t, const sent_t* bound) noexcept nogil:
    """How late it is, in time and in the segments that overtook it (RFC 4737 section 4)."""
    cdef tally_t* tally = &trouble_of(j, t.sender).tally
    cdef sent_t* ranges = sent_ranges(&j.ranges, t.sender)
    cdef uint32_t i, overtook = 0
    cdef uint32_t start = find_range(&j.ranges, t.sender, t.sent.start)
    for i in range(start, min(<uint32_t> t.sender.sent.tail, start + EXTENT_MAX)):
        overtook += not ranges[i].state & GAP
    tally.reorder_ns = max(tally.reorder_ns, t.sent.time - bound.time)
    tally.reorder_extent = max(tally.reorder_extent, overtook)
    displace(tally, t, ranges + start, min(<uint32_t> t.sender.sent.tail - start, <uint32_t> EXTENT_MAX))


# -- reorder density (RFC 5236): segments by how far from their place they came, among those that arrived

cdef inline void displace(tally_t* tally, case_t* t, sent_t* ranges, uint32_t n) noexcept nogil:
    """It comes behind the ``n`` ranges, which all begin after it, and so each of them is one place earlier."""
    cdef uint32_t i, passed = 0
    for i in range(n):
        passed += is_placed(&ranges[i])
    if passed > DISPLACED_MAX:
        tally.too_late += 1
        t.sent.displaced = UNPLACED
        return
    t.sent.displaced = <int8_t> passed
    count_place(tally, passed, 1)
    for i in range(n):
        if is_placed(&ranges[i]):
            count_place(tally, ranges[i].displaced, -1)
            ranges[i].displaced = <int8_t> max(ranges[i].displaced - 1, UNPLACED + 1)
            count_place(tally, ranges[i].displaced, 1)


cdef inline bint is_placed(const sent_t* sent) noexcept nogil:
    return not sent.state & GAP and sent.displaced != UNPLACED


cdef inline void count_exposed(tally_t* tally, sent_t* original, sent_t* first) noexcept nogil:
    """``first`` was sent again: it has no place any more, or the original has it if that came too late for its own."""
    tally.retransmissions += 1
    tally.reordered -= first.kind == KIND_REORDERED and tally.reordered > 0    # or before there was a tally
    tally.undetermined -= first.kind == KIND_UNDETERMINED and tally.undetermined > 0
    if first.kind == KIND_UNDETERMINED or first.state & PART:
        return
    if first.displaced == UNPLACED:
        tally.too_late -= tally.too_late > 0
    elif original.displaced == UNPLACED and not original.state & PART:
        tally.too_late -= tally.too_late > 0
        original.displaced = first.displaced
    else:
        count_place(tally, first.displaced, -1)
    first.displaced = UNPLACED


cdef inline void count_place(tally_t* tally, int places, int by) noexcept nogil:
    """By ``by`` segments more so many ``places`` from their own; how many are in their place is what is left."""
    cdef uint32_t* count
    cdef int step = step_of(abs(places))
    if places == 0:
        return
    count = &tally.displaced[DISPLACED_STEPS + step if places > 0 else DISPLACED_STEPS - 1 - step]
    if by > 0 or count[0]:                      # none, if they came before there was a tally
        count[0] += by


cdef inline int step_of(int places) noexcept nogil:
    if places <= 4:
        return places - 1
    return 4 + (places > 8) + (places > 16) + (places > 32)


cdef inline void write_record(judge_t* j, uint64_t slot, flow_verdict_t* out) noexcept nogil:
    cdef tally_t none, first, second
    memset(&none, 0, sizeof(tally_t))
    cdef const sender_t* a = sender_at(j, slot, 0)
    cdef const sender_t* b = sender_at(j, slot, 1)
    first = trouble_at(j, a).tally if a.trouble else none
    second = trouble_at(j, b).tally if b.trouble else none
    out.segments0, out.segments1 = a.segments, b.segments
    out.retransmissions0, out.retransmissions1 = first.retransmissions, second.retransmissions
    out.needless0, out.needless1 = first.needless, second.needless
    out.reordered0, out.reordered1 = first.reordered, second.reordered
    out.duplicates0, out.duplicates1 = first.duplicates, second.duplicates
    out.probes0, out.probes1 = first.probes, second.probes
    out.fast0, out.fast1 = first.fast, second.fast
    out.timeouts0, out.timeouts1 = first.timeouts, second.timeouts
    out.tail_probes0, out.tail_probes1 = first.tail_probes, second.tail_probes
    out.recoveries0, out.recoveries1 = first.recoveries, second.recoveries
    out.lost_before0, out.lost_before1 = first.lost_before, second.lost_before
    out.lost_after0, out.lost_after1 = first.lost_after, second.lost_after
    out.reorder_extent0, out.reorder_extent1 = first.reorder_extent, second.reorder_extent
    out.recovery_ns0, out.recovery_ns1 = first.recovery_ns, second.recovery_ns
    out.timeout_ns0, out.timeout_ns1 = first.timeout_ns, second.timeout_ns
    out.reorder_ns0, out.reorder_ns1 = first.reorder_ns, second.reorder_ns
    out.undetermined0, out.undetermined1 = first.undetermined, second.undetermined
    out.too_late0, out.too_late1 = first.too_late, second.too_late
    cdef uint32_t* places = &out.early8_0
    cdef uint32_t i
    for i in range(2 * DISPLACED_STEPS):
        places[2 * i], places[2 * i + 1] = first.displaced[i], second.displaced[i]
