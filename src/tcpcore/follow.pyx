"""The conversation of one stream as `tshark -z follow,tcp` tells it (SEMANTICS section FO)."""
from heapq import heappop, heappush

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t

from tcpcore.batch cimport PAYLOAD_IN_ARENA, Batch, segment_at
from tcpcore.flags cimport HAS_LEN, IN_CONVERSATION, SYN
from tcpcore.records cimport segment_t
from tcpcore.seqnum cimport distance, unwrap

cdef enum:
    ENTRY = 192                    # bytes that one that waits takes beside its own: a tuple, its numbers, its place


cdef class Direction:
    """What FO keeps for one direction.  ``position`` is unwrapped; its lower half is the relative number.

    FO-5 asks for the earliest arrival among the held entries that start at or before the position.
    The position only grows, so an entry that fits goes on fitting: those are in ``fitting`` by arrival, the
    others in ``held`` by start.
    """
    cdef int64_t position
    cdef bint written
    cdef list held, fitting
    cdef Py_ssize_t n_arrived
    cdef Py_ssize_t n_bytes                     # of memory: held and fitting

    def __cinit__(self):
        self.held = []
        self.fitting = []

    cdef hold(self, int64_t start, bytes data):
        heappush(self.held, (start, self.n_arrived, data))
        self.n_arrived += 1
        self.n_bytes += len(data) + ENTRY

    cdef bint waits(self):
        return bool(self.held) or bool(self.fitting)

    cdef pour(self, int number, list chunks):
        """FO-5: print what fits, one chunk for each entry."""
        cdef int64_t start, old
        while True:
            while self.held and self.held[0][0] <= self.position:
                start, order, data = heappop(self.held)
                heappush(self.fitting, (order, start, data))
            if not self.fitting:
                return
            order, start, data = heappop(self.fitting)
            self.n_bytes -= len(data) + ENTRY
            old = self.position - start
            if old < len(data):
                self.position += len(data) - old
                chunks.append((number, data[old:]))


cdef class Follower:
    """Feed it the batches of a capture; ``process`` gives the chunks (direction, bytes) that a batch adds.

    ``first`` is the direction of node 0 (FO-2), -1 before the stream's first frame.  ``limit``: bytes of memory for
    what waits behind a hole; with more of it the hole is taken for lost, which tshark, that keeps all, does not do.
    """
    cdef readonly uint32_t stream
    cdef readonly int first
    cdef Py_ssize_t limit
    cdef Direction side0, side1

    def __cinit__(self, uint32_t stream, Py_ssize_t limit=1 << 28):
        self.stream = stream
        self.limit = limit
        self.first = -1
        self.side0, self.side1 = Direction(), Direction()

    def process(self, Batch batch not None):
        cdef Py_ssize_t i
        cdef segment_t* row
        cdef list chunks = []
        for i in range(batch.n_rows):
            row = segment_at(batch.rows, batch.stride, i)
            # FO-2: the frames that reach the end of the dissection with a length
            if row.stream == self.stream and row.events & IN_CONVERSATION and row.present & HAS_LEN:
                self._take(row, batch, chunks)
        return chunks

    cdef _take(self, const segment_t* row, Batch batch, list chunks):
        """FO-4."""
        cdef int number = row.direction & 1
        cdef Direction side = self.side1 if number else self.side0
        cdef const uint8_t* payload = (<const uint8_t*> batch.arena + (row.payload_offset ^ PAYLOAD_IN_ARENA)
                                       if row.payload_offset & PAYLOAD_IN_ARENA
                                       else batch.capture() + row.payload_offset)
        cdef int64_t start, length = row.payload_len, captured = min(row.payload_captured, row.payload_len), old
        if self.first < 0:
            self.first = number
        skip_lost(self.side0 if number else self.side1, 1 - number, row.ack, chunks)
        start = unwrap(row.seq + (row.flags & SYN != 0), <uint32_t> side.position, side.position)
        if side.position == 0 and not side.written:         # FO-3
            side.position = start = <uint32_t> start
        if start < side.position < start + length:
            old = side.position - start
            start += old
            length -= old
            captured -= old
            payload += old
        if captured <= 0 or start < side.position:
            return
        data = PyBytes_FromStringAndSize(<const char*> payload, captured)
        if start > side.position:
            side.hold(start, data)
            while side.n_bytes > self.limit:
                skip_hole(side, number, chunks)
            return
        chunks.append((number, data))
        side.position += length
        side.written = True
        side.pour(number, chunks)


cdef skip_lost(Direction side, int number, uint32_t ack, list chunks):
    """FO-7: what the other side has acknowledged beyond a hole was lost by the capture."""
    cdef int64_t lowest
    while side.waits():
        side.pour(number, chunks)
        if not side.held:
            return
        lowest = side.held[0][0]
        if distance(<uint32_t> lowest, ack) >= 0:
            return
        skip_hole(side, number, chunks)


cdef skip_hole(Direction side, int number, list chunks):
    """Go on with the first bytes behind the hole, and say what is missing."""
    cdef int64_t lowest = side.held[0][0]
    chunks.append((number, b"[%d bytes missing in capture file]\0" % (lowest - side.position)))
    side.position = lowest
    side.pour(number, chunks)
