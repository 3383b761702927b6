"""Streams put back together as their segments come: the rules, one function each.

In-order bytes are passed on where they lie in the batch; only bytes behind a hole are copied
(held.pyx).  docs/streams.md lists the rules by name; the names are repeated here.
"""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memset

from tcpcore.batch cimport PAYLOAD_IN_ARENA, segment_at
from tcpcore.flags cimport (
    ACK, BOGUS_HEADER_LENGTH, CHUNK_CUT, CHUNK_DATA, CHUNK_DROPPED, CHUNK_END, CHUNK_MISSING, CHUNK_UNSEEN,
    END_EVICTED, END_FIN, END_RESET, END_TIMEOUT, FIN, GIVEN_UP_ACKNOWLEDGED, GIVEN_UP_AT_END, GIVEN_UP_STREAM_LIMIT,
    GIVEN_UP_TOTAL_LIMIT, HAS_LEN, NOT_WAITED_FOR, QUOTED, RST, SYN)
from tcpcore.flows cimport NO_SLOT
from tcpcore.held cimport (
    BLOCK, CUT, DROPPED, arrival_t, block_place, hold_close, hold_front, hold_open, hold_pass_on, hold_put, hold_t,
    hold_yield)
from tcpcore.prefetch cimport prefetch_write
from tcpcore.ranges cimport range_t, ranges_gap, ranges_overlapped
from tcpcore.records cimport chunk_t, segment_t
from tcpcore.seqnum cimport MAX_WINDOW

cdef extern from *:
    """
    #define likely(x) __builtin_expect(!!(x), 1)
    """
    bint likely(bint x) noexcept nogil

cdef enum:
    AHEAD = 12                     # rows between prefetch and use
    ROWS_A_LOOK = 4                # at a stream that may have been silent


cdef void assemble(assembly_t* a, char* rows, Py_ssize_t stride, Py_ssize_t n_rows, const uint32_t* slots,
                   const uint8_t* capture, const uint8_t* arena) noexcept nogil:
    """Work through the rows of a batch.  ``capture`` is where byte 0 of the capture would lie."""
    cdef Py_ssize_t i
    cdef segment_t* row
    for i in range(n_rows):
        if i + AHEAD < n_rows:
            prefetch_write(&a.streams[slots[i + AHEAD]])
            prefetch_write(&a.latest[slots[i + AHEAD]])
        row = segment_at(rows, stride, i)
        if slots[i] == NO_SLOT:
            continue
        a.now = row.time_ns
        a.frame = row.frame
        a.clock = max(a.clock, row.time_ns)
        end_silent(a, slots[i])
        a.latest[slots[i]] = a.clock
        if row.present & HAS_LEN and not row.damage & (QUOTED | BOGUS_HEADER_LENGTH):
            take_segment(a, row, slots[i], capture, arena)


cdef bint is_silent(const assembly_t* a, uint32_t slot) noexcept nogil:
    """Rule TIMEOUT."""
    return (a.streams[slot].number != 0 and not a.streams[slot].flags & ENDED
            and a.clock - a.latest[slot] > a.timeout)


cdef inline void end_silent(assembly_t* a, uint32_t slot) noexcept nogil:
    """End the row's stream if it was silent for so long; and with every fourth row another, all of them in turn.

    By rows and not by batches: what comes out must not depend on where those end.
    """
    if is_silent(a, slot):
        end_stream(a, slot, END_TIMEOUT)
    a.n_seen = max(a.n_seen, slot + 1)
    a.rows += 1
    if a.rows % ROWS_A_LOOK == 0:
        a.checked = 0 if a.checked + 1 >= a.n_seen else a.checked + 1
        if a.checked != slot and is_silent(a, a.checked):
            end_stream(a, a.checked, END_TIMEOUT)


