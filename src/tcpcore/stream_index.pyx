"""StreamIndex: where the bytes of every stream lie in a capture, without copying them."""
import numpy as np

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from tcpcore.batch cimport PAYLOAD_IN_ARENA, Batch, segment_at
from tcpcore.flags cimport ACK, BOGUS_HEADER_LENGTH, CHUNK_DATA, FIN, HAS_LEN, QUOTED, RST, SYN
from tcpcore.records cimport chunk_t, segment_t, side_t

from tcpcore.records import CHUNK, SIDE


cdef class StreamIndex:
    """Collects one CHUNK row for each segment with payload, and one SIDE row for each direction of each stream.

    ``keep``: copy all payloads into ``kept`` memory, for a capture that cannot be read again at an
    offset; else only those of joined fragments, which lie nowhere in the capture in one piece.  Their
    ``position`` has the bit PAYLOAD_IN_ARENA and counts through all kept bytes.
    """
    cdef readonly bint keep
    cdef chunk_t* chunks
    cdef Py_ssize_t n_chunks, chunk_capacity
    cdef side_t* sides             # stream * 2 + direction
    cdef Py_ssize_t n_sides, side_capacity
    cdef uint8_t* kept             # not taken yet
    cdef Py_ssize_t n_kept, kept_capacity
    cdef uint64_t kept_before      # bytes taken

    def __cinit__(self, *, bint keep):
        self.keep = keep

    def __dealloc__(self):
        free(self.chunks)
        free(self.sides)
        free(self.kept)

    def process(self, Batch batch not None):
        """Collect from a batch that has been through the flow table."""
        cdef int failed = 0
        cdef Py_ssize_t i
        cdef const uint8_t* capture = batch.capture() if self.keep else NULL
        with nogil:
            for i in range(batch.n_rows):
                failed = self._collect(segment_at(batch.rows, batch.stride, i), batch, capture)
                if failed:
                    break
        if failed:
            raise MemoryError

    cdef int _collect(self, const segment_t* row, Batch batch, const uint8_t* capture) noexcept nogil:
        """0, or -1 without memory."""
        cdef side_t* side
        cdef int64_t start
        if not row.present & HAS_LEN or row.damage & (QUOTED | BOGUS_HEADER_LENGTH):
            return 0
        if self._reserve_sides(<Py_ssize_t> row.stream + 1):
            return -1
        side = &self.sides[2 * <Py_ssize_t> row.stream + (row.direction & 1)]
        start = row.seq64 - 1 + (row.flags & SYN != 0)
        side.flags |= row.flags & 0xFF
        if row.flags & FIN and side.fin < 0:
            side.fin = start + row.payload_len
        if row.flags & ACK:
            side = &self.sides[2 * <Py_ssize_t> row.stream + 1 - (row.direction & 1)]
            side.acked = max(side.acked, row.ack64 - 1)
        # Rule RESET (docs/streams.md)
        return self._add(row, start, batch, capture) if row.payload_len and not row.flags & RST else 0

    cdef int _add(self, const segment_t* row, int64_t start, Batch batch, const uint8_t* capture) noexcept nogil:
        cdef chunk_t* grown
        cdef Py_ssize_t capacity
        if self.n_chunks == self.chunk_capacity:
            capacity = 2 * self.chunk_capacity + 4096
            grown = <chunk_t*> realloc(self.chunks, capacity * sizeof(chunk_t))
            if grown == NULL:
                return -1
            self.chunks = grown
            self.chunk_capacity = capacity
        grown = &self.chunks[self.n_chunks]
        memset(grown, 0, sizeof(chunk_t))
        grown.offset, grown.length = start, row.payload_len
        grown.time_ns, grown.frame, grown.position = row.time_ns, row.frame, row.payload_offset
        grown.captured = min(row.payload_len, row.payload_captured)
        grown.stream, grown.direction, grown.kind = row.stream, row.direction & 1, CHUNK_DATA
        self.sides[2 * <Py_ssize_t> row.stream + (row.direction & 1)].n_segments += 1
        if row.payload_offset & PAYLOAD_IN_ARENA:
            if self._keep_bytes(batch.arena + (row.payload_offset ^ PAYLOAD_IN_ARENA), grown):
                return -1
        elif self.keep and self._keep_bytes(capture + row.payload_offset, grown):
            return -1
        self.n_chunks += 1
        return 0

    cdef int _keep_bytes(self, const uint8_t* data, chunk_t* chunk) noexcept nogil:
        cdef uint8_t* grown
        cdef Py_ssize_t capacity
        if self.n_kept + chunk.captured >= self.kept_capacity:          # even no bytes need a place to be copied to
            capacity = 2 * self.kept_capacity + chunk.captured + (1 << 16)
            grown = <uint8_t*> realloc(self.kept, capacity)
            if grown == NULL:
                return -1
            self.kept = grown
            self.kept_capacity = capacity
        memcpy(self.kept + self.n_kept, data, chunk.captured)
        chunk.position = PAYLOAD_IN_ARENA | (self.kept_before + self.n_kept)
        self.n_kept += chunk.captured
        return 0

    cdef int _reserve_sides(self, Py_ssize_t n_streams) noexcept nogil:
        cdef side_t* grown
        cdef Py_ssize_t capacity, i
        if 2 * n_streams <= self.n_sides:
            return 0
        if 2 * n_streams > self.side_capacity:
            capacity = 3 * n_streams + 1024
            capacity += capacity & 1
            grown = <side_t*> realloc(self.sides, capacity * sizeof(side_t))
            if grown == NULL:
                return -1
            self.sides = grown
            self.side_capacity = capacity
        memset(&self.sides[self.n_sides], 0, (2 * n_streams - self.n_sides) * sizeof(side_t))
        for i in range(self.n_sides, 2 * n_streams):
            self.sides[i].fin = -1
        self.n_sides = 2 * n_streams
        return 0

    def take_kept(self):
        """The bytes kept since the last call; they belong behind those."""
        out = bytes(self.kept[:self.n_kept])
        self.kept_before += self.n_kept
        self.n_kept = 0
        return out

    def finish(self):
        """(segments, sides): CHUNK rows by stream, direction and arrival, and SIDE rows that say where they are."""
        segments = np.empty(self.n_chunks, CHUNK)
        sides = np.empty(self.n_sides, SIDE)
        cdef chunk_t* out = <chunk_t*> <size_t> segments.ctypes.data
        cdef Py_ssize_t i
        cdef uint64_t first = 0
        cdef side_t* side
        with nogil:
            for i in range(self.n_sides):
                self.sides[i].first = first
                first += self.sides[i].n_segments
            for i in range(self.n_chunks):
                side = &self.sides[2 * <Py_ssize_t> self.chunks[i].stream + self.chunks[i].direction]
                out[side.first] = self.chunks[i]
                side.first += 1
            for i in range(self.n_sides):
                self.sides[i].first -= self.sides[i].n_segments
        if self.n_sides:
            memcpy(<void*> <size_t> sides.ctypes.data, self.sides, self.n_sides * sizeof(side_t))
        return segments, sides
