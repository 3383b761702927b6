"""Segments to streams (SEMANTICS sections ST, RL, TM, CV): numbers, directions, relative numbers, counts."""
import os

import numpy as np

from libc.stdint cimport INT64_MIN, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from tcpcore.batch cimport Batch, released_t, segment_at
from tcpcore.eviction cimport choose, free_slots
from tcpcore.flags cimport (
    ACK, EVICTED_IDLE, EVICTED_PRESSURE, HAS_SEQ, PORTS_REUSED, STREAM_CREATED, SYN, SYN_REPEATED)
from tcpcore.flow_counts cimport write_record
from tcpcore.flow_segment cimport update
from tcpcore.flowkey cimport direction_of, hash_row, set_key
from tcpcore.growable cimport grow, release
from tcpcore.idle cimport choose_silent, end_if_silent, is_silent, looks, note_heard, note_time
from tcpcore.prefetch cimport prefetch_write
from tcpcore.records cimport flow_record_t, segment_t
from tcpcore.seam cimport depends_on_past, note_opening, note_syn

from tcpcore.records import FLOW

cdef enum:
    BLOCK = 32                     # rows whose places, and then streams, are fetched at a time
    MIN_PLACES = 1 << 12
    PLACES = 3                     # of a stream, at most
    AT_ONCE = 1 << 13              # streams released before one batch, unless it needs more room

SLOT_BYTES = sizeof(flow_t) + sizeof(odd_t) + sizeof(uint64_t) * (1 + PLACES) + sizeof(uint32_t)

ctypedef struct lookup_t:
    uint32_t tag
    uint64_t place                 # where to look from