cdef inline void take_segment(assembly_t* a, const segment_t* row, uint32_t slot, const uint8_t* capture,
                              const uint8_t* arena) noexcept nogil:
    cdef stream_t* stream = &a.streams[slot]
    cdef int side = row.direction & 1, other = 1 - side
    cdef int64_t start = row.seq64 - 1 + (row.flags & SYN != 0)
    if row.flags & ACK and row.ack64 - 1 > stream.acked[other]:
        stream.acked[other] = row.ack64 - 1
    stream.number = row.stream + 1
    # Rule RESET: what a reset carries is a message about it, not data (RFC 9293 section 3.10.7).
    if row.payload_len and not row.flags & RST:
        if likely(start == stream.front[side] and row.payload_captured == row.payload_len
                  and not stream.hold[side] | stream.flags):
            emit(a, stream, side, CHUNK_DATA, start, row.payload_len, row.payload_offset, NOT_WAITED_FOR)
            stream.front[side] = start + row.payload_len
        else:
            take_payload(a, row, slot, start,
                         arena + (row.payload_offset ^ PAYLOAD_IN_ARENA) if row.payload_offset & PAYLOAD_IN_ARENA
                         else capture + row.payload_offset)
    if stream.hold[other]:
        give_up_if_acknowledged(a, slot, other)
    if row.flags & (FIN | RST) or stream.fin[side] and stream.fin[other]:
        take_close(a, row, slot, start)


cdef void end_evicted(assembly_t* a, uint32_t slot) noexcept nogil:
    """The flow table takes the slot from its stream."""
    if a.streams[slot].number and not a.streams[slot].flags & ENDED:
        a.now = a.latest[slot]
        end_stream(a, slot, END_TIMEOUT if is_silent(a, slot) else END_EVICTED)
    memset(&a.streams[slot], 0, sizeof(stream_t))


cdef inline void emit(assembly_t* a, stream_t* stream, int side, int kind, int64_t offset, int64_t length,
                      uint64_t position, int reason) noexcept nogil:
    """Pass a piece of the stream on, or say what is missing."""
    if kind == CHUNK_DATA:
        a.totals.chunks += 1
        a.totals.bytes += length
    if a.record:
        record(a, stream, side, kind, offset, length, position, reason)


cdef void record(assembly_t* a, stream_t* stream, int side, int kind, int64_t offset, int64_t length,
                 uint64_t position, int reason) noexcept nogil:
    cdef Py_ssize_t capacity
    cdef chunk_t* grown
    if a.n_chunks == a.chunk_capacity:
        capacity = 2 * a.chunk_capacity + 1024
        grown = <chunk_t*> realloc(a.chunks, capacity * sizeof(chunk_t))
        if grown == NULL:
            a.out_of_memory = True
            return
        a.chunks = grown
        a.chunk_capacity = capacity
    cdef chunk_t* chunk = &a.chunks[a.n_chunks]
    chunk.offset = offset
    chunk.time_ns = a.now
    chunk.frame = a.frame
    chunk.position = position
    chunk.length = length
    chunk.captured = <uint32_t> length if kind == CHUNK_DATA else 0
    chunk.stream = stream.number - 1
    chunk.direction = side
    chunk.kind = kind
    chunk.reason = reason
    chunk.reserved = 0
    chunk.slot = <uint32_t> (stream - a.streams)
    a.n_chunks += 1


cdef void emit_hole(assembly_t* a, stream_t* stream, int side, int64_t end, int reason) noexcept nogil:
    """Give up the bytes up to ``end``: those the receiver has acknowledged exist, the others may not."""
    cdef int64_t start = stream.front[side], middle = min(max(stream.acked[side], start), end)
    a.totals.holes += 1
    a.totals.hole_bytes += end - start
    if start < middle:
        emit(a, stream, side, CHUNK_UNSEEN, start, middle - start, 0, reason)
    if middle < end:
        emit(a, stream, side, CHUNK_MISSING, middle, end - middle, 0, reason)
    stream.front[side] = end


cdef void take_payload(assembly_t* a, const segment_t* row, uint32_t slot, int64_t start,
                       const uint8_t* payload) noexcept nogil:
    """A segment that is not simply the next: old, partly old, cut, ahead of a hole, or filling one."""
    cdef stream_t* stream = &a.streams[slot]
    cdef int side = row.direction & 1
    cdef int64_t end = start + row.payload_len, front = stream.front[side]
    cdef arrival_t arrival
    # Rule FAR: nothing so far ahead can be meant for the receiver, so nothing is kept for it.
    if start - max(front, stream.acked[side]) >= MAX_WINDOW:
        a.totals.outside += row.payload_len
        return
    # Rule OLD: what was passed on stays; this also covers keep-alive bytes (RFC 1122 4.2.3.6).
    if start < front:
        a.totals.repeated += min(end, front) - start
        if end <= front:
            return
    if stream.flags & ENDED:
        stream.flags ^= ENDED
        a.totals.resumed += 1
    arrival.sent.start = start
    arrival.sent.end = end
    arrival.sent.order = a.order
    a.order += 1
    arrival.start = max(start, front)
    arrival.bytes = payload
    arrival.captured = min(row.payload_captured, row.payload_len)
    arrival.time_ns = row.time_ns
    arrival.frame = row.frame
    if start <= front:
        pass_on(a, stream, side, &arrival, row.payload_offset)
    else:
        wait(a, slot, side, &arrival, row.payload_offset)


