"""Segments to verdicts: what each really was, and why it was sent again (docs/verdicts.md): the VERDICT part.

Most segments are the next in order: ``is_next`` proves that with a few comparisons, and ``judge`` weighs the rest.
"""
import numpy as np

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from tcpcore.answers cimport read_answer
from tcpcore.batch cimport Batch, released_t, segment_at
from tcpcore.causes cimport find_cause
from tcpcore.clear cimport clear
from tcpcore.flags cimport (
    ACK, BY_SEQUENCE, BY_TIME, CAUSE_UNKNOWN, FILLS_GAP, HAS_LEN, HAS_MSS, HAS_SACK_PERMITTED, HAS_TIMESTAMPS,
    HOP_DIFFERS, KIND_NETWORK_DUPLICATE, KIND_NEW, KIND_NONE, KIND_PROBE, KIND_REORDERED, KIND_RETRANSMISSION,
    KIND_UNDETERMINED, LOSS_AFTER, LOSS_BEFORE, ORIGINAL_LATE, OVERTAKEN, PORTS_REUSED, QUOTED, RST, SAME_PACKET,
    SYN, FIN)
from tcpcore.flows cimport LIVE, NO_SLOT, FlowTable
from tcpcore.growable cimport grow
from tcpcore.growable cimport release as release_memory
from tcpcore.history cimport (
    add_again, again_packets, append_range, find_again, find_range, insert_range, list_capacity, list_drop, make_room,
    range_at, sent_ranges)
from tcpcore.pathtime cimport (
    EARLIEST_TIMEOUT, MS, clock_tick, is_copy, read_clock, read_counter, sent_after, shortest_trip)
from tcpcore.pool cimport account, pool_clear, pool_give_back, pool_used
from tcpcore.prefetch cimport prefetch_write
from tcpcore.probes cimport is_probe
from tcpcore.records cimport flow_verdict_t, segment_t, verdict_t
from tcpcore.sender cimport (
    AGAIN, ANSWERED, CLOCKED, ECHOING, FORGETFUL, GAP, MEASURING, OVERDUE, SACK_PERMITTED, STAMPED, STARTED,
    SYN_AGAIN, SYN_ANSWER, again_t, list_t, sender_t, sent_end, sent_t, trouble_t)
from tcpcore.seqnum cimport segment_len
from tcpcore.tally cimport count, count_delay, write_record
from tcpcore.weighing cimport CERTAIN, LIKELY, confidence_of, judge_t, show_needless, trouble_at, trouble_of, turn_t

from tcpcore.records import FLOW_VERDICT, VERDICT

cdef enum:
    FAR = 24                       # rows ahead to fetch a stream's state
    NEAR_AHEAD = 12                # ... and then the end of its list
    HISTORY_LIMIT = 512 << 20      # bytes of ranges and packets remembered, all streams together
    SURE_COUNTS = 2                # consecutive IP IDs before they may contradict the sequence numbers


