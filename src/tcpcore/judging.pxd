"""The state that verdicts are made with: of all senders, and of the segment whose turn it is."""
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memset

from tcpcore.growable cimport growable_t
from tcpcore.pool cimport pool_at, pool_t, pool_take
from tcpcore.records cimport segment_t, verdict_t
from tcpcore.sender cimport RECOVERY_TIMEOUT, sender_t, sent_t, trouble_t

ctypedef struct judge_t:
    growable_t senders             # by slot, those of both directions side by side: one page for either
    pool_t ranges                  # sent_t
    pool_t packets                 # again_t
    pool_t troubles                # trouble_t
    trouble_t spare                # stands in where there is no memory for another
    # the batch
    char* rows
    Py_ssize_t stride, at, n_rows
    # verdicts given before that the batch has changed
    uint64_t now                   # frame number of the segment that is judged
    growable_t corrected_frames    # correction_t
    growable_t corrected           # verdict_t
    uint64_t n_corrected
    bint out_of_memory             # one of them could not be kept

# One segment and what its verdict is weighed from.
ctypedef struct case_t:
    const segment_t* row
    verdict_t* out
    sender_t* sender
    sender_t* peer
    trouble_t* trouble             # the sender's, once it is found to have sent again
    sent_t sent
    int64_t takes                  # sequence numbers
    int64_t before                 # the sender's `high`, before this segment


cdef inline sender_t* sender_at(const judge_t* j, uint64_t slot, int direction) noexcept nogil:
    return <sender_t*> j.senders.data + (2 * slot + direction)


cdef inline int64_t leave_after(const sender_t* peer, int64_t now) noexcept nogil:
    """When the last segment of a recovery can pass that was on its way before its sender knew it had ended.

    Half a leg more than the shortest, for others take longer.
    """
    return now + <int64_t> (peer.leg_min * 1.5)


cdef inline trouble_t* trouble_at(judge_t* j, const sender_t* sender) noexcept nogil:
    """Of a sender that has some; it moves as the pool grows."""
    return <trouble_t*> pool_at(&j.troubles, 0, sender.trouble)


cdef inline trouble_t* trouble_of(judge_t* j, sender_t* sender) noexcept nogil:
    """Of any sender, from now on."""
    if sender.trouble == 0:
        sender.trouble = pool_take(&j.troubles, 0)
        if sender.trouble == 0:
            memset(&j.spare, 0, sizeof(trouble_t))
            return &j.spare
        memset(trouble_at(j, sender), 0, sizeof(trouble_t))
    return trouble_at(j, sender)


cdef inline void count_recovery(trouble_t* trouble, uint8_t mode, int64_t now) noexcept nogil:
    """The one that goes on, if any, is over."""
    if trouble.begun:
        trouble.tally.recovery_ns += now - trouble.begun
        trouble.tally.timeout_ns += (now - trouble.begun) * (mode == RECOVERY_TIMEOUT)
        trouble.begun = 0
