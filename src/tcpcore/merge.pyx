"""Several captures as one, in order of time: a rotated set, or captures that overlap.

While captures follow each other their batches are passed on without a copy; frames that overlap in
time are copied together, always the earliest of those that come next (as mergecap does).
"""
from libc.stdint cimport INT64_MAX, uint8_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

cdef enum:
    MERGED_DATA = 1 << 20
    LEAST_DATA = 1 << 16
    SIDE_FRAMES = 256                # in the batch of a capture that overlaps another one


cdef inline bint comes_first(const input_t* one, const input_t* other) noexcept nogil:
    """By the times of their next frames; of equal ones the capture that was opened first."""
    cdef int64_t time = one.frames[one.at].time_ns, other_time = other.frames[other.at].time_ns
    return time < other_time or time == other_time and one.order < other.order


cdef void sink(input_t** heap, Py_ssize_t n) noexcept nogil:
    """Put the first input, whose next frame is another one now, where it belongs."""
    cdef input_t* moved = heap[0]
    cdef Py_ssize_t at = 0, child = 1
    while child < n:
        if child + 1 < n and comes_first(heap[child + 1], heap[child]):
            child += 1
        if comes_first(moved, heap[child]):
            break
        heap[at] = heap[child]
        at, child = child, 2 * child + 1
    heap[at] = moved