cdef class Verdicts:
    """``history_limit`` bounds the bytes spent on remembering what was sent; ``forgotten`` counts what it cost.

    A verdict that later segments change is set right in its row if the batch still holds it; else it is among the
    ``corrections`` of the batch that brought the change.
    """

    cdef judge_t state

    def __cinit__(self, *, uint64_t history_limit=HISTORY_LIMIT):
        memset(&self.state, 0, sizeof(judge_t))
        self.state.streams.huge = True
        self.state.ranges.entry, self.state.ranges.limit = sizeof(sent_t), history_limit // 4 * 2
        self.state.packets.entry, self.state.packets.limit = sizeof(again_t), history_limit // 4
        self.state.troubles.entry, self.state.troubles.limit = sizeof(trouble_t), history_limit // 4

    def __dealloc__(self):
        release_memory(&self.state.streams)
        release_memory(&self.state.corrected_frames)
        release_memory(&self.state.corrected)
        pool_clear(&self.state.ranges)
        pool_clear(&self.state.packets)
        pool_clear(&self.state.troubles)

    cdef int reserve(self, Py_ssize_t n_slots) except -1:
        if grow(&self.state.streams, n_slots * 2 * sizeof(sender_t)):
            raise MemoryError
        return 0

    cdef int release(self, Batch batch) except -1:
        """Let go of what the flow table has released; the FLOW_VERDICT rows go to the batch."""
        cdef const released_t* gone = <released_t*> batch.given_up.data
        cdef Py_ssize_t i, n = batch.n_released
        cdef sender_t* senders
        out = batch.released["verdicts"] = np.zeros(n, FLOW_VERDICT)
        cdef flow_verdict_t* rows = <flow_verdict_t*> <size_t> out.ctypes.data
        with nogil:
            for i in range(n):
                senders = <sender_t*> self.state.streams.data + 2 * <uint64_t> gone[i].slot
                write_record(&self.state, senders, &rows[i])
                rows[i].stream = gone[i].stream
                start_over(&self.state, &senders[0])
                start_over(&self.state, &senders[1])
        return 0

    def process(self, Batch batch not None):
        """Fill the VERDICT part of the batch's rows, if they have one; after ``FlowTable.process``."""
        self.reserve(batch.n_slots)
        if batch.n_released:
            self.release(batch)
        self.state.rows, self.state.stride, self.state.at = batch.rows, batch.stride, batch.verdict_at
        self.state.n_rows = batch.n_rows
        self.state.n_corrected = 0
        with nogil:
            process_rows(&self.state, batch.slots)
        self.state.rows, self.state.n_rows = NULL, 0
        batch.corrections = self._corrections() if self.state.n_corrected else None

    cdef object _corrections(self):
        """Frame numbers, and VERDICT rows for them, in the order of their making: the last one for a frame counts."""
        cdef uint64_t n = self.state.n_corrected
        frames, verdicts = np.empty(n, np.uint64), np.empty(n, VERDICT)
        memcpy(<void*> <size_t> frames.ctypes.data, self.state.corrected_frames.data, n * sizeof(uint64_t))
        memcpy(<void*> <size_t> verdicts.ctypes.data, self.state.corrected.data, n * sizeof(verdict_t))
        return frames, verdicts

    def records(self, FlowTable flows not None, Py_ssize_t start=0, stop=None):
        """FLOW_VERDICT rows, one for each of ``flows.records(start, stop)``."""
        cdef Py_ssize_t slot, n = 0, end = flows.n_slots if stop is None else min(<Py_ssize_t> stop, flows.n_slots)
        out = np.zeros(max(end - max(start, 0), 0), FLOW_VERDICT)
        cdef flow_verdict_t* rows = <flow_verdict_t*> <size_t> out.ctypes.data
        for slot in range(max(start, 0), end):
            if flows.flows[slot].state & LIVE:
                write_record(&self.state, <sender_t*> self.state.streams.data + 2 * slot, &rows[n])
                rows[n].stream = flows.flows[slot].stream
                n += 1
        return out[:n]

    @property
    def forgotten(self):
        """Ranges not remembered because of ``history_limit``; what repeats them is taken for new or out of order."""
        return self.state.forgotten

    @property
    def history_bytes(self):
        return pool_used(&self.state.ranges) + pool_used(&self.state.packets) + pool_used(&self.state.troubles)

    @property
    def pools(self):
        """Bytes taken, bytes held, and times that more was refused, by what they are for."""
        return {"ranges sent": account(&self.state.ranges), "packets sent again": account(&self.state.packets),
                "senders in trouble": account(&self.state.troubles)}

    @property
    def slot_bytes(self):
        """What a stream takes beside them."""
        return 2 * sizeof(sender_t)


cdef void process_rows(judge_t* j, const uint32_t* slots) noexcept nogil:
    cdef Py_ssize_t i
    cdef segment_t* row
    cdef verdict_t* out
    cdef verdict_t unseen
    for i in range(j.n_rows):
        if i + FAR < j.n_rows:
            fetch_stream(j, slots[i + FAR])
        if i + NEAR_AHEAD < j.n_rows:
            fetch_list(j, segment_at(j.rows, j.stride, i + NEAR_AHEAD), slots[i + NEAR_AHEAD])
        row = segment_at(j.rows, j.stride, i)
        out = <verdict_t*> (<char*> row + j.at) if j.at >= 0 else &unseen
        clear(out, sizeof(verdict_t))
        if slots[i] != NO_SLOT and row.present & HAS_LEN and not row.damage & QUOTED:
            take_turn(j, row, out, slots[i])