cdef void pass_on(assembly_t* a, stream_t* stream, int side, const arrival_t* arrival,
                  uint64_t position) noexcept nogil:
    """The segment continues the stream: pass it on, and what waits among its bytes or right after."""
    cdef int64_t place = stream.front[side], gap_end = 0
    cdef hold_t* hold
    if stream.hold[side] == 0:
        emit_part(a, stream, side, arrival, position, arrival.sent.end)
        return
    hold = &a.store.holds[stream.hold[side]]
    hold_yield(&a.store, hold, arrival)
    while ranges_gap(&a.store.ranges, &hold.ranges, &place, arrival.sent.end, &gap_end):
        drain(a, stream, side)
        emit_part(a, stream, side, arrival, position, gap_end)
        place = gap_end
    drain(a, stream, side)
    hold.acked_since = 0
    close_if_empty(a, stream, side)


cdef void emit_part(assembly_t* a, stream_t* stream, int side, const arrival_t* arrival, uint64_t position,
                    int64_t end) noexcept nogil:
    """Pass on [front, end) of a segment, and say what of it the snap length cut off."""
    cdef int64_t start = stream.front[side], captured = min(end, arrival.sent.start + arrival.captured)
    a.now = arrival.time_ns
    a.frame = arrival.frame
    if start < captured:
        emit(a, stream, side, CHUNK_DATA, start, captured - start, position + (start - arrival.sent.start),
             NOT_WAITED_FOR)
        start = captured
    if start < end:
        a.totals.cut += end - start
        emit(a, stream, side, CHUNK_CUT, start, end - start, 0, NOT_WAITED_FOR)
    stream.front[side] = end


cdef void drain(assembly_t* a, stream_t* stream, int side) noexcept nogil:
    """Pass on what waits and is in order now."""
    cdef hold_t* hold = &a.store.holds[stream.hold[side]]
    cdef range_t* held = hold_front(&a.store, hold)
    cdef int64_t now = a.now
    cdef uint64_t frame = a.frame
    while held != NULL and held.start == stream.front[side]:
        if held.ref == CUT or held.ref == DROPPED:
            a.totals.cut += held.end - held.start if held.ref == CUT else 0
            emit(a, stream, side, CHUNK_CUT if held.ref == CUT else CHUNK_DROPPED, held.start, held.end - held.start, 0,
                 NOT_WAITED_FOR)
        else:
            a.now = a.store.blocks[held.ref].time_ns
            a.frame = a.store.blocks[held.ref].frame
            a.totals.copied += held.end - held.start
            emit(a, stream, side, CHUNK_DATA, held.start, held.end - held.start,
                 block_place(&a.store, held) | CHUNK_IN_STORE, NOT_WAITED_FOR)
            a.now = now
            a.frame = frame
        stream.front[side] = held.end
        hold_pass_on(&a.store, hold, hold.ranges.first[0])
        held = hold_front(&a.store, hold)


cdef void close_if_empty(assembly_t* a, stream_t* stream, int side) noexcept nogil:
    if hold_front(&a.store, &a.store.holds[stream.hold[side]]) == NULL:
        hold_close(&a.store, stream.hold[side])
        stream.hold[side] = 0


cdef void give_up(assembly_t* a, uint32_t owner, int reason) noexcept nogil:
    """Wait no longer for the first hole of a direction that has something waiting."""
    cdef stream_t* stream = &a.streams[owner >> 1]
    cdef int side = owner & 1
    cdef hold_t* hold = &a.store.holds[stream.hold[side]]
    a.totals.given_up += reason == GIVEN_UP_STREAM_LIMIT or reason == GIVEN_UP_TOTAL_LIMIT
    emit_hole(a, stream, side, hold_front(&a.store, hold).start, reason)
    drain(a, stream, side)
    hold.acked_since = 0
    close_if_empty(a, stream, side)


cdef void give_up_if_acknowledged(assembly_t* a, uint32_t slot, int side) noexcept nogil:
    """Rule UNSEEN: the receiver has the bytes, so they will not come again; but a capture may show
    them a little after their acknowledgement."""
    cdef stream_t* stream = &a.streams[slot]
    cdef hold_t* hold = &a.store.holds[stream.hold[side]]
    if stream.acked[side] < hold_front(&a.store, hold).start:
        return
    if hold.acked_since == 0:
        hold.acked_since = a.now
    elif a.now - hold.acked_since >= a.patience:
        give_up(a, slot * 2 + side, GIVEN_UP_ACKNOWLEDGED)


