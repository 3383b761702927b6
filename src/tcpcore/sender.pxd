"""What a capture shows of one sender: the ranges it sent, its clock and counter, and how it is answered.

All zero is the start.  Positions are those of ``segment_t.seq64``, times are nanoseconds.
"""
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.records cimport verdict_t

cdef enum RangeState:
    GAP = 1                        # not captured; frame, clock and counter are those of the segment that showed it
    STAMPED = 2                    # tsval is there
    OVERDUE = 4                    # overtaken on the path
    SYN_ANSWER = 8                 # a SYN+ACK
    REPORTED = 16                  # shown to be needless by a D-SACK, which tells of one only
    PART = 32                      # of a packet with another range, which has its place among those that arrived
    OPENING = 64                   # a SYN without ACK
    ACKING = 128                   # without time stamps: `stamp` is the acknowledgement number, which only grows too

cdef enum SenderState:
    STARTED = 1                    # a segment of this direction was captured
    ANSWERED = 2                   # acked is known
    CLOCKED = 4                    # stamp is known
    SACK_PERMITTED = 8
    WINDOW_CLOSED = 16             # by the latest answer
    SYN_AGAIN = 32
    PROBED = 64                    # a tail loss probe is out
    MEASURING = 128                # measure_end waits for its acknowledgement
    ECHOING = 256                  # measure_end is a time stamp that waits for its echo
    SACKING = 512                  # sack_high is known
    FORGETFUL = 1024               # old ranges were dropped
    FINISHED = 2048                # its FIN was captured
    FIRST_ALONE = 4096             # a timer ran out, and nothing but the first bytes was sent again since

cdef enum Recovery:
    RECOVERY_NONE = 0
    RECOVERY_FAST = 1
    RECOVERY_TIMEOUT = 2
    RECOVERY_SMALLER = 3           # path MTU

cdef enum:
    DISPLACED_MAX = 64             # places; what comes later is taken for lost (the threshold DT of RFC 5236)
    DISPLACED_STEPS = 8            # 1, 2, 3, 4, to 8, to 16, to 32, to 64 places
    UNPLACED = -128                # not numbered among the segments that arrived

# One packet's place in the sequence space, and what identifies it.
ctypedef struct sent_t:
    int64_t start
    int64_t time
    uint64_t frame
    uint32_t length
    uint32_t stamp                 # tsval, or the acknowledgement number
    uint16_t counter               # IP ID
    uint16_t checksum
    uint8_t state                  # RangeState bits
    uint8_t hops                   # TTL or hop limit
    uint8_t kind                   # SegmentKind
    int8_t displaced               # places it came behind its own, negative: before it (RFC 5236), or UNPLACED

# A packet whose bytes had been sent before, with its verdict so far.
ctypedef struct again_t:
    sent_t sent
    verdict_t verdict

# A list in a block of a pool: entries head to tail - 1.
ctypedef struct list_t:
    uint32_t block                 # its name; 0: none
    uint16_t head, tail

# What every sender needs: one cache line for each of its segments and answers, and one for what is rarer.
ctypedef struct sender_t:
    int64_t high                   # after the highest number seen
    int64_t acked                  # by the answers; before any, where the first segment began
    int64_t latest                 # time of the latest segment
    float stamp_age                # how long before `latest` `stamp` was first seen
    float measure_age              # how long before `latest` what is measured was sent
    list_t sent                    # sorted, disjoint ranges, with gaps; without a block the range `only`
    uint32_t trouble               # trouble_t in its pool; 0: none so far
    uint32_t stamp                 # highest tsval
    uint32_t measure_end           # a position, modulo 2^32, or a time stamp
    uint32_t segments              # that take sequence space, and probes
    uint16_t state                 # SenderState bits
    uint16_t counter               # highest IP ID
    uint16_t answer_window
    int8_t counts                  # from -8 (the IP ID means nothing) to 8 (it counts packets)
    uint8_t samples                # of `leg`, up to 255
    # the second line
    sent_t only                    # its first range, and after its end the last
    int64_t first_stamp_time
    uint32_t first_stamp
    float leg_min, leg             # capture point to receiver and back, ns: shortest, smoothed; 0: unknown
    uint16_t mss                   # that it offered
    uint8_t mode                   # Recovery

# What the verdicts on a sender's segments add up to (flow_verdict_t).
ctypedef struct tally_t:
    int64_t recovery_ns, timeout_ns, reorder_ns
    uint32_t retransmissions, needless, reordered, duplicates
    uint32_t probes, fast, timeouts, tail_probes
    uint32_t recoveries, lost_before, lost_after, reorder_extent
    uint32_t undetermined, too_late
    uint32_t[2 * DISPLACED_STEPS] displaced    # from the earliest to the latest, without those in their place

# What only a sender needs that lost, repeated or reordered something.
ctypedef struct trouble_t:
    int64_t sack_high
    int64_t loss_time              # when the receiver first showed the loss
    int64_t recover, mode_end
    int64_t begun                  # when the recovery began; 0: it has ended
    int64_t sack_base              # where the edges of the latest SACK blocks count from
    int64_t again_high             # after the highest range sent again
    list_t again                   # packets whose bytes had been sent before
    uint32_t measure_stamp         # of the retransmission measured; 0: of a first transmission
    int32_t[8] sack_edges          # left, right, left ...
    uint16_t dup_acks
    uint16_t syns
    uint16_t timeouts
    uint16_t sack_count
    sent_t probe                   # the latest
    tally_t tally


cdef inline int64_t sent_end(const sent_t* sent) noexcept nogil:
    return sent.start + sent.length