cdef inline void fetch_stream(judge_t* j, uint32_t slot) noexcept nogil:
    cdef sender_t* senders = <sender_t*> j.streams.data + 2 * <uint64_t> slot
    cdef int line
    if slot != NO_SLOT:
        for line in range(4):                   # two of them take three lines and a bit
            prefetch_write(<uint8_t*> senders + 64 * line)


cdef inline void fetch_list(judge_t* j, const segment_t* row, uint32_t slot) noexcept nogil:
    cdef const sender_t* sender
    if slot != NO_SLOT and row.payload_len:
        sender = <sender_t*> j.streams.data + 2 * <uint64_t> slot + row.direction
        if sender.sent.block:
            prefetch_write(sent_ranges(&j.ranges, sender) + sender.sent.tail)


# -- one segment

cdef inline void take_turn(judge_t* j, segment_t* row, verdict_t* out, uint32_t slot) noexcept nogil:
    cdef turn_t t
    cdef sender_t* senders = <sender_t*> j.streams.data + 2 * <uint64_t> slot
    if row.events & PORTS_REUSED and senders[row.direction].state:             # ST-6
        start_over(j, &senders[row.direction])
    t.row, t.out = row, out
    t.sender, t.peer = &senders[row.direction], &senders[1 - row.direction]
    read_answer(j, &t)
    if row.flags & RST:
        return
    t.takes = segment_len(row.payload_len, row.flags)
    t.before = t.sender.high
    describe(&t)
    if is_next(&t):
        take_new(j, &t)
    else:
        if not t.sender.state & STARTED:
            start(&t)
        judge(j, &t)
        if out.confidence == 0:
            out.confidence = confidence_of(out.evidence)
        if out.kind > KIND_NEW:
            count(&trouble_of(j, t.sender).tally, out)
    t.sender.segments += out.kind != KIND_NONE
    look_at(&t)


cdef void start_over(judge_t* j, sender_t* sender) noexcept nogil:
    list_drop(&j.ranges, &sender.sent)
    if sender.trouble:
        list_drop(&j.packets, &trouble_at(j, sender).again)
        pool_give_back(&j.troubles, 0, sender.trouble)
    memset(sender, 0, sizeof(sender_t))


cdef inline void describe(turn_t* t) noexcept nogil:
    cdef const segment_t* row = t.row
    cdef sent_t* sent = &t.sent
    sent.start, sent.time, sent.frame = row.seq64, row.time_ns, row.frame
    sent.length = <uint32_t> t.takes
    sent.stamp = row.tsval
    sent.counter = row.ip_id if row.ip_version == 4 else 0
    sent.checksum = row.checksum
    sent.hops = row.ttl
    sent.kind = sent.reserved = 0
    sent.state = STAMPED if row.present & HAS_TIMESTAMPS else 0
    if row.flags & (SYN | ACK) == (SYN | ACK):
        sent.state |= SYN_ANSWER


cdef inline bint is_next(const turn_t* t) noexcept nogil:
    """Nothing but the next bytes, or a plain acknowledgement at the head of them."""
    cdef const sender_t* sender = t.sender
    if not sender.state & STARTED or t.row.seq64 != sender.high or t.row.flags & (SYN | FIN):
        return False
    return t.takes == 0 or not overtaken(t)


cdef inline bint overtaken(const turn_t* t) noexcept nogil:
    """Did a segment that its sender sent later come before it?"""
    cdef const sender_t* sender = t.sender
    cdef const sent_t* sent = &t.sent
    if sent.state & STAMPED and sender.state & CLOCKED and sent.stamp != sender.stamp:
        return <int> (sent.stamp - sender.stamp) < 0
    return sent.counter and sender.counter and sender.counts >= SURE_COUNTS \
        and -0x8000 < <short> (sent.counter - sender.counter) < 0