cdef void rise(input_t** heap, Py_ssize_t at) noexcept nogil:
    """Put the last input, at this place, where it belongs."""
    cdef input_t* moved = heap[at]
    while at and comes_first(moved, heap[(at - 1) // 2]):
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = moved


cdef inline void renumber(frame_t* frame, const input_t* source, uint64_t number, uint64_t offset) noexcept nogil:
    frame.number = number
    frame.offset = offset
    if frame.interface_id < source.n_interface_ids:
        frame.interface_id = source.interface_ids[frame.interface_id]


cdef Py_ssize_t merge_frames(input_t** heap, Py_ssize_t n, int64_t limit, frame_t* frames, Py_ssize_t room,
                             uint8_t* data, Py_ssize_t data_room, uint64_t number, uint64_t offset,
                             Py_ssize_t* data_len) noexcept nogil:
    """Copy frames until an input runs dry, which is then the first, room ends or ``limit`` is passed; how many.

    ``data_len`` gets the bytes copied.
    """
    cdef Py_ssize_t made = 0, size = 0
    cdef input_t* source
    cdef const frame_t* next_frame
    while made < room:
        source = heap[0]
        next_frame = source.frames + source.at
        if next_frame.time_ns > limit or size + next_frame.cap_len > data_room:
            break
        memcpy(data + size, source.data + (next_frame.offset - source.data_offset), next_frame.cap_len)
        frames[made] = next_frame[0]
        renumber(frames + made, source, number + made + 1, offset + size)
        size += next_frame.cap_len
        made += 1
        source.at += 1
        if source.at == source.n_frames:
            break
        sink(heap, n)
    data_len[0] = size
    return made


cdef class Input:
    """A capture that is being delivered."""

    def __cinit__(self, reader, Py_ssize_t order, Batch batch not None):
        self.reader = reader
        self.batch = batch
        self.view.order = order

    def __dealloc__(self):
        free(self.view.interface_ids)

    cdef int map_interfaces(self, dict known, list interfaces) except -1:
        """Give the interfaces met since last time their numbers; equal ones of several captures share one."""
        cdef uint32_t n = len(self.reader.interfaces)
        cdef uint32_t* grown
        if n == self.view.n_interface_ids:
            return 0
        grown = <uint32_t*> realloc(self.view.interface_ids, n * sizeof(uint32_t))
        if grown == NULL:
            raise MemoryError
        self.view.interface_ids = grown
        while self.view.n_interface_ids < n:
            interface = self.reader.interfaces[self.view.n_interface_ids]
            number = known.setdefault(interface.identity, len(interfaces))
            if number == len(interfaces):
                interfaces.append(interface)
            self.view.interface_ids[self.view.n_interface_ids] = number
            self.view.n_interface_ids += 1
        return 0

    cdef bint read(self, bint lends) except -1:
        """Fill its batch again; False at the end."""
        self.view.at = self.view.n_frames = 0
        self.reader.lend(lends)
        if not self.reader.next(self.batch):
            return False
        self.view.frames, self.view.n_frames = self.batch.frames, self.batch.n_frames
        self.view.data, self.view.data_offset = <const char*> self.batch.data, self.batch.data_offset
        return True

    cdef int keep_data(self) except -1:
        self.batch.keep_data()
        self.view.data = <const char*> self.batch.data
        return 0


cdef class MergedReader:
    """Reads ``captures``, pairs of the first frame's time and a callable that gives the reader.

    The callable is told how many other captures are open.
    Frames are numbered through; FRAME.offset is a position in what is delivered.
    ``parts`` are the readers opened so far, each with its metadata and damage.
    """

    def __cinit__(self, captures):
        self.captures = sorted(captures, key=lambda capture: capture[0])
        self.active = {}
        self.heap = <input_t**> malloc(max(len(self.captures), 1) * sizeof(void*))
        if self.heap == NULL:
            raise MemoryError
        self.parts = []
        self.interfaces = []
        self.known_interfaces = {}

    def __dealloc__(self):
        free(self.heap)

    def next(self, Batch batch not None):
        """Fill ``batch`` with the next frames and their bytes; False at the end of the last capture."""
        cdef Input source
        batch.n_frames = batch.n_rows = batch.n_tunnels = batch.arena_len = batch.data_len = 0
        batch.give_back()
        try:
            return self._fill(batch)
        except BaseException:
            for source in self.active.values():
                source.keep_data()
            raise

    cdef bint _fill(self, Batch batch) except -1:
        cdef int64_t limit
        while batch.n_frames == 0:
            self._refill(batch.frame_capacity)
            limit = self._limit()
            if self.n_waiting == 1 and self._pass_on(batch, limit):
                break
            if self.n_waiting:
                self._merge(batch, limit)
            if batch.n_frames == 0:
                if self.n_opened == len(self.captures):
                    return False
                self._activate(SIDE_FRAMES if self.n_waiting else batch.frame_capacity)
        self.n_frames += batch.n_frames
        self.offset += batch.data_len
        return True

    def lend(self):
        """As Reader.lend, of every capture."""
        self.lends = True

    def close(self):
        """Close what is open."""
        for part in self.parts:
            part.close()

    @property
    def name(self):
        """That of the first capture."""
        return self.parts[0].name if self.parts else "captures"

    @property
    def damages(self):
        """(name, byte offset, cause) of each damaged capture met so far."""
        return [damage for part in self.parts for damage in part.damages]

    cdef int _activate(self, Py_ssize_t frames) except -1:
        reader = self.captures[self.n_opened][1](self.n_waiting)
        self.parts.append(reader)
        self.active[self.n_opened] = Input(reader, self.n_opened, Batch(frames, LEAST_DATA))
        self.n_opened += 1
        if self._read(self.n_opened - 1):
            self.heap[self.n_waiting] = &(<Input> self.active[self.n_opened - 1]).view
            self.n_waiting += 1
            rise(self.heap, self.n_waiting - 1)
        return 0

    cdef int _refill(self, Py_ssize_t frames) except -1:
        """See that the capture that comes next has a frame to give; one that has none left goes."""
        cdef input_t* dry = self.heap[0]
        if self.n_waiting == 0 or dry.at < dry.n_frames:
            return 0
        if self.n_waiting == 1 and (<Input> self.active[dry.order]).batch.frame_capacity < frames:
            (<Input> self.active[dry.order]).batch = Batch(frames, LEAST_DATA)
        if not self._read(dry.order):
            self.n_waiting -= 1
            self.heap[0] = self.heap[self.n_waiting]
        if self.n_waiting:
            sink(self.heap, self.n_waiting)
        return 0

    cdef bint _read(self, Py_ssize_t order) except -1:
        """Read on in a capture; False, and it is closed, if it has no more frames."""
        cdef Input source = self.active[order]
        if source.read(self.lends and len(self.active) == 1):       # others would have to wait for what is lent
            source.map_interfaces(self.known_interfaces, self.interfaces)
            return True
        source.reader.close()
        del self.active[order]
        return False

    cdef int64_t _limit(self) except? -1:
        """A frame later than this has to wait for a capture that is not open yet."""
        return self.captures[self.n_opened][0] if self.n_opened < len(self.captures) else INT64_MAX

    cdef bint _pass_on(self, Batch batch, int64_t limit) except -1:
        """Hand over the batch of the only capture as it is, if nothing can come between its frames.

        What has to wait for other captures is not borrowed for so long.
        """
        cdef Input source = self.active[self.heap[0].order]
        cdef Batch given = source.batch
        cdef Py_ssize_t i
        cdef bint waits = source.view.at or given.n_frames > batch.frame_capacity
        for i in range(0 if waits else given.n_frames):
            waits |= given.frames[i].time_ns > limit
        if waits:
            source.keep_data()
            return False
        for i in range(given.n_frames):
            batch.frames[i] = given.frames[i]
            renumber(batch.frames + i, &source.view, self.n_frames + i + 1,
                     self.offset + given.frames[i].offset - given.data_offset)
        batch.swap_data(given)
        batch.n_frames, batch.data_len, batch.data_offset = given.n_frames, given.data_len, self.offset
        source.view.at = given.n_frames
        return True

    cdef int _merge(self, Batch batch, int64_t limit) except -1:
        cdef const input_t* first = self.heap[0]
        batch.reserve_data(max(<Py_ssize_t> MERGED_DATA, first.frames[first.at].cap_len))
        with nogil:
            batch.n_frames = merge_frames(self.heap, self.n_waiting, limit, batch.frames, batch.frame_capacity,
                                          batch.data, batch.data_capacity, self.n_frames, self.offset, &batch.data_len)
        batch.data_offset = self.offset
        return 0
