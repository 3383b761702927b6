"""Where a capture goes on from another one: which segments need the earlier one to know what they do to their stream.

A plain SYN begins a new stream if its number is not the base of its direction (ST-3), and a segment with a broken SACK
option is whole if its relative acknowledgement is large (LN-9): both ask for a base that may have been set before
this capture began.  Until a SYN has made the base sure, such a segment opens a new piece of its stream.
"""
from libc.stdint cimport uint8_t

from tcpcore.flags cimport ACK, HAS_CHECKSUM, HAS_LEN, MPTCP_BROKEN, OPTIONS_CUT, QUOTED, SACK_BROKEN, SYN
from tcpcore.flows cimport flow_t, has_base, odd_t
from tcpcore.records cimport segment_t

cdef enum Seam:
    OPENS_WITH_SYN = 1             # opening: its raw sequence number
    OPENS_IN_DOUBT = 2             # opening: raw acknowledgement of a first segment that may be whole or not
    SYNACK0 = 4                    # synack0 is set; shift left by the direction
    SYNACK1 = 8
    SURE0 = 16                     # base0 is what it would be whatever came before; shift left by the direction
    SURE1 = 32


cdef inline bint is_plain_syn(const segment_t* row) noexcept nogil:
    return row.flags & (SYN | ACK) == SYN


cdef inline bint is_doubtful(const segment_t* row) noexcept nogil:
    """Whether only its relative acknowledgement number tells if the segment is whole (LN-9)."""
    return (row.damage & (SACK_BROKEN | OPTIONS_CUT | MPTCP_BROKEN | QUOTED) == SACK_BROKEN and row.flags & ACK
            and row.present & (HAS_LEN | HAS_CHECKSUM) == HAS_LEN | HAS_CHECKSUM)


cdef inline bint depends_on_past(const segment_t* row, const odd_t* odd, int direction) noexcept nogil:
    """Whether it takes what was before this capture to know what the row does to its stream."""
    if is_plain_syn(row):
        return not odd.seam & (SURE0 << direction)
    return row.damage & SACK_BROKEN and is_doubtful(row) and not odd.seam & (SURE1 >> direction)


cdef inline void note_opening(const segment_t* row, odd_t* odd) noexcept nogil:
    """The first segment of a piece; its direction is 0."""
    if is_plain_syn(row):
        odd.seam |= OPENS_WITH_SYN
        odd.opening = row.seq_raw
    elif is_doubtful(row):
        odd.seam |= OPENS_IN_DOUBT
        odd.opening, odd.opening_len = row.ack_raw, row.frame_len


cdef inline void note_syn(const segment_t* row, const flow_t* flow, odd_t* odd, int direction) noexcept nogil:
    """A SYN, plain or not, makes the base of its direction sure, if there is one now (ST-3, ST-6)."""
    if row.flags & ACK:
        odd.seam |= <uint8_t> (SYNACK0 << direction)
        odd.synack[direction] = row.seq_raw
    if has_base(flow, direction):
        odd.seam |= <uint8_t> (SURE0 << direction)