cdef inline void take_new(judge_t* j, turn_t* t) noexcept nogil:
    """First transmission at the head of the sequence space."""
    if t.takes == 0:
        return
    t.out.kind = t.sent.kind = KIND_NEW
    t.out.evidence |= BY_SEQUENCE
    t.out.confidence = CERTAIN
    push(j, t)


cdef inline void push(judge_t* j, turn_t* t) noexcept nogil:
    """What the sender sent last ends at its highest number now, and may be measured."""
    cdef sender_t* sender = t.sender
    if not append_range(&j.ranges, sender, &t.sent):
        j.forgotten += 1
    sender.high = sent_end(&t.sent)
    if not sender.state & MEASURING:
        sender.state = sender.state & ~<uint16_t> ECHOING | MEASURING
        sender.measure_end, sender.measure_time = sender.high, t.sent.time


cdef inline void look_at(turn_t* t) noexcept nogil:
    """What any segment tells of its sender's clock and counter, and of the way to the peer."""
    cdef sender_t* sender = t.sender
    cdef const segment_t* row = t.row
    cdef uint8_t kind = t.out.kind
    if t.sent.counter:
        read_counter(sender, t.sent.counter, t.sent.start >= t.before - 1, kind == KIND_NEW or t.takes == 0)
    if t.sent.state & STAMPED:
        read_clock(sender, row.tsval, row.time_ns)
        if t.takes == 0 and not sender.state & (ECHOING | MEASURING):
            sender.state |= ECHOING
            sender.measure_end, sender.measure_time = row.tsval, row.time_ns
    sender.latest = row.time_ns


# -- all that is not simply next

cdef void start(turn_t* t) noexcept nogil:
    """The first segment of a direction."""
    t.sender.state |= STARTED
    t.sender.high = t.before = t.row.seq64


cdef void judge(judge_t* j, turn_t* t) noexcept nogil:
    cdef const segment_t* row = t.row
    cdef sent_t* held
    if row.flags & SYN:
        t.sender.state |= SACK_PERMITTED * ((row.present & HAS_SACK_PERMITTED) != 0)
        t.peer.mss = row.mss if row.present & HAS_MSS else 536                 # RFC 9293 section 3.7.1
    if row.payload_len <= 1 and is_probe(j, t):
        t.out.kind = KIND_PROBE
        t.out.confidence = LIKELY
        return
    if t.takes == 0:
        return
    if t.sent.start >= t.sender.high:
        judge_head(j, t)
        return
    make_room(&j.ranges, t.sender, 3)
    held = range_at(&j.ranges, t.sender, t.sent.start)
    if is_old_copy(j, t):
        remember(j, t, KIND_NETWORK_DUPLICATE)
    elif held == NULL or held.state & GAP:
        fill_gap(j, t, held)
    else:
        judge_seen(j, t, held)
    if row.flags & SYN:
        t.sender.state |= SYN_AGAIN
    if sent_end(&t.sent) > t.sender.high:
        extend(j, t)


cdef void judge_head(judge_t* j, turn_t* t) noexcept nogil:
    """Beyond all that was seen: new, unless the sender's clock or counter says that others were sent later."""
    cdef sender_t* sender = t.sender
    cdef sent_t gap
    cdef bint late = sender.sent.tail > sender.sent.head and overtaken(t)
    if t.sent.start > sender.high and sender.sent.tail > sender.sent.head:
        gap = t.sent
        gap.start, gap.length, gap.frame = sender.high, <uint32_t> (t.sent.start - sender.high), 0
        gap.state |= GAP
        append_range(&j.ranges, sender, &gap)
    if late:
        t.out.kind = t.sent.kind = KIND_REORDERED
        t.out.evidence |= OVERTAKEN
        t.out.confidence = LIKELY
        t.sent.state |= OVERDUE
        push(j, t)
    else:
        take_new(j, t)


cdef void extend(judge_t* j, turn_t* t) noexcept nogil:
    """Sent again together with new bytes."""
    cdef sent_t rest = t.sent
    rest.start = t.sender.high
    rest.length = <uint32_t> (sent_end(&t.sent) - t.sender.high)
    rest.state |= AGAIN
    append_range(&j.ranges, t.sender, &rest)
    t.sender.high = sent_end(&t.sent)


