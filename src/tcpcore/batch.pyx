"""Storage of a batch, reused from one batch to the next; nothing is allocated per frame."""
import numpy as np

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.ref cimport Py_REFCNT
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

from tcpcore.growable cimport release
from tcpcore.sanitize cimport spare, unfence

from tcpcore.errors import CaptureError
from tcpcore.records import ANALYSIS, FRAME, SEGMENT, STATES, TUNNEL, VERDICT, join

cdef enum:
    MOST_SPARE = 4
    OWN_REFERENCES = 2           # the batch's, and that of the call that counts them


@cython.no_gc_clear              # the lender is needed to the end
cdef class Batch:
    """Room for ``frames`` frames, their bytes, and one row for each TCP segment among them.

    ``analysis``, ``states`` and ``verdicts`` say which parts a row has beside SEGMENT; a stage whose
    part is absent must not be run on the batch.
    """

    def __cinit__(self, Py_ssize_t frames=2048, Py_ssize_t data=1 << 20, *, bint analysis=False,
                  bint states=False, bint verdicts=False):
        if frames < 1 or data < 64:
            raise ValueError("a batch holds at least one frame and 64 bytes")
        parts = {"segment": SEGMENT}
        self.analysis_at = self.states_at = self.verdict_at = -1
        cdef Py_ssize_t at = sizeof(segment_t)
        if analysis:
            parts["analysis"] = ANALYSIS
            self.analysis_at = at
            at += sizeof(analysis_t)
        if states:
            parts["states"] = STATES
            self.states_at = at
            at += sizeof(states_t)
        if verdicts:
            parts["verdict"] = VERDICT
            self.verdict_at = at
            at += sizeof(verdict_t)
        self.dtype = join(**parts)
        self.spare = []
        self.stride = at
        self.frame_capacity = frames
        self.frames = <frame_t*> malloc(frames * sizeof(frame_t))
        self.slots = <uint32_t*> malloc(frames * sizeof(uint32_t))
        if self.frames == NULL or self.slots == NULL:
            raise MemoryError
        self.use_room(np.zeros(frames, self.dtype))
        memset(self.slots, 0xFF, frames * sizeof(uint32_t))          # no slots yet
        self.reserve_data(data)

    def __dealloc__(self):
        if self.lender is not None:
            self.lender.take_back()
        free(self.buffer)
        free(self.frames)
        free(self.slots)
        free(self.tunnels)
        free(self.arena)
        release(&self.given_up)

    cdef int reserve_data(self, Py_ssize_t capacity) except -1:
        """Make room for ``capacity`` bytes of capture in the buffer; what is there stays."""
        self.give_back()
        self._grow_buffer(capacity)
        self.data = self.buffer
        return 0

    cdef int _grow_buffer(self, Py_ssize_t capacity) except -1:
        cdef uint8_t* grown
        unfence(self.buffer, self.data_capacity)
        if capacity > self.data_capacity:
            grown = <uint8_t*> realloc(self.buffer, capacity)
            if grown == NULL:
                raise MemoryError
            self.buffer = grown
            self.data_capacity = capacity
        return 0

    cdef Py_ssize_t borrow(self, Lender lender, uint64_t offset, Py_ssize_t size) except -2:
        """Let ``data`` be ``size`` bytes of a file, or what there is; how many, -1 if they have to be read."""
        self.give_back()
        self.window = lender.lend(offset, &size)
        if self.window is None:
            return -1
        self.lender = lender
        self.data = self.window.pages + (offset - self.window.start)
        return size

    def give_back(self):
        """Have done with the bytes, and end their loan if they are borrowed: they cannot be looked at any more.

        CaptureError if the file may have changed meanwhile, in a process that stood still for long.
        """
        cdef Lender lender = self.lender
        self.data = NULL
        self.lender = self.window = None
        if lender is not None and not lender.take_back():
            raise CaptureError(lender.name, "was written while it was read")

    cdef int keep_data(self) except -1:
        """Copy what is borrowed, and give it back."""
        if self.lender is not None:
            self._grow_buffer(self.data_len)
            memcpy(self.buffer, self.data, self.data_len)
            try:
                self.give_back()
            finally:
                self.data = self.buffer
        return 0

    cdef void swap_data(self, Batch other) noexcept:
        """Exchange the bytes of two batches, with what they lie in."""
        self.data, other.data = other.data, self.data
        self.buffer, other.buffer = other.buffer, self.buffer
        self.data_capacity, other.data_capacity = other.data_capacity, self.data_capacity
        self.lender, other.lender = other.lender, self.lender
        self.window, other.window = other.window, self.window

    cdef const uint8_t* capture(self) except? NULL:
        """Where byte 0 of the capture would lie; RuntimeError if the bytes were given back."""
        if self.data == NULL and self.data_len:
            raise RuntimeError("the bytes of this batch are not there any more: ask for a pass with payload=True")
        return self.data - self.data_offset

    cdef tunnel_t* add_tunnel(self) except NULL nogil:
        """A new row of the side table; its number is ``n_tunnels`` afterwards."""
        cdef Py_ssize_t capacity
        cdef tunnel_t* grown
        if self.n_tunnels == self.tunnel_capacity:
            capacity = self.tunnel_capacity * 2 + 64
            grown = <tunnel_t*> realloc(self.tunnels, capacity * sizeof(tunnel_t))
            if grown == NULL:
                with gil:
                    raise MemoryError
            self.tunnels = grown
            self.tunnel_capacity = capacity
        self.n_tunnels += 1
        return &self.tunnels[self.n_tunnels - 1]

    cdef uint8_t* add_arena(self, Py_ssize_t size) except NULL nogil:
        """Room for one joined datagram; earlier ones may move."""
        cdef Py_ssize_t capacity
        cdef uint8_t* grown
        if self.arena_len + size > self.arena_capacity:
            capacity = self.arena_len + size + <Py_ssize_t> spare(self.arena_len + size)
            grown = <uint8_t*> realloc(self.arena, capacity)
            if grown == NULL:
                with gil:
                    raise MemoryError
            self.arena = grown
            self.arena_capacity = capacity
        self.arena_len += size
        return self.arena + self.arena_len - size

    @property
    def data_bytes(self):
        """The capture bytes of this batch, copied; RuntimeError if the pass did not ask for payload."""
        return PyBytes_FromStringAndSize(<char*> self.capture() + self.data_offset, self.data_len)

    @property
    def arena_bytes(self):
        """The datagrams joined in this batch, copied; a payload_offset with the top bit set counts in them."""
        return PyBytes_FromStringAndSize(<char*> self.arena, self.arena_len)

    def keep(self, const unsigned char[::1] chosen not None):
        """Drop the rows whose place in ``chosen`` (a bool array of n_rows) is false."""
        cdef Py_ssize_t i, kept = 0
        if chosen.shape[0] != self.n_rows:
            raise ValueError("one choice for each row")
        for i in range(self.n_rows):
            if chosen[i]:
                if kept < i:
                    memcpy(self.rows + kept * self.stride, self.rows + i * self.stride, self.stride)
                    self.slots[kept] = self.slots[i]
                kept += 1
        self.n_rows = kept

    def keep_frames(self, const unsigned char[::1] chosen not None):
        """Drop the frames whose place in ``chosen`` (a bool array of n_frames) is false; rows stay."""
        if chosen.shape[0] != self.n_frames:
            raise ValueError("one choice for each frame")
        if self.n_frames:
            self.drop_frames(&chosen[0])

    cdef void drop_frames(self, const uint8_t* chosen) noexcept nogil:
        """Those for which ``chosen`` has 0."""
        cdef Py_ssize_t i, kept = 0
        for i in range(self.n_frames):
            if chosen[i]:
                self.frames[kept] = self.frames[i]
                kept += 1
        self.n_frames = kept

    @property
    def frame_array(self):
        """FRAME rows of this batch, copied, shape (n_frames,)."""
        return np.frombuffer(PyBytes_FromStringAndSize(<char*> self.frames, self.n_frames * sizeof(frame_t)), FRAME)

    @property
    def array(self):
        """The rows of this batch, shape (n_rows,); they stay what they are when the batch is filled anew."""
        if 8 * self.n_rows >= self.frame_capacity:
            return self.room[:self.n_rows]
        few = np.empty(self.n_rows, self.dtype)                      # they must not keep the room of many
        self.copy_rows(few, 0)
        return few

    cdef int fresh_rows(self) except -1:
        """Room for rows that nobody looks at: rather than copied, what was given out is left to who has it."""
        if Py_REFCNT(self.room) == OWN_REFERENCES:
            return 0
        if len(self.spare) < MOST_SPARE:
            self.spare.append(self.room)
        for i in range(len(self.spare)):
            if Py_REFCNT(self.spare[i]) == OWN_REFERENCES:
                self.use_room(self.spare.pop(i))
                return 0
        self.use_room(np.zeros(self.frame_capacity, self.dtype))     # fresh memory costs page faults
        return 0

    cdef object use_room(self, room):
        self.room = room
        self.rows = <char*> <size_t> room.ctypes.data

    @property
    def tunnel_array(self):
        """TUNNEL rows of this batch, copied, shape (n_tunnels,)."""
        return np.frombuffer(PyBytes_FromStringAndSize(<char*> self.tunnels, self.n_tunnels * sizeof(tunnel_t)), TUNNEL)

    def copy_rows(self, out, Py_ssize_t at):
        """Copy the rows into ``out[at:at + n_rows]``, a contiguous, writable array of this batch's dtype."""
        if out.dtype is not self.dtype and out.dtype != self.dtype:
            raise TypeError("rows of another dtype")
        if (at < 0 or out.ndim != 1 or at > out.shape[0] - self.n_rows
                or not (out.flags.c_contiguous and out.flags.writeable)):
            raise ValueError("no room for the rows")
        if self.n_rows:
            memcpy(<char*> <size_t> out.ctypes.data + at * self.stride, self.rows, self.n_rows * self.stride)
