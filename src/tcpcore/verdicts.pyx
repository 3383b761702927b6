"""Segments to verdicts: what each really was, and why it was sent again (docs/verdicts.md): the VERDICT part.

Most segments are the next in order: ``is_next`` proves that with a few comparisons, and ``judge`` weighs the rest.
"""
import numpy as np

from cpython.bytearray cimport PyByteArray_FromStringAndSize
from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from tcpcore.answers cimport read_answer
from tcpcore.batch cimport Batch, released_t, segment_at
from tcpcore.clear cimport clear
from tcpcore.corrections cimport confidence_of, correction_t
from tcpcore.flags cimport (
    ACK, FIN, HAS_LEN, HAS_TIMESTAMPS, KIND_NEW, KIND_NONE, PORTS_REUSED, QUOTED, RST, SYN)
from tcpcore.flows cimport NO_SLOT, FlowTable
from tcpcore.growable cimport grow
from tcpcore.growable cimport release as release_memory
from tcpcore.history cimport list_drop, sent_ranges
from tcpcore.judging cimport case_t, judge_t, sender_at, trouble_at, trouble_of
from tcpcore.kinds cimport describe, ip_counter, judge, open_direction, overtaken, take_next
from tcpcore.pathtime cimport pass_time, read_clock, read_counter
from tcpcore.pool cimport account, pool_clear, pool_give_back
from tcpcore.prefetch cimport prefetch_write
from tcpcore.records cimport flow_verdict_t, segment_t, verdict_t
from tcpcore.sender cimport (
    ECHOING, FINISHED, MEASURING, STARTED, again_t, sender_t, sent_t, trouble_t)
from tcpcore.seqnum cimport segment_len
from tcpcore.tally cimport count, write_record

from tcpcore.records import FLOW_VERDICT, VERDICT

cdef enum:
    FAR = 24                       # rows ahead to fetch a stream's state
    NEAR_AHEAD = 12                # rows ahead to fetch the end of its list
    HISTORY_LIMIT = 512 << 20      # bytes of ranges and packets remembered, all streams together


cdef class Verdicts:
    """``history_limit`` bounds the bytes spent on remembering what was sent; ``pools`` tells how often they ran out.

    Rows have the first verdicts; one that a later segment changes is among the ``corrections`` of that one's batch.
    """

    cdef judge_t state

    def __cinit__(self, *, uint64_t history_limit=HISTORY_LIMIT):
        memset(&self.state, 0, sizeof(judge_t))
        self.state.senders.huge = True
        self.state.ranges.entry, self.state.ranges.limit = sizeof(sent_t), history_limit // 4 * 2
        self.state.packets.entry, self.state.packets.limit = sizeof(again_t), history_limit // 4
        self.state.troubles.entry, self.state.troubles.limit = sizeof(trouble_t), history_limit // 4

    def __dealloc__(self):
        release_memory(&self.state.senders)
        release_memory(&self.state.corrected_frames)
        release_memory(&self.state.corrected)
        pool_clear(&self.state.ranges)
        pool_clear(&self.state.packets)
        pool_clear(&self.state.troubles)

    cdef int reserve(self, Py_ssize_t n_slots) except -1:
        if grow(&self.state.senders, n_slots * 2 * sizeof(sender_t)):
            raise MemoryError
        return 0

    cdef int release(self, Batch batch) except -1:
        """Let go of what the flow table has released; the FLOW_VERDICT rows go to the batch."""
        cdef const released_t* gone = <released_t*> batch.given_up.data
        cdef Py_ssize_t i, n = batch.n_released
        out = batch.released["verdicts"] = np.zeros(n, FLOW_VERDICT)
        cdef flow_verdict_t* rows = <flow_verdict_t*> <size_t> out.ctypes.data
        with nogil:
            for i in range(n):
                write_record(&self.state, gone[i].slot, &rows[i])
                rows[i].stream = gone[i].stream
                start_over(&self.state, sender_at(&self.state, gone[i].slot, 0))
                start_over(&self.state, sender_at(&self.state, gone[i].slot, 1))
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
        if self.state.out_of_memory:             # rows would keep verdicts that no longer hold
            raise MemoryError
        batch.corrections = self._corrections() if self.state.n_corrected else None

    cdef object _corrections(self):
        """In the order of their making: frames, VERDICT rows for them, and the frames that brought the changes."""
        cdef uint64_t n = self.state.n_corrected
        frames = PyByteArray_FromStringAndSize(<char*> self.state.corrected_frames.data, n * sizeof(correction_t))
        verdicts = PyByteArray_FromStringAndSize(<char*> self.state.corrected.data, n * sizeof(verdict_t))
        pairs = np.frombuffer(frames, np.uint64).reshape(n, 2)
        return pairs[:, 0], np.frombuffer(verdicts, VERDICT), pairs[:, 1]

    def records(self, FlowTable flows not None, slots=None):
        """FLOW_VERDICT rows, one for each of ``flows.records(slots)``."""
        cdef const uint32_t[::1] chosen = flows.chosen(slots)
        cdef Py_ssize_t i
        self.reserve(flows.n_slots)
        out = np.zeros(chosen.shape[0], FLOW_VERDICT)
        cdef flow_verdict_t* rows = <flow_verdict_t*> <size_t> out.ctypes.data
        for i in range(chosen.shape[0]):
            write_record(&self.state, chosen[i], &rows[i])
            rows[i].stream = flows.flows[chosen[i]].stream
        return out

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
            fetch_senders(j, segment_at(j.rows, j.stride, i + FAR), slots[i + FAR])
        if i + NEAR_AHEAD < j.n_rows:
            fetch_list(j, segment_at(j.rows, j.stride, i + NEAR_AHEAD), slots[i + NEAR_AHEAD])
        row = segment_at(j.rows, j.stride, i)
        out = <verdict_t*> (<char*> row + j.at) if j.at >= 0 else &unseen
        clear(out, sizeof(verdict_t))
        if slots[i] != NO_SLOT and row.present & HAS_LEN and not row.damage & QUOTED:
            take_turn(j, row, out, slots[i])


