"""Verdicts as they are given, and how one that was given is corrected by a later segment."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from tcpcore.flags cimport (
    BY_ACK, BY_IP_ID, BY_SEQUENCE, BY_TIMESTAMP, CAUSE_SPURIOUS, CAUSE_TIMEOUT, FILLS_GAP, KIND_RETRANSMISSION,
    LOSS_AFTER, LOSS_BEFORE, LOSS_NONE, ORIGINAL_LATE, SAME_PACKET)
from tcpcore.growable cimport grow
from tcpcore.history cimport add_again
from tcpcore.judging cimport case_t, judge_t, leave_after, trouble_of
from tcpcore.records cimport verdict_t
from tcpcore.sender cimport RECOVERY_TIMEOUT, UNPLACED, again_t, sender_t, sent_end, tally_t, trouble_t

cdef enum:
    CERTAIN = 99                   # percent
    LIKELY = 90
    PROBABLE = 75

ctypedef struct correction_t:
    uint64_t frame, by             # whose verdict it is, and which segment has changed it


# -- giving

cdef inline uint8_t confidence_of(uint32_t evidence) noexcept nogil:
    """How sure the kind is that rests on this."""
    if evidence & (BY_TIMESTAMP | BY_ACK | BY_IP_ID | BY_SEQUENCE | ORIGINAL_LATE):
        return CERTAIN
    return PROBABLE if evidence & FILLS_GAP or not evidence & SAME_PACKET else LIKELY


cdef inline void remember(judge_t* j, case_t* t, uint8_t kind) noexcept nogil:
    """Give the verdict and keep the packet: later ones may be copies of it, or shed light on it."""
    cdef again_t* packet
    cdef trouble_t* trouble
    t.out.kind = t.sent.kind = kind
    t.sent.displaced = UNPLACED
    t.out.confidence = confidence_of(t.out.evidence)
    trouble = trouble_of(j, t.sender)
    trouble.again_high = max(trouble.again_high, sent_end(&t.sent))
    packet = add_again(&j.packets, &trouble.again) if t.sender.trouble else NULL    # what stands in forgets its list
    if packet != NULL:
        packet.sent, packet.verdict = t.sent, t.out[0]


# -- correcting

cdef inline void correct(judge_t* j, uint64_t frame, const verdict_t* verdict) noexcept nogil:
    """The verdict on a segment has changed.  Its row keeps the first one: where batches end must not matter."""
    if j.at < 0:
        return
    if (grow(&j.corrected_frames, (j.n_corrected + 1) * sizeof(correction_t))
            or grow(&j.corrected, (j.n_corrected + 1) * sizeof(verdict_t))):
        j.out_of_memory = True
        return
    (<correction_t*> j.corrected_frames.data)[j.n_corrected] = correction_t(frame, j.now)
    (<verdict_t*> j.corrected.data)[j.n_corrected] = verdict[0]
    j.n_corrected += 1


cdef inline void call_needless(verdict_t* verdict, uint32_t why) noexcept nogil:
    """A retransmission whose bytes had all arrived: the sender was misled."""
    verdict.evidence |= why
    verdict.cause = CAUSE_SPURIOUS
    verdict.loss_side = LOSS_NONE


cdef inline void count_needless(tally_t* tally, const verdict_t* before) noexcept nogil:
    tally.needless += 1
    tally.lost_before -= before.loss_side == LOSS_BEFORE
    tally.lost_after -= before.loss_side == LOSS_AFTER


cdef inline void show_needless(judge_t* j, sender_t* sender, const sender_t* peer, again_t* packet, int64_t now,
                               uint32_t why) noexcept nogil:
    """A later segment has shown it."""
    cdef bint known = packet.verdict.evidence & why and why != ORIGINAL_LATE
    if packet.sent.kind != KIND_RETRANSMISSION:
        return
    if packet.verdict.cause != CAUSE_SPURIOUS:
        count_needless(&trouble_of(j, sender).tally, &packet.verdict)
    call_needless(&packet.verdict, why)
    if not known:
        correct(j, packet.sent.frame, &packet.verdict)
    if packet.verdict.trigger == CAUSE_TIMEOUT and packet.verdict.backoff == 1 and sender.mode == RECOVERY_TIMEOUT:
        # RFC 3522: a needless timeout, not only a needless segment after one, or another timeout, ends at once.
        trouble_of(j, sender).mode_end = min(trouble_of(j, sender).mode_end, leave_after(peer, now))
