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


cdef Py_ssize_t earliest(const input_t* inputs, Py_ssize_t n) noexcept nogil:
    """The input whose next frame is the earliest; the first of equal ones."""
    cdef Py_ssize_t i, best = 0
    for i in range(1, n):
        if inputs[i].frames[inputs[i].at].time_ns < inputs[best].frames[inputs[best].at].time_ns:
            best = i
    return best


cdef inline void renumber(frame_t* frame, const input_t* source, uint64_t number, uint64_t offset) noexcept nogil:
    frame.number = number
    frame.offset = offset
    if frame.interface_id < source.n_interface_ids:
        frame.interface_id = source.interface_ids[frame.interface_id]


cdef Py_ssize_t merge_frames(input_t* inputs, Py_ssize_t n, int64_t limit, frame_t* frames, Py_ssize_t room,
                             uint8_t* data, Py_ssize_t data_room, uint64_t number, uint64_t offset,
                             Py_ssize_t* data_len) noexcept nogil:
    """Copy frames until an input runs dry, room ends or ``limit`` is passed; how many.

    ``data_len`` gets the bytes copied.
    """
    cdef Py_ssize_t made = 0, size = 0
    cdef input_t* source
    cdef const frame_t* next_frame
    while made < room:
        source = inputs + earliest(inputs, n)
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
    data_len[0] = size
    return made


cdef class Input:
    """A capture that is being delivered."""

    def __cinit__(self, reader, Batch batch not None):
        self.reader = reader
        self.batch = batch

    def __dealloc__(self):
        free(self.interface_ids)

    cdef int map_interfaces(self, dict known, list interfaces) except -1:
        """Give the interfaces met since last time their numbers; equal ones of several captures share one."""
        cdef uint32_t n = len(self.reader.interfaces)
        cdef uint32_t* grown
        if n == self.n_interface_ids:
            return 0
        grown = <uint32_t*> realloc(self.interface_ids, n * sizeof(uint32_t))
        if grown == NULL:
            raise MemoryError
        self.interface_ids = grown
        while self.n_interface_ids < n:
            interface = self.reader.interfaces[self.n_interface_ids]
            number = known.setdefault(interface.identity, len(interfaces))
            if number == len(interfaces):
                interfaces.append(interface)
            self.interface_ids[self.n_interface_ids] = number
            self.n_interface_ids += 1
        return 0

    cdef input_t view(self) noexcept:
        cdef input_t seen
        seen.frames, seen.at, seen.n_frames = self.batch.frames, self.at, self.batch.n_frames
        seen.data, seen.data_offset = <const char*> self.batch.data, self.batch.data_offset
        seen.interface_ids, seen.n_interface_ids = self.interface_ids, self.n_interface_ids
        return seen


cdef class MergedReader:
    """Reads ``captures``, pairs of the first frame's time and a callable that gives the reader.

    Frames are numbered through; FRAME.offset is a position in what is delivered.
    ``parts`` are the readers opened so far, each with its metadata and damage.
    """

    def __cinit__(self, captures):
        self.captures = sorted(captures, key=lambda capture: capture[0])
        self.active = []
        self.parts = []
        self.interfaces = []
        self.known_interfaces = {}

    def next(self, Batch batch not None):
        """Fill ``batch`` with the next frames and their bytes; False at the end of the last capture."""
        cdef Input source
        batch.n_frames = batch.n_rows = batch.n_tunnels = batch.arena_len = batch.data_len = 0
        batch.give_back()
        try:
            return self._fill(batch)
        except BaseException:
            for source in self.active:
                source.batch.keep_data()
            raise

    cdef bint _fill(self, Batch batch) except -1:
        cdef int64_t limit
        while batch.n_frames == 0:
            self._refill(batch.frame_capacity)
            limit = self._limit()
            if self.active and self._pass_on(batch, limit):
                break
            if self.active:
                self._merge(batch, limit)
            if batch.n_frames == 0:
                if self.n_opened == len(self.captures):
                    return False
                self._activate(SIDE_FRAMES if self.active else batch.frame_capacity)
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
        reader = self.captures[self.n_opened][1]()
        self.n_opened += 1
        self.parts.append(reader)
        self.active.append(Input(reader, Batch(frames, LEAST_DATA)))
        return 0

    cdef int _refill(self, Py_ssize_t frames) except -1:
        """See that every active capture has a frame to give; those that have none left go."""
        cdef Input source
        for source in list(self.active):
            if source.at == source.batch.n_frames:
                source.at = 0
                if len(self.active) == 1 and source.batch.frame_capacity < frames:
                    source.batch = Batch(frames, LEAST_DATA)
                source.reader.lend(self.lends and len(self.active) == 1)     # others would have to wait for it
                if source.reader.next(source.batch):
                    source.map_interfaces(self.known_interfaces, self.interfaces)
                else:
                    source.reader.close()
                    self.active.remove(source)
        return 0

    cdef int64_t _limit(self) except? -1:
        """A frame later than this has to wait for a capture that is not open yet."""
        return self.captures[self.n_opened][0] if self.n_opened < len(self.captures) else INT64_MAX

    cdef bint _pass_on(self, Batch batch, int64_t limit) except -1:
        """Hand over the batch of the only capture as it is, if nothing can come between its frames.

        What has to wait for other captures is not borrowed for so long.
        """
        cdef Input source = self.active[0]
        cdef Batch given = source.batch
        cdef input_t view = source.view()
        cdef Py_ssize_t i
        cdef bint waits = len(self.active) > 1 or source.at or given.n_frames > batch.frame_capacity
        for i in range(0 if waits else given.n_frames):
            waits |= given.frames[i].time_ns > limit
        if waits:
            given.keep_data()
            return False
        for i in range(given.n_frames):
            batch.frames[i] = given.frames[i]
            renumber(batch.frames + i, &view, self.n_frames + i + 1,
                     self.offset + given.frames[i].offset - given.data_offset)
        batch.swap_data(given)
        batch.n_frames, batch.data_len, batch.data_offset = given.n_frames, given.data_len, self.offset
        source.at = given.n_frames
        return True

    cdef int _merge(self, Batch batch, int64_t limit) except -1:
        cdef Py_ssize_t n = len(self.active), i
        cdef Input source
        cdef input_t* inputs
        for i in range(n):
            source = self.active[i]
            batch.reserve_data(max(<Py_ssize_t> MERGED_DATA, source.batch.frames[source.at].cap_len))
        inputs = <input_t*> malloc(n * sizeof(input_t))
        if inputs == NULL:
            raise MemoryError
        for i in range(n):
            source = self.active[i]
            inputs[i] = source.view()
        with nogil:
            batch.n_frames = merge_frames(inputs, n, limit, batch.frames, batch.frame_capacity, batch.data,
                                          batch.data_capacity, self.n_frames, self.offset, &batch.data_len)
        for i in range(n):
            source = self.active[i]
            source.at = inputs[i].at
        batch.data_offset = self.offset
        free(inputs)
        return 0
