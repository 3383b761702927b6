"""Capture files into batches: the bytes once into a reused buffer, one FRAME for each record."""
from cpython.buffer cimport PyBUF_WRITE
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from tcpcore.bytes cimport be32, le32
from tcpcore.wire.pcap cimport WALK_DAMAGED, WALK_MORE, walk_pcap

from tcpcore.errors import CaptureError

cdef enum:
    FILE_HEADER = 24
    MIN_READ = 64 * 1024
    MAX_READ = 1024 * 1024
    MAX_CAPTURED = 262_144

MAGICS = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}


cdef class Reader:
    """Walks over the capture in ``source``, an object with ``readinto(memoryview) -> int``.

    Raises CaptureError if the source is not a capture.  A damaged capture ends at the damage:
    everything before it is delivered, and ``damage`` says where and why.
    """

    def __cinit__(self, source):
        self.readinto = source.readinto
        self.name = getattr(source, "name", None)
        self.read_size = MIN_READ
        self._fill_header(FILE_HEADER)
        if self.tail_len < FILE_HEADER:
            raise CaptureError("not a capture", path=self.name)
        cdef uint8_t* head = self.tail
        self.pcap.big_endian = be32(head) in MAGICS
        cdef object magic = be32(head) if self.pcap.big_endian else le32(head)
        if magic not in MAGICS:
            raise CaptureError("not a capture", path=self.name)
        self.pcap.fraction_ns = MAGICS[magic]
        self.pcap.header_len = 16
        self.pcap.max_len = MAX_CAPTURED
        self.pcap.snaplen = be32(head + 16) if self.pcap.big_endian else le32(head + 16)
        self.pcap.link_type = (be32(head + 20) if self.pcap.big_endian else le32(head + 20)) & 0xFFFF
        self.tail_len, self.tail_offset = 0, FILE_HEADER

    def __dealloc__(self):
        free(self.tail)

    def next(self, Batch batch not None):
        """Fill ``batch`` with the next frames and their bytes; False at the end of the capture."""
        cdef walk_t w
        cdef int stop = WALK_MORE
        batch.n_frames = batch.n_rows = batch.n_tunnels = batch.arena_len = batch.data_len = 0
        if self.done:
            return False
        self._start(batch, &w)
        while w.n_frames == 0 and stop == WALK_MORE:
            if not self._read_more(batch, &w) and w.need:
                break
            with nogil:
                stop = walk_pcap(&w, &self.pcap)
        self._finish(batch, &w, stop)
        return batch.n_frames > 0

    cdef int _start(self, Batch batch, walk_t* w) except -1:
        """Lay the tail of the last piece at the start of the new one."""
        batch.reserve_data(self.tail_len)
        if self.tail_len:
            memcpy(batch.data, self.tail, self.tail_len)
        batch.data_offset = w.offset = self.tail_offset
        w.data, w.size, w.at, w.need = batch.data, self.tail_len, 0, 0
        w.frames, w.n_frames, w.capacity, w.number = batch.frames, 0, batch.frame_capacity, self.n_frames
        return 0

    cdef bint _read_more(self, Batch batch, walk_t* w) except -1:
        """Read once, up to the size aimed at or what the next record needs; False if nothing came."""
        cdef Py_ssize_t room = max(self.read_size, w.need) - w.size
        if self.at_end or room <= 0:
            return False
        room = min(room, max(w.size, MAX_READ))     # memory grows with the bytes there are, not with a claim
        batch.reserve_data(w.size + room)
        w.data = batch.data
        room = self._read(batch.data + w.size, room)
        w.size += room
        return room > 0

    cdef int _finish(self, Batch batch, walk_t* w, int stop) except -1:
        """Hand the frames to the batch, keep the rest, and learn how much to read next time."""
        batch.n_frames, batch.data_len = w.n_frames, w.at
        self.n_frames += w.n_frames
        self.tail_offset += w.at
        self._keep_tail(w.data + w.at, w.size - w.at)
        if stop == WALK_DAMAGED:
            self.damage = (self.tail_offset, "a record longer than any capture has")
            self.done = True
        elif self.at_end and w.n_frames == 0:
            if self.tail_len:
                self.damage = (self.tail_offset, "the capture ends in the middle of a record")
            self.done = True
        if w.n_frames:
            self.read_size = min(max(w.at // w.n_frames * batch.frame_capacity, MIN_READ), MAX_READ)
        return 0

    cdef int _fill_header(self, Py_ssize_t wanted) except -1:
        """Read into the tail until it holds ``wanted`` bytes, or the source ends."""
        self.tail = <uint8_t*> realloc(self.tail, wanted)
        if self.tail == NULL:
            raise MemoryError
        self.tail_capacity = wanted
        while self.tail_len < wanted and not self.at_end:
            self.tail_len += self._read(self.tail + self.tail_len, wanted - self.tail_len)
        return 0

    cdef Py_ssize_t _read(self, uint8_t* at, Py_ssize_t room) except -1:
        view = PyMemoryView_FromMemory(<char*> at, room, PyBUF_WRITE)
        try:
            got = self.readinto(view)
        finally:
            view.release()
        cdef Py_ssize_t size = got
        if size < 0 or size > room:
            raise ValueError(f"readinto() gave {size} for {room} bytes")
        self.at_end = size == 0
        return size

    cdef int _keep_tail(self, const uint8_t* data, Py_ssize_t size) except -1:
        cdef uint8_t* grown
        if size > self.tail_capacity:
            grown = <uint8_t*> realloc(self.tail, size)
            if grown == NULL:
                raise MemoryError
            self.tail, self.tail_capacity = grown, size
        memcpy(self.tail, data, size)
        self.tail_len = size
        return 0