# -- bytes that were sent before, or overtaken

cdef bint is_old_copy(judge_t* j, turn_t* t) noexcept nogil:
    """A copy of a packet that was not the first with its bytes."""
    cdef const list_t* again
    cdef const again_t* packets
    cdef int i
    if t.sender.trouble == 0:
        return False
    again = &trouble_at(j, t.sender).again
    packets = again_packets(&j.packets, again)
    for i in range(again.tail, again.head, -1):
        if is_copy(t.sender, t.peer, &t.sent, &packets[i - 1].sent):
            show_original(t, &packets[i - 1].sent)
            return True
    return False


cdef inline void show_original(turn_t* t, const sent_t* first) noexcept nogil:
    t.out.repeats = first.frame
    t.out.repeats_after = t.sent.time - first.time
    t.out.evidence |= HOP_DIFFERS * (t.sent.hops != first.hops)
    if t.sent.counter and t.sent.counter == first.counter:
        t.out.evidence |= SAME_PACKET


cdef void remember(judge_t* j, turn_t* t, uint8_t kind) noexcept nogil:
    """Give the verdict and keep the packet: later ones may be copies of it, or shed light on it."""
    cdef again_t* packet
    cdef trouble_t* trouble
    t.out.kind = t.sent.kind = kind
    t.out.confidence = confidence_of(t.out.evidence)
    trouble = trouble_of(j, t.sender)
    trouble.again_high = max(trouble.again_high, sent_end(&t.sent))
    packet = add_again(&j.packets, &trouble.again)
    if packet != NULL:
        packet.sent, packet.verdict = t.sent, t.out[0]


cdef void judge_seen(judge_t* j, turn_t* t, sent_t* first) noexcept nogil:
    """The capture has its bytes: a copy, an original that comes after its retransmission, or sent again."""
    if is_copy(t.sender, t.peer, &t.sent, first):
        show_original(t, first)
        t.out.evidence |= BY_TIME * (not t.out.evidence & SAME_PACKET)
        remember(j, t, KIND_NETWORK_DUPLICATE)
        return
    if (sent_after(t.sender, &t.sent, first, &t.out.evidence) < 0
            and first.start == t.sent.start and first.length == t.sent.length):
        t.out.evidence |= OVERTAKEN
        expose(j, t, first)
        remember(j, t, KIND_REORDERED)
        return
    show_original(t, first)
    t.out.evidence &= ~<uint32_t> SAME_PACKET
    t.out.loss_side = LOSS_AFTER
    find_cause(j, t, first)
    remember(j, t, KIND_RETRANSMISSION)


cdef void expose(judge_t* j, turn_t* t, sent_t* first) noexcept nogil:
    """``first`` had come first, but was sent second, and needlessly."""
    cdef list_t* again = &trouble_of(j, t.sender).again
    cdef again_t* packet = find_again(&j.packets, again, first.frame)
    if packet == NULL:
        packet = add_again(&j.packets, again)
        if packet == NULL:
            return
        packet.sent = first[0]
        memset(&packet.verdict, 0, sizeof(verdict_t))
    if packet.sent.kind != KIND_RETRANSMISSION:
        trouble_of(j, t.sender).tally.retransmissions += 1
        trouble_of(j, t.sender).tally.reordered -= first.kind == KIND_REORDERED
        packet.sent.kind = first.kind = KIND_RETRANSMISSION
        packet.verdict.kind, packet.verdict.trigger = KIND_RETRANSMISSION, CAUSE_UNKNOWN
        packet.verdict.confidence = CERTAIN
    packet.verdict.repeats = t.sent.frame
    packet.verdict.repeats_after = packet.sent.time - t.sent.time
    show_needless(j, t.sender, t.peer, packet, t.sent.time, ORIGINAL_LATE)


# -- bytes the capture had not seen