cdef class FlowTable:
    """Streams by slot.  Slots equal stream numbers until some are used again.

    ``max_flows``: streams held at a time.  When a batch may bring more, room for it is made before: streams that are
    over or have long been silent give up their slots (eviction.pxd).  Their records go to ``batch.released``; all
    other stages let go of these slots, and add theirs, before they look at the rows of the batch.  A stream that
    sends again after that gets another number.  A batch with more rows than ``max_flows`` has its way.

    ``idle_ns``: a stream that nothing is heard of for longer is over, released early and marked; what comes
    between its ends later is another one.  0: there is no such time.

    ``max_streams``: how many there may be in all.  There are no numbers for more, so the capture ends before a batch
    that might bring them (``out_of_numbers``).

    ``pieces``: the capture goes on from another one, and what the streams were there is not known.  A stream whose
    further course depends on it is cut into pieces, a record each, which FlowMerger joins (seam.pxd).

    ``seed``: 24 bytes for tests that want the same table every time; random otherwise, so that
    nobody can prepare streams that collide.
    """

    def __cinit__(self, *, seed=None, uint32_t max_flows=NO_SLOT - 1, uint32_t max_streams=NO_SLOT - 1,
                  int64_t idle_ns=0, bint pieces=False):
        cdef bytes secret = os.urandom(24) if seed is None else bytes(seed)
        if len(secret) != 24:
            raise ValueError("a seed has 24 bytes")
        memset(&self.table, 0, sizeof(table_t))
        memcpy(&self.table.secret, <const char*> secret, 24)
        self.table.secret.port |= 1
        self.table.max_slots = max_flows
        self.table.max_streams = max_streams
        self.table.hand = NO_SLOT                # the first search begins a round
        self.table.idle_ns = idle_ns
        self.table.clock_ns = INT64_MIN          # there are times before 1970
        self.table.pieces = pieces
        self.table.places.huge = self.table.flows.huge = True
        self.reserve(0)

    def __dealloc__(self):
        release(&self.table.places)
        release(&self.table.flows)
        release(&self.table.odd)
        release(&self.table.free_slots)
        release(&self.table.heard)

    cdef int reserve(self, Py_ssize_t n_rows) except -1:
        """Room for ``n_rows`` new streams."""
        cdef table_t* t = &self.table
        cdef uint64_t slots = <uint64_t> t.n_slots + max(n_rows - <Py_ssize_t> t.n_free, 0)
        if slots >= NO_SLOT or t.n_streams + n_rows > t.max_streams:
            raise OverflowError("more streams than there are numbers for")
        if (grow(&t.flows, slots * sizeof(flow_t)) or grow(&t.odd, slots * sizeof(odd_t))
                or grow_places(t, t.used + n_rows)
                or t.idle_ns and grow(&t.heard, slots * sizeof(int64_t))):
            raise MemoryError
        self.flows = <flow_t*> t.flows.data
        return 0

    def process(self, Batch batch not None):
        """Set the flows part of each row (stream, direction, relative numbers, times, events) and ``slots``.

        False, and nothing is done, if it might take more numbers than there are.
        """
        self.out_of_numbers = self.table.n_streams + <uint64_t> batch.n_rows > self.table.max_streams
        if self.out_of_numbers:
            return False
        self.make_room(batch)
        self.reserve(batch.n_rows)
        with nogil:
            process_rows(&self.table, batch.rows, batch.stride, batch.n_rows, batch.slots)
        if batch.n_rows:
            self.table.latest_ns = segment_at(batch.rows, batch.stride, batch.n_rows - 1).time_ns
        self.n_slots = batch.n_slots = self.table.n_slots
        return True

    cdef int make_room(self, Batch batch) except -1:
        """Release silent streams; and several batches' worth at once, if the batch could bring more than may be."""
        cdef table_t* t = &self.table
        cdef uint32_t silent = self.find_silent(batch)
        cdef int64_t live = t.n_slots - t.n_free - silent, over = live + batch.n_rows - t.max_slots
        cdef uint32_t wanted = 0 if over <= 0 else <uint32_t> min(live, max(over, min(t.max_slots // 8, AT_ONCE)))
        cdef uint32_t n = silent + wanted
        cdef flow_record_t* rows
        cdef Py_ssize_t i
        batch.n_released, batch.released = 0, None
        if n == 0:
            return 0
        if grow(&batch.given_up, n * sizeof(released_t)) or grow(&t.free_slots, t.n_slots * sizeof(uint32_t)):
            raise MemoryError
        out = np.zeros(n, FLOW)
        rows = <flow_record_t*> <size_t> out.ctypes.data
        with nogil:
            choose(t, <released_t*> batch.given_up.data + silent, wanted)
            for i in range(n):
                write_record(t, (<released_t*> batch.given_up.data)[i].slot, &rows[i])
            free_slots(t, <released_t*> batch.given_up.data, n)
        batch.n_released, batch.released = n, {"flows": out}
        return 0

    cdef uint32_t find_silent(self, Batch batch) except? 0:
        """How many of the streams looked at now the time-out has ended: the first of ``given_up``."""
        cdef uint32_t n_looks = looks(&self.table, batch.n_rows)
        if grow(&batch.given_up, n_looks * sizeof(released_t)):
            raise MemoryError
        with nogil:
            return choose_silent(&self.table, <released_t*> batch.given_up.data, n_looks)

    def end_silent(self):
        """At the end of the capture: mark all streams held that the time-out has ended."""
        cdef uint32_t slot
        if self.table.idle_ns:
            with nogil:
                for slot in range(self.table.n_slots):
                    end_if_silent(&self.table, slot)

    @property
    def evicted(self):
        """Streams that gave up their slots: because they were over or idle, and for want of room."""
        return self.table.evicted[<int> EVICTED_IDLE], self.table.evicted[<int> EVICTED_PRESSURE]

    @property
    def n_held(self):
        """Streams that have not given up their slots."""
        return self.table.n_slots - self.table.n_free

    @property
    def slot_bytes(self):
        """What a stream takes."""
        return SLOT_BYTES

    @property
    def pools(self):
        return {}

    @property
    def n_streams(self):
        """Streams so far: the next stream's number."""
        return self.table.n_streams

    def slots(self, Py_ssize_t start=0, stop=None):
        """Those from ``start`` to ``stop`` that hold a stream."""
        cdef Py_ssize_t end = self.n_slots if stop is None else min(<Py_ssize_t> stop, self.n_slots)
        out = np.empty(max(end - max(start, 0), 0), np.uint32)
        cdef Py_ssize_t slot, n = 0
        cdef uint32_t* found = <uint32_t*> <size_t> out.ctypes.data
        for slot in range(max(start, 0), end):
            if self.flows[slot].state & LIVE:
                found[n] = <uint32_t> slot
                n += 1
        return out[:n]

    cdef const uint32_t[::1] chosen(self, slots):
        """``slots``, or all that hold a stream; ValueError for one that does not exist."""
        if slots is None:
            return self.slots()
        cdef const uint32_t[::1] given = slots
        cdef Py_ssize_t i
        for i in range(given.shape[0]):
            if given[i] >= self.n_slots:
                raise ValueError("no such slot")
        return given

    def records(self, slots=None):
        """FLOW rows of ``slots`` (all that hold a stream)."""
        cdef const uint32_t[::1] chosen = self.chosen(slots)
        cdef Py_ssize_t i
        out = np.zeros(chosen.shape[0], FLOW)
        cdef flow_record_t* rows = <flow_record_t*> <size_t> out.ctypes.data
        for i in range(chosen.shape[0]):
            write_record(&self.table, chosen[i], &rows[i])
        return out

    def slot_of(self, uint32_t stream, uint32_t likely):
        """The slot that holds the stream; None if none does.  Looks through all if it is not the likely one."""
        cdef Py_ssize_t slot
        cdef uint32_t found = NO_SLOT
        if likely < self.n_slots and self.flows[likely].stream == stream and self.flows[likely].state & LIVE:
            return likely
        with nogil:
            for slot in range(self.n_slots):
                if self.flows[slot].stream == stream and self.flows[slot].state & LIVE:
                    found = <uint32_t> slot
        return None if found == NO_SLOT else found

    def latest(self, Py_ssize_t count):
        """Slots of the ``count`` streams that had a segment last, the latest first."""
        slots = self.slots()
        cdef const uint32_t[::1] chosen_slots = slots
        cdef Py_ssize_t i, n = chosen_slots.shape[0]
        times = np.empty(n, np.int64)
        cdef int64_t* time_at = <int64_t*> <size_t> times.ctypes.data
        for i in range(n):
            time_at[i] = self.flows[chosen_slots[i]].previous_ns
        chosen = np.argpartition(times, n - count)[n - count:] if 0 < count < n else np.arange(n)
        return slots[chosen[np.argsort(-times[chosen], kind="stable")]][:count]


# -- the table: places[tag & mask] and onwards, until an empty place

cdef int grow_places(table_t* t, uint64_t wanted) noexcept nogil:
    """Keep a third of the places empty, so that a search ends soon.  The tags suffice to place all again."""
    cdef growable_t grown
    cdef uint64_t i, n = max(t.mask + 1, <uint64_t> MIN_PLACES)
    cdef uint64_t* places = <uint64_t*> t.places.data
    while n / 3 * 2 < wanted:
        n *= 2
    if places != NULL and n == t.mask + 1:
        return 0
    memset(&grown, 0, sizeof(growable_t))
    grown.huge = True
    if grow(&grown, n * sizeof(uint64_t)):
        return -1
    if places != NULL:
        for i in range(t.mask + 1):
            if places[i]:
                put_place(<uint64_t*> grown.data, n - 1, places[i])
    release(&t.places)
    t.places = grown
    t.mask = n - 1
    return 0


cdef inline void put_place(uint64_t* places, uint64_t mask, uint64_t entry) noexcept nogil:
    cdef uint64_t i = (entry >> 32) & mask
    while places[i]:
        i = (i + 1) & mask
    places[i] = entry


cdef inline uint64_t look(const table_t* t, uint32_t tag, uint64_t i) noexcept nogil:
    """The first place from ``i`` on that is empty or has the tag."""
    cdef const uint64_t* places = <uint64_t*> t.places.data
    while places[i] and places[i] >> 32 != tag:
        i = (i + 1) & t.mask
    return i


cdef inline uint64_t* find(table_t* t, const segment_t* row, const lookup_t* at, int* direction) noexcept nogil:
    """The place that leads to the row's stream, or the empty one where it belongs."""
    cdef uint64_t* places = <uint64_t*> t.places.data
    cdef flow_t* flows = <flow_t*> t.flows.data
    cdef uint64_t i = look(t, at.tag, at.place)
    while places[i]:
        direction[0] = direction_of(row, &flows[<uint32_t> places[i] - 1].key)
        if direction[0] >= 0:
            break
        i = look(t, at.tag, (i + 1) & t.mask)
    return &places[i]


# -- batches: rows are hashed and their places fetched, then their streams fetched, and then they are followed

cdef void process_rows(table_t* t, char* rows, Py_ssize_t stride, Py_ssize_t n_rows, uint32_t* slots) noexcept nogil:
    cdef lookup_t[BLOCK] lookups
    cdef bint bounded = t.idle_ns != 0 or t.pieces
    cdef Py_ssize_t i, n
    while n_rows:
        n = min(n_rows, <Py_ssize_t> BLOCK)
        for i in range(n):
            fetch_place(t, segment_at(rows, stride, i), &lookups[i])
        for i in range(n):
            fetch_flow(t, &lookups[i])
        for i in range(n):
            slots[i] = follow(t, segment_at(rows, stride, i), &lookups[i], bounded)
        rows += n * stride
        slots += n
        n_rows -= n


cdef inline void fetch_place(const table_t* t, const segment_t* row, lookup_t* at) noexcept nogil:
    at.tag = hash_row(row, &t.secret)
    at.place = at.tag & t.mask
    prefetch_write(<uint64_t*> t.places.data + at.place)


cdef inline void fetch_flow(const table_t* t, lookup_t* at) noexcept nogil:
    cdef uint64_t place
    cdef flow_t* flow
    at.place = look(t, at.tag, at.place)
    place = (<uint64_t*> t.places.data)[at.place]
    if place:
        flow = <flow_t*> t.flows.data + (<uint32_t> place - 1)
        prefetch_write(flow)
        prefetch_write(&flow.first_ns)
        if t.idle_ns:
            prefetch_write(<int64_t*> t.heard.data + (<uint32_t> place - 1))


cdef inline uint32_t follow(table_t* t, segment_t* row, const lookup_t* at, bint bounded) noexcept nogil:
    """One row: its stream found or created, and brought up to date.  Returns the slot.

    ``bounded``: streams may end by time or be cut into pieces.
    """
    cdef uint64_t* place
    cdef uint32_t slot
    cdef int direction
    if not row.present & HAS_SEQ:               # LN-3, ST-9: too little of a header for a stream
        return NO_SLOT
    place = find(t, row, at, &direction)
    if bounded and t.idle_ns:
        note_time(t, row.time_ns)
    if place[0] == 0:
        slot = create(t, row, at.tag, place)
    else:
        slot = <uint32_t> place[0] - 1
        if bounded and is_over(t, row, slot, direction):
            slot = create_again(t, row, at.tag, place)
        elif row.flags & SYN:
            slot = repeated_syn(t, row, at.tag, place, direction)
    if row.events & STREAM_CREATED:
        direction = 0
    update(t, row, slot, direction)
    if bounded:
        note_bounds(t, row, slot, direction)
    return slot


cdef inline bint is_over(const table_t* t, const segment_t* row, uint32_t slot, int direction) noexcept nogil:
    return (t.idle_ns and is_silent(t, slot)
            or t.pieces and depends_on_past(row, <odd_t*> t.odd.data + slot, direction))


cdef inline void note_bounds(table_t* t, const segment_t* row, uint32_t slot, int direction) noexcept nogil:
    if t.pieces:
        note_piece(t, row, slot, direction)
    if t.idle_ns:
        note_heard(t, slot)


cdef inline void note_piece(table_t* t, const segment_t* row, uint32_t slot, int direction) noexcept nogil:
    if row.events & STREAM_CREATED:
        note_opening(row, <odd_t*> t.odd.data + slot)
    if row.flags & SYN:
        note_syn(row, <flow_t*> t.flows.data + slot, <odd_t*> t.odd.data + slot, direction)


cdef uint64_t* find_place(table_t* t, const segment_t* row, uint32_t* tag, int* direction) noexcept nogil:
    """As ``find``, one row at a time."""
    cdef lookup_t at
    fetch_place(t, row, &at)
    tag[0] = at.tag
    return find(t, row, &at, direction)


cdef uint32_t create(table_t* t, segment_t* row, uint32_t tag, uint64_t* place) noexcept nogil:
    """A stream with the next number takes the place (ST-1)."""
    cdef uint32_t slot
    cdef flow_t* flow
    if t.n_free:
        t.n_free -= 1
        slot = (<uint32_t*> t.free_slots.data)[t.n_free]
    else:
        slot = t.n_slots
        t.n_slots += 1
    flow = <flow_t*> t.flows.data + slot
    set_key(&flow.key, row)
    flow.stream = <uint32_t> t.n_streams
    flow.state = LIVE | REACHABLE
    flow.first_ns = flow.previous_ns = row.time_ns
    flow.client = row.src_port < row.dst_port
    flow.first_frame = row.frame
    t.n_streams += 1
    t.used += place[0] == 0
    place[0] = <uint64_t> tag << 32 | (slot + 1)
    row.events |= STREAM_CREATED
    return slot


cdef uint32_t repeated_syn(table_t* t, segment_t* row, uint32_t tag, uint64_t* place, int direction) noexcept nogil:
    """With another number, a SYN uses the ports again (ST-3), and a SYN+ACK moves its base (ST-6)."""
    cdef uint32_t slot = <uint32_t> place[0] - 1
    cdef flow_t* flow = <flow_t*> t.flows.data + slot
    if not has_base(flow, direction):
        return slot
    if row.seq_raw == flow.base[direction]:
        row.events |= SYN_REPEATED * (row.flags & ACK == 0)
        return slot
    row.events |= PORTS_REUSED
    if row.flags & ACK:
        flow.base[direction] = row.seq_raw
        flow.reference[direction] = 0
        return slot
    return create_again(t, row, tag, place)


cdef uint32_t create_again(table_t* t, segment_t* row, uint32_t tag, uint64_t* place) noexcept nogil:
    """A stream in the place of another between the same ends."""
    (<flow_t*> t.flows.data + (<uint32_t> place[0] - 1)).state &= ~<uint8_t> REACHABLE
    return create(t, row, tag, place)
