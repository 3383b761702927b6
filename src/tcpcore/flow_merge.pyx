"""Records of flows that were read in parts, joined to what one pass over all parts tells."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from tcpcore.flows cimport (
    BASE0_SET, IRREGULAR, REACHABLE, FlowTable, create, find_place, flow_t, has_base, odd_t, table_t)
from tcpcore.records cimport flow_record_t, segment_t
from tcpcore.seam cimport OPENS_IN_DOUBT, OPENS_WITH_SYN, SYNACK0, SYNACK1

from tcpcore.records import FLOW


cdef class FlowMerger(FlowTable):
    """A table of streams made of records of tables that were told ``pieces``, in the order of the capture's parts."""

    def add(self, records, uint64_t n_frames_before):
        """Join a part's records to those so far; its frames are numbered on from ``n_frames_before``."""
        cdef const flow_record_t[::1] rows
        cdef Py_ssize_t n = len(records)
        if records.dtype != FLOW:
            raise ValueError("these are not FLOW rows")
        self.reserve(n)
        if n:
            rows = records
            with nogil:
                join_all(&self.table, &rows[0], n, n_frames_before)
        self.n_slots = self.table.n_slots


cdef void join_all(table_t* t, const flow_record_t* pieces, Py_ssize_t n, uint64_t before) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        join(t, &pieces[i], before)


cdef void join(table_t* t, const flow_record_t* piece, uint64_t before) noexcept nogil:
    """A piece goes on with the stream between its ends, unless it opens with a SYN of another number (ST-3)."""
    cdef segment_t row
    cdef uint32_t slot, tag
    cdef int direction
    cdef uint64_t* place
    cdef flow_t* flow
    set_ends(&row, piece, before)
    place = find_place(t, &row, &tag, &direction)
    if place[0]:
        slot = <uint32_t> place[0] - 1
        flow = <flow_t*> t.flows.data + slot
        if piece.seam & OPENS_WITH_SYN and has_base(flow, direction) and flow.base[direction] != piece.opening:
            flow.state &= ~<uint8_t> REACHABLE
            slot, direction = create(t, &row, tag, place), 0
    else:
        slot, direction = create(t, &row, tag, place), 0
    add_up(<flow_t*> t.flows.data + slot, <odd_t*> t.odd.data + slot, piece, direction, before)


cdef void set_ends(segment_t* row, const flow_record_t* piece, uint64_t before) noexcept nogil:
    """The piece's first segment, as far as it takes to find or create the stream."""
    memset(row, 0, sizeof(segment_t))
    row.src_hi, row.src_lo, row.src_port = piece.addr0_hi, piece.addr0_lo, piece.port0
    row.dst_hi, row.dst_lo, row.dst_port = piece.addr1_hi, piece.addr1_lo, piece.port1
    row.ip_version = piece.ip_version
    row.time_ns, row.frame = piece.first_ns, piece.first_frame + before


cdef void add_up(flow_t* flow, odd_t* odd, const flow_record_t* piece, int turned, uint64_t before) noexcept nogil:
    """``turned``: the stream's direction that is the piece's direction 0."""
    flow.state |= IRREGULAR
    if is_whole_after_all(flow, piece, turned):
        odd.packets[turned] -= 1
        odd.bytes[turned] -= piece.opening_len
        see(odd, piece.first_frame + before, turned, piece.first_ns, piece.first_ns)
    if piece.conversation_frame:
        see(odd, piece.conversation_frame + before, piece.conversation_direction ^ turned, piece.earliest_ns,
            piece.latest_ns)
    odd.quoted += piece.quoted
    add_counts(flow, odd, turned, piece.packets0, piece.wire_bytes0, piece.payload_bytes0,
               piece.conversation_packets0, piece.conversation_bytes0)
    add_counts(flow, odd, 1 - turned, piece.packets1, piece.wire_bytes1, piece.payload_bytes1,
               piece.conversation_packets1, piece.conversation_bytes1)
    set_base(flow, turned, piece.bases & 1, piece.base0, piece.seam & SYNACK0, piece.synack0)
    set_base(flow, 1 - turned, piece.bases >> 1 & 1, piece.base1, piece.seam & SYNACK1, piece.synack1)
    if piece.client_evidence > flow.client_evidence:
        flow.client_evidence, flow.client = piece.client_evidence, piece.client ^ <uint8_t> turned


cdef inline bint is_whole_after_all(const flow_t* flow, const flow_record_t* piece, int turned) noexcept nogil:
    """LN-9, now that the base is known.  The piece's own count has it outside the conversation."""
    return (piece.seam & OPENS_IN_DOUBT and has_base(flow, 1 - turned)
            and <uint32_t> (piece.opening - flow.base[1 - turned]) > <uint32_t> 1 << 31)


cdef inline void see(odd_t* odd, uint64_t frame, int direction, int64_t earliest, int64_t latest) noexcept nogil:
    """Frames of the conversation (CV-2, CV-5)."""
    if odd.conversation_frame == 0:
        odd.conversation_frame, odd.conversation_direction = frame, <uint8_t> direction
        odd.earliest_ns, odd.latest_ns = earliest, latest
    odd.earliest_ns = min(odd.earliest_ns, earliest)
    odd.latest_ns = max(odd.latest_ns, latest)


cdef inline void add_counts(flow_t* flow, odd_t* odd, int direction, uint64_t packets, uint64_t wire_bytes,
                            uint64_t payload_bytes, uint64_t in_conversation, uint64_t their_bytes) noexcept nogil:
    cdef uint64_t total = flow.packets[direction] + packets
    odd.packets_high[direction] += <uint32_t> (total >> 32)
    flow.packets[direction] = <uint32_t> total
    total = flow.wire_bytes[direction] + wire_bytes
    odd.wire_high[direction] += <uint32_t> (total >> 32)
    flow.wire_bytes[direction] = <uint32_t> total
    flow.payload_bytes[direction] += payload_bytes
    odd.packets[direction] += <uint32_t> (packets - in_conversation)
    odd.bytes[direction] += wire_bytes - their_bytes


cdef inline void set_base(flow_t* flow, int direction, bint learned, uint32_t base, bint moved,
                          uint32_t synack) noexcept nogil:
    """The first base stays (RL-2, RL-3) until a SYN+ACK moves it (ST-6)."""
    if has_base(flow, direction):
        if moved:
            flow.base[direction] = synack
    elif learned:
        flow.base[direction] = base
        flow.state |= <uint8_t> (BASE0_SET << direction)
