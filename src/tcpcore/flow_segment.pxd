"""What a segment changes in its stream, and its numbers and times there (SEMANTICS sections RL, TM, CV)."""
from libc.stdint cimport uint8_t, uint32_t

from tcpcore.flags cimport (
    ACK, FIN, HAS_CHECKSUM, HAS_LEN, HAS_STREAM, HAS_TIMES, IN_CONVERSATION, MPTCP_BROKEN, OPTIONS_CUT, QUOTED, RST,
    SACK_BROKEN, SYN, WHOLE)
from tcpcore.flow_counts cimport count_segment
from tcpcore.flows cimport BASE0_SET, BASE1_SET, FIN0_SEEN, RESET_SEEN, flow_t, has_base, learn_client, table_t
from tcpcore.records cimport segment_t
from tcpcore.seqnum cimport unwrap


cdef inline void update(table_t* t, segment_t* row, uint32_t slot, int direction) noexcept nogil:
    cdef flow_t* flow = <flow_t*> t.flows.data + slot
    row.stream = flow.stream
    row.direction = <uint8_t> direction
    row.present |= HAS_STREAM
    times(row, flow)
    if row.present & HAS_LEN:
        set_bases(row, flow, direction)
        relative(row, flow, direction)
    else:                                       # RL-7; SACK edges are relative all the same
        row.seq, row.ack, row.ack64 = row.seq_raw, row.ack_raw, row.ack_raw - flow.base[1 - direction]
    if row.flags & (SYN | FIN | RST):
        note_change(row, flow, direction)
    if row.damage == 0 or is_whole(row):
        row.events |= WHOLE | IN_CONVERSATION * (row.damage & QUOTED == 0)
    count_segment(t, row, flow, slot, direction)
    flow.previous_ns = row.time_ns


cdef inline void note_change(const segment_t* row, flow_t* flow, int direction) noexcept nogil:
    """Which end is the client, and whether the stream is over."""
    if row.flags & SYN:
        learn_client(row, direction, &flow.client, &flow.client_evidence)
    if row.present & HAS_LEN and not row.damage & QUOTED:
        flow.state |= <uint8_t> ((FIN0_SEEN << direction) * (row.flags & FIN != 0)
                                 | RESET_SEEN * (row.flags & RST != 0))


cdef inline void times(segment_t* row, flow_t* flow) noexcept nogil:
    row.time_relative = row.time_ns - flow.first_ns            # TM-1
    row.time_delta = row.time_ns - flow.previous_ns            # TM-2
    if row.present & HAS_CHECKSUM:                             # ORD 13, LN-3
        row.present |= HAS_TIMES


cdef inline void set_bases(const segment_t* row, flow_t* flow, int direction) noexcept nogil:
    if not has_base(flow, direction):                          # RL-2
        flow.base[direction] = row.seq_raw - (row.flags & SYN == 0)
        flow.state |= <uint8_t> (BASE0_SET << direction)
    if row.flags & ACK and not has_base(flow, 1 - direction):  # RL-3
        flow.base[1 - direction] = row.ack_raw - 1
        flow.state |= <uint8_t> (BASE1_SET >> direction)


cdef inline void relative(segment_t* row, flow_t* flow, int direction) noexcept nogil:
    """Relative numbers (RL-1, RL-5, RL-6) and their 64-bit positions.

    Positions are taken nearest to the last one of their direction.  Resets do not move it: their
    numbers are often made up.
    """
    row.seq = row.seq_raw - flow.base[direction]
    row.nxtseq = row.seq + row.payload_len + (row.flags & (SYN | FIN) != 0)
    row.seq64 = unwrap(row.seq, <uint32_t> flow.reference[direction], flow.reference[direction])
    if not row.flags & RST:
        flow.reference[direction] = row.seq64
    row.ack = row.ack_raw - flow.base[1 - direction]
    row.ack64 = unwrap(row.ack, <uint32_t> flow.reference[1 - direction], flow.reference[1 - direction])
    if not row.flags & ACK:
        row.ack = row.ack_raw
    elif row.ack64 > flow.reference[1 - direction] and not row.flags & RST:
        flow.reference[1 - direction] = row.ack64


cdef inline bint is_whole(const segment_t* row) noexcept nogil:
    """Does a damaged frame reach step 15?  LN-3, LN-7; LN-9: not with a broken option (SACK: if ack <= 2^31)."""
    if not row.present & HAS_CHECKSUM or row.damage & (OPTIONS_CUT | MPTCP_BROKEN):
        return False
    return row.damage & SACK_BROKEN == 0 or row.ack > <uint32_t> 1 << 31