cdef void keep(assembly_t* a, uint32_t slot, int side, const arrival_t* arrival) noexcept nogil:
    cdef stream_t* stream = &a.streams[slot]
    if stream.hold[side] == 0:
        stream.hold[side] = hold_open(&a.store, slot * 2 + side)
        if stream.hold[side] == 0:
            a.store.dropped += arrival.sent.end - arrival.start
            return
    hold_put(&a.store, &a.store.holds[stream.hold[side]], arrival)
    close_if_empty(a, stream, side)


cdef int64_t blocks_needed(assembly_t* a, const stream_t* stream, int side, const arrival_t* arrival) noexcept nogil:
    """At most: each waiting range that the segment meets may cost one more."""
    cdef int64_t n = 1 + (arrival.sent.end - arrival.start) // BLOCK
    if stream.hold[side]:
        n += ranges_overlapped(&a.store.ranges, &a.store.holds[stream.hold[side]].ranges, arrival.start,
                               arrival.sent.end)
    return n


cdef inline bint over(int64_t blocks, int64_t ranges, int64_t more, int64_t limit) noexcept nogil:
    """Cut ranges take no block, but twice as many ranges as blocks are too many all the same."""
    return blocks + more > limit or ranges + more >= 2 * limit


cdef void wait(assembly_t* a, uint32_t slot, int side, arrival_t* arrival, uint64_t position) noexcept nogil:
    """Keep a segment from behind a hole, within the limits."""
    cdef stream_t* stream = &a.streams[slot]
    cdef hold_t* hold
    cdef int64_t more
    while arrival.start > stream.front[side]:
        hold = &a.store.holds[stream.hold[side]]
        more = blocks_needed(a, stream, side, arrival)
        if stream.hold[side] and over(hold.n_blocks, hold.ranges.count, more, a.stream_blocks):
            give_up(a, slot * 2 + side, GIVEN_UP_STREAM_LIMIT)
        elif more > a.stream_blocks:
            a.totals.given_up += 1
            emit_hole(a, stream, side, arrival.start, GIVEN_UP_STREAM_LIMIT)
        elif a.store.oldest and over(a.store.used, a.store.ranges.used, more, a.total_blocks):
            give_up(a, a.store.holds[a.store.oldest].owner, GIVEN_UP_TOTAL_LIMIT)
        else:
            keep(a, slot, side, arrival)
            return
    if arrival.sent.end > stream.front[side]:
        arrival.start = stream.front[side]
        pass_on(a, stream, side, arrival, position)


cdef void take_close(assembly_t* a, const segment_t* row, uint32_t slot, int64_t start) noexcept nogil:
    """FIN counts where it stands in the stream, however early it came; RST counts when it comes."""
    cdef stream_t* stream = &a.streams[slot]
    cdef int side = row.direction & 1, i
    if row.flags & FIN and stream.fin[side] == 0:
        stream.fin[side] = start + row.payload_len + 1
    if stream.flags & ENDED:
        return
    if row.flags & RST:
        end_stream(a, slot, END_RESET)
        return
    for i in range(2):
        if stream.fin[i] == 0 or stream.front[i] < stream.fin[i] - 1:
            return
    end_stream(a, slot, END_FIN)


cdef void end_stream(assembly_t* a, uint32_t slot, int reason) noexcept nogil:
    """Pass on all that waits, say what is missing at the end, and that the stream is over."""
    cdef stream_t* stream = &a.streams[slot]
    cdef int side
    cdef int64_t end
    for side in range(2):
        while stream.hold[side]:
            give_up(a, slot * 2 + side, GIVEN_UP_AT_END)
        # Rule TAIL: an acknowledgement or a FIN may tell of bytes behind the last that was captured.
        # One that goes a byte too far is that of a FIN.
        end = stream.fin[side] - 1 if stream.fin[side] else (
            stream.acked[side] - (stream.acked[side] == stream.front[side] + 1))
        if stream.front[side] < end:
            emit_hole(a, stream, side, end, GIVEN_UP_AT_END)
    stream.flags |= ENDED
    a.totals.streams += 1
    emit(a, stream, 0, CHUNK_END, 0, 0, 0, reason)