cdef inline void fetch_senders(const judge_t* j, const segment_t* row, uint32_t slot) noexcept nogil:
    if slot == NO_SLOT:
        return
    prefetch_write(sender_at(j, slot, row.direction))
    if row.flags & ACK:
        prefetch_write(sender_at(j, slot, 1 - row.direction))


cdef inline void fetch_list(const judge_t* j, const segment_t* row, uint32_t slot) noexcept nogil:
    """The end of what the sender sent, and the second line of one that is measured or done."""
    cdef const sender_t* sender
    cdef const sender_t* peer
    if slot == NO_SLOT:
        return
    sender = sender_at(j, slot, row.direction)
    peer = sender_at(j, slot, 1 - row.direction)
    if row.payload_len or row.flags & (SYN | FIN):
        prefetch_write(sent_ranges(&j.ranges, sender) + sender.sent.tail)
    if row.ack64 > peer.acked or peer.state & (ECHOING | FINISHED):
        prefetch_write(&peer.only)


# -- one segment

cdef inline void take_turn(judge_t* j, segment_t* row, verdict_t* out, uint32_t slot) noexcept nogil:
    cdef case_t t
    t.row, t.out = row, out
    t.sender, t.peer = sender_at(j, slot, row.direction), sender_at(j, slot, 1 - row.direction)
    if row.events & PORTS_REUSED:                                              # ST-6
        start_over(j, t.sender)
    j.now = row.frame
    read_answer(j, &t)
    if row.flags & RST:
        return
    t.takes = segment_len(row.payload_len, row.flags)
    t.before = t.sender.high
    if is_next(&t):
        if t.takes:
            take_next(j, &t)
    else:
        describe(&t.sent, &t)
        if not t.sender.state & STARTED:
            open_direction(&t)
        judge(j, &t)
        if out.confidence == 0:
            out.confidence = confidence_of(out.evidence)
        if out.kind > KIND_NEW:
            count(&trouble_of(j, t.sender).tally, out)
    t.sender.segments += out.kind != KIND_NONE
    look_at(&t)


cdef void start_over(judge_t* j, sender_t* sender) noexcept nogil:
    if sender.state == 0:
        return
    list_drop(&j.ranges, &sender.sent)
    if sender.trouble:
        list_drop(&j.packets, &trouble_at(j, sender).again)
        pool_give_back(&j.troubles, 0, sender.trouble)
    memset(sender, 0, sizeof(sender_t))


cdef inline bint is_next(const case_t* t) noexcept nogil:
    """Nothing but the next bytes, or a plain acknowledgement at the head of them."""
    cdef const sender_t* sender = t.sender
    if not sender.state & STARTED or t.row.seq64 != sender.high or t.row.flags & (SYN | FIN):
        return False
    return t.takes == 0 or not overtaken(t)


cdef inline void look_at(case_t* t) noexcept nogil:
    """What any segment tells of its sender's clock and counter, and of the way to the peer."""
    cdef sender_t* sender = t.sender
    cdef const segment_t* row = t.row
    cdef uint16_t counter = ip_counter(row)
    pass_time(sender, row.time_ns)
    if counter:
        read_counter(sender, counter, row.seq64 >= t.before - 1, t.out.kind == KIND_NEW or t.takes == 0)
    if row.present & HAS_TIMESTAMPS:
        read_clock(sender, row.tsval)
        if t.takes == 0 and not sender.state & (ECHOING | MEASURING):
            sender.state |= ECHOING
            sender.measure_end, sender.measure_age = row.tsval, 0
