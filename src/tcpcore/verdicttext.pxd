"""A verdict in words: ``retransmission of #41 after 212 ms: timeout, 2nd; original was lost after the capture point
(SACK hole)``."""
from libc.stdint cimport uint32_t, uint64_t

from tcpcore.flags cimport (
    AFTER_SILENCE, BY_SEQUENCE, CAUSE_SPURIOUS, CLOSED_WINDOW, IN_RECOVERY, KIND_NEW, KIND_NONE, KIND_PROBE,
    KIND_RETRANSMISSION, LOSS_AFTER, LOSS_BEFORE)
from tcpcore.infotext cimport put_value, put_word
from tcpcore.records cimport verdict_t
from tcpcore.textwrite cimport put_decimal

cdef extern from *:
    """
    static const char* const KIND_PHRASES[] = {                  /* SegmentKind */
        "", "new", "reordered on the path", "retransmission", "network duplicate", "keep-alive",
        "late or sent again, the capture cannot tell which", "window probe"};
    static const char* const TRIGGER_PHRASES[] = {               /* RetransmissionCause */
        "", "fast", "timeout", "tail loss probe", "SYN unanswered", "FIN unanswered",
        "smaller pieces for the path's MTU", "needless", "cause unknown"};
    static const char* const EVIDENCE_PHRASES[] = {              /* Evidence, by bit */
        "order of time stamps", "order of IP IDs", "timing", "", "the same packet", "fills a gap in the capture",
        "overtaken by a later one", "another hop limit", "SACK hole", "duplicate ACKs", "in a recovery",
        "after silence", "last bytes sent", "already acknowledged", "D-SACK", "the original's time stamp echoed",
        "answered too soon", "the original came later", "captured near the sender", "captured near the receiver",
        "nothing outstanding", "window closed", "the whole never got through", "order of acknowledgements"};
    static const char* const ENDINGS[] = {"th", "st", "nd", "rd", "th", "th", "th", "th", "th", "th"};
    """
    const char** KIND_PHRASES
    const char** TRIGGER_PHRASES
    const char** EVIDENCE_PHRASES
    const char** ENDINGS

cdef enum:
    MAX_VERDICT = 768              # every phrase of evidence, and the longest of each other part
    N_KINDS = 7                    # named ones; behind them the name of a probe of a closed window
    N_TRIGGERS = 9
    N_EVIDENCE = 24


cdef inline char* put_verdict(char* p, const verdict_t* row) noexcept nogil:
    """Nothing of a segment that takes no sequence space; a new one is just called so.

    A timeout says more than that it belongs to a recovery.
    """
    cdef int kind = row.kind
    if kind == KIND_NONE or kind >= N_KINDS:
        return p
    if kind == KIND_PROBE and row.evidence & CLOSED_WINDOW:
        kind = N_KINDS
    p = put_word(p, KIND_PHRASES[kind])
    if kind == KIND_NEW:
        return p
    if row.repeats:
        p = put_original(p, row)
    if kind == KIND_RETRANSMISSION:
        p = put_cause(p, row)
    return put_evidence(p, row.evidence & ~<uint32_t> (BY_SEQUENCE | IN_RECOVERY * (row.evidence & AFTER_SILENCE != 0)))


cdef inline char* put_original(char* p, const verdict_t* row) noexcept nogil:
    """A late original comes after its own repetition."""
    p = put_value(p, b" of #", row.repeats)
    if row.repeats_after < 0:
        return put_word(put_interval(put_word(p, b", "), 0 - <uint64_t> row.repeats_after), b" before it")
    return put_interval(put_word(p, b" after "), <uint64_t> row.repeats_after)


cdef inline char* put_interval(char* p, uint64_t nanoseconds) noexcept nogil:
    """Rounded to what one wants to know of it: µs, tenths of ms, ms, tenths of s."""
    if nanoseconds < 999_500:
        return put_word(put_decimal(p, (nanoseconds + 500) // 1000), b" \xc2\xb5s")
    if nanoseconds < 9_950_000:
        return put_word(put_tenths(p, (nanoseconds + 50_000) // 100_000), b" ms")
    if nanoseconds // 100_000 < 99_995:
        return put_word(put_decimal(p, (nanoseconds + 500_000) // 1_000_000), b" ms")
    return put_word(put_tenths(p, (nanoseconds + 50_000_000) // 100_000_000), b" s")


cdef inline char* put_tenths(char* p, uint64_t tenths) noexcept nogil:
    p = put_decimal(p, tenths // 10)
    return put_value(p, b".", tenths % 10)


cdef inline char* put_cause(char* p, const verdict_t* row) noexcept nogil:
    if 0 < row.trigger < N_TRIGGERS:
        p = put_word(put_word(p, b": "), TRIGGER_PHRASES[row.trigger])
    if row.backoff > 1:
        p = put_value(p, b", ", row.backoff)
        p = put_word(p, ENDINGS[0 if 10 < row.backoff % 100 < 20 else row.backoff % 10])
    if row.cause == CAUSE_SPURIOUS:
        return put_word(p, b"; needless")
    if row.loss_side == LOSS_BEFORE:
        return put_word(p, b"; original was lost before the capture point")
    if row.loss_side == LOSS_AFTER:
        return put_word(p, b"; original was lost after the capture point")
    return p


cdef inline char* put_evidence(char* p, uint32_t evidence) noexcept nogil:
    cdef int i, told = 0
    for i in range(N_EVIDENCE):
        if evidence >> i & 1:
            p = put_word(p, b", ") if told else put_word(p, b" (")
            p = put_word(p, EVIDENCE_PHRASES[i])
            told += 1
    return put_word(p, b")") if told else p