cdef void fill_gap(judge_t* j, turn_t* t, sent_t* gap) noexcept nogil:
    """An original that was overtaken, or sent again after it was lost before the capture point."""
    cdef sender_t* sender = t.sender
    cdef sent_t* bound = gap
    cdef int order
    if bound == NULL and sender.sent.tail > sender.sent.head:
        bound = &sent_ranges(&j.ranges, sender)[sender.sent.head]
    if bound == NULL:
        remember(j, t, KIND_UNDETERMINED)
        return
    order = sent_after(sender, &t.sent, bound, &t.out.evidence)
    if gap == NULL and sender.state & FORGETFUL:
        judge_forgotten(j, t, order)
        return
    t.out.evidence |= FILLS_GAP
    if order == 0:
        t.out.evidence |= BY_TIME
        order = order_by_time(t, bound)
    if order < 0:
        t.out.kind = t.sent.kind = KIND_REORDERED
        t.out.evidence |= OVERTAKEN
        t.sent.state |= OVERDUE
        count_delay(j, t, bound)
    elif order == 0:
        remember(j, t, KIND_UNDETERMINED)
    else:
        t.sent.state |= AGAIN
        t.out.loss_side = LOSS_BEFORE
        find_cause(j, t, gap)
        remember(j, t, KIND_RETRANSMISSION)
    place(j, t, gap)


cdef int order_by_time(turn_t* t, const sent_t* bound) noexcept nogil:
    """Neither clock nor counter tell: what is sent again comes at least a round trip after what was overtaken."""
    cdef sender_t* sender = t.sender
    cdef int64_t trip = shortest_trip(sender, t.peer), apart = t.sent.time - bound.time
    cdef double tick = clock_tick(sender)
    if sender.state & ANSWERED and sender.acked >= sent_end(&t.sent):
        return 1
    if t.sent.state & bound.state & STAMPED and 0 < tick < trip:               # within one tick of each other
        return -1
    if trip:
        return -1 if apart < trip * 9 // 10 else 1
    if apart < 4 * MS:
        return -1
    return 1 if apart >= EARLIEST_TIMEOUT else 0


cdef void judge_forgotten(judge_t* j, turn_t* t, int order) noexcept nogil:
    """Bytes from before what is remembered: not sent again while its sender was further on, unless it says so."""
    if order < 0:
        remember(j, t, KIND_NETWORK_DUPLICATE)
    else:
        find_cause(j, t, NULL)
        remember(j, t, KIND_RETRANSMISSION)


cdef void place(judge_t* j, turn_t* t, sent_t* gap) noexcept nogil:
    """Put the segment where its bytes belong; what is left of the gap stays one."""
    cdef sender_t* sender = t.sender
    cdef uint32_t i = find_range(&j.ranges, sender, t.sent.start)
    cdef sent_t rest, fill = t.sent
    if <uint32_t> sender.sent.tail + 2 > list_capacity(&sender.sent):
        j.forgotten += 1
        return
    if gap == NULL:
        place_first(j, t, i)
        return
    rest = gap[0]
    fill.length = <uint32_t> (min(sent_end(&fill), sent_end(gap)) - fill.start)
    gap.length = <uint32_t> (fill.start - gap.start)
    if gap.length == 0:
        gap[0] = fill
    else:
        insert_range(&j.ranges, sender, i, &fill)
        i += 1
    if sent_end(&fill) < sent_end(&rest):
        rest.length = <uint32_t> (sent_end(&rest) - sent_end(&fill))
        rest.start = sent_end(&fill)
        insert_range(&j.ranges, sender, i, &rest)


cdef void place_first(judge_t* j, turn_t* t, uint32_t i) noexcept nogil:
    """Below all that was seen: the bytes up to there are a gap."""
    cdef sender_t* sender = t.sender
    cdef sent_t rest = sent_ranges(&j.ranges, sender)[i], fill = t.sent
    cdef int64_t end = rest.start
    fill.length = <uint32_t> (min(sent_end(&fill), end) - fill.start)
    insert_range(&j.ranges, sender, i, &fill)
    if sent_end(&fill) < end:
        rest.start, rest.length, rest.frame = sent_end(&fill), <uint32_t> (end - sent_end(&fill)), 0
        rest.state |= GAP
        insert_range(&j.ranges, sender, i + 1, &rest)
