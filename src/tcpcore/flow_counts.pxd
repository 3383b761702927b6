"""What a stream has carried: counting it, and the record of it."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from tcpcore.flags cimport IN_CONVERSATION, QUOTED, STREAM_CREATED
from tcpcore.flows cimport BASE0_SET, BASE1_SET, IRREGULAR, flow_t, odd_t, table_t
from tcpcore.records cimport flow_record_t, segment_t


cdef inline void count_segment(table_t* t, const segment_t* row, flow_t* flow, uint32_t slot,
                               int direction) noexcept nogil:
    if not row.events & IN_CONVERSATION or row.time_delta < 0 or flow.state & IRREGULAR:
        count_odd(<odd_t*> t.odd.data + slot, row, flow, direction)
    if row.damage & QUOTED:
        return
    flow.wire_bytes[direction] += row.frame_len
    if flow.wire_bytes[direction] < row.frame_len:
        (<odd_t*> t.odd.data)[slot].wire_high[direction] += 1
    flow.payload_bytes[direction] += row.payload_len
    flow.packets[direction] += 1
    if flow.packets[direction] == 0:
        (<odd_t*> t.odd.data)[slot].packets_high[direction] += 1


cdef inline void count_odd(odd_t* odd, const segment_t* row, flow_t* flow, int direction) noexcept nogil:
    """Keep apart what is outside the conversation, and its times once they are not simply first and last (CV-5)."""
    if not flow.state & IRREGULAR:
        flow.state |= IRREGULAR
        if not row.events & STREAM_CREATED:     # so far all frames were in the conversation
            odd.conversation_frame = flow.first_frame
            odd.earliest_ns, odd.latest_ns = flow.first_ns, flow.previous_ns
    if row.events & IN_CONVERSATION:
        if odd.conversation_frame == 0:
            odd.conversation_frame = row.frame
            odd.conversation_direction = <uint8_t> direction
            odd.earliest_ns, odd.latest_ns = row.time_ns, row.time_ns
        odd.earliest_ns = min(odd.earliest_ns, row.time_ns)
        odd.latest_ns = max(odd.latest_ns, row.time_ns)
    elif row.damage & QUOTED:
        odd.quoted += 1
    else:
        odd.packets[direction] += 1
        odd.bytes[direction] += row.frame_len


cdef inline void write_record(const table_t* t, uint32_t slot, flow_record_t* out) noexcept nogil:
    cdef const flow_t* flow = <flow_t*> t.flows.data + slot
    cdef const odd_t* odd = <odd_t*> t.odd.data + slot
    out.first_ns = flow.first_ns
    out.first_frame = flow.first_frame
    out.addr0_hi, out.addr0_lo, out.port0 = flow.key.hi[0], flow.key.lo[0], flow.key.port[0]
    out.addr1_hi, out.addr1_lo, out.port1 = flow.key.hi[1], flow.key.lo[1], flow.key.port[1]
    out.ip_version = flow.key.ip_version
    out.stream = flow.stream
    out.base0, out.base1, out.bases = flow.base[0], flow.base[1], flow.state & (BASE0_SET | BASE1_SET)
    out.client, out.client_evidence, out.evicted = flow.client, flow.client_evidence, flow.evicted
    out.wire_bytes0 = flow.wire_bytes[0] | <uint64_t> odd.wire_high[0] << 32
    out.wire_bytes1 = flow.wire_bytes[1] | <uint64_t> odd.wire_high[1] << 32
    out.payload_bytes0, out.payload_bytes1 = flow.payload_bytes[0], flow.payload_bytes[1]
    out.packets0 = flow.packets[0] | <uint64_t> odd.packets_high[0] << 32
    out.packets1 = flow.packets[1] | <uint64_t> odd.packets_high[1] << 32
    out.seam, out.opening, out.opening_len = odd.seam, odd.opening, odd.opening_len
    out.synack0, out.synack1 = odd.synack[0], odd.synack[1]
    write_conversation(flow, odd, out)


cdef inline void write_conversation(const flow_t* flow, const odd_t* odd, flow_record_t* out) noexcept nogil:
    """What `-z conv,tcp` counts: all frames but the odd ones (CV-5, CV-6)."""
    out.quoted = odd.quoted
    out.conversation_packets0 = out.packets0 - odd.packets[0]
    out.conversation_packets1 = out.packets1 - odd.packets[1]
    out.conversation_bytes0 = out.wire_bytes0 - odd.bytes[0]
    out.conversation_bytes1 = out.wire_bytes1 - odd.bytes[1]
    if flow.state & IRREGULAR:
        out.earliest_ns, out.latest_ns = odd.earliest_ns, odd.latest_ns
        out.conversation_frame, out.conversation_direction = odd.conversation_frame, odd.conversation_direction
    else:
        out.earliest_ns, out.latest_ns = flow.first_ns, flow.previous_ns
        out.conversation_frame = out.first_frame
