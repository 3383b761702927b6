"""Assembler: the streams of a capture, passed on as their bytes come (rules: assembly.pyx)."""
import os

import numpy as np

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_FillInfo
from libc.stdint cimport INT64_MIN, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from tcpcore.assembly cimport CHUNK_IN_STORE, ENDED, assemble, assembly_t, end_evicted, end_stream, is_silent, stream_t
from tcpcore.batch cimport PAYLOAD_IN_ARENA, Batch, released_t
from tcpcore.flags cimport CHUNK_DATA, END_CAPTURE, END_TIMEOUT
from tcpcore.growable cimport grow, growable_t, release
from tcpcore.held cimport BLOCK, store_clear, store_init, store_reclaim
from tcpcore.records cimport chunk_t

from tcpcore.records import CHUNK

cdef enum:
    SLACK_BLOCKS = 4096            # 8 MB: spent blocks of one batch that live beside the limit
    ENDS_AT_ONCE = 1 << 14         # streams ended by one call of finish()

SLOT_BYTES = sizeof(stream_t) + sizeof(int64_t)            # for each stream


cdef class Assembler:
    """Passes the bytes of all streams on in order.

    After ``process`` the ``chunks`` of the batch are there, and ``pieces()`` gives each with its bytes.  With
    ``record=False`` nothing is passed on, only counted.

    ``stream_limit``: bytes that may wait behind holes in one direction of one stream; ``total_limit``: in
    all together.  When a limit is reached a hole is given up: the bytes behind it are passed on.
    ``patience_ns``: how long bytes that the receiver has acknowledged may come late.  ``timeout_ns``: a
    stream in which nothing moved for so long is over.  Times are the capture's.
    """

    def __cinit__(self, *, int rule, int64_t stream_limit, int64_t total_limit, int64_t patience_ns, int64_t timeout_ns,
                  bint record=True):
        memset(&self.a, 0, sizeof(assembly_t))
        memset(&self.streams, 0, sizeof(growable_t))
        memset(&self.latest, 0, sizeof(growable_t))
        if stream_limit < BLOCK or total_limit < stream_limit:
            raise ValueError(f"limits: at least {BLOCK} bytes for a stream, and no less in all")
        if total_limit > <int64_t> 1 << 40:
            raise ValueError("at most 2^40 bytes may wait")
        self.streams.huge = True
        self.a.timeout = timeout_ns
        self.a.clock = INT64_MIN                 # there are times before 1970
        self.a.record = record
        self.a.patience = patience_ns
        self.a.stream_blocks = <uint32_t> (stream_limit // BLOCK)
        self.a.total_blocks = <uint32_t> (total_limit // BLOCK)
        store_init(&self.a.store, self.a.total_blocks + SLACK_BLOCKS, rule, int.from_bytes(os.urandom(4), "little"))

    def __dealloc__(self):
        store_clear(&self.a.store)
        release(&self.streams)
        release(&self.latest)
        free(self.a.chunks)

    cdef int _begin(self, Batch batch, Py_ssize_t n_slots) except -1:
        """What was passed on before is gone from here on."""
        self.forget()
        self.batch = batch
        self.data_offset = 0 if batch is None else batch.data_offset
        if grow(&self.streams, n_slots * sizeof(stream_t)) or grow(&self.latest, n_slots * sizeof(int64_t)):
            raise MemoryError
        self.a.streams, self.a.latest = <stream_t*> self.streams.data, <int64_t*> self.latest.data
        self.n_slots = n_slots
        return 0

    cdef bint _is_there(self):
        """Whether the chunks' bytes are still what they were."""
        return self.batch is None or self.batch.data_offset == self.data_offset

    def forget(self):
        """Let go of the last batch.  Its bytes are about to be overwritten, so no view of them may be left."""
        if self.n_views:
            raise BufferError(f"{self.n_views} views of the last batch are in use: copy what you keep with bytes()")
        self.generation += 1
        self.a.n_chunks = 0
        self.batch = None
        store_reclaim(&self.a.store)

    def process(self, Batch batch not None):
        """Work through the rows of a batch that has been through a FlowTable, which may have released streams."""
        cdef Py_ssize_t i
        cdef const uint8_t* capture = batch.capture()
        self._begin(batch, batch.n_slots)
        with nogil:
            for i in range(batch.n_released):
                end_evicted(&self.a, (<released_t*> batch.given_up.data)[i].slot)
            assemble(&self.a, batch.rows, batch.stride, batch.n_rows, batch.slots, capture, batch.arena)
        if self.a.out_of_memory:
            raise MemoryError

    def finish(self):
        """The capture is over: end some of the streams that are left.  True while there are more."""
        cdef Py_ssize_t n = 0
        cdef int reason
        self._begin(None, self.n_slots)
        with nogil:
            while self.finished < self.n_slots and n < ENDS_AT_ONCE:
                if self.a.streams[self.finished].number and not self.a.streams[self.finished].flags & ENDED:
                    reason = END_TIMEOUT if is_silent(&self.a, self.finished) else END_CAPTURE
                    self.a.now = self.a.latest[self.finished]
                    end_stream(&self.a, self.finished, reason)
                    n += 1
                self.finished += 1
        if self.a.out_of_memory:
            raise MemoryError
        return self.finished < self.n_slots

    @property
    def chunks(self):
        """CHUNK rows passed on by the last batch, in order, copied."""
        out = np.empty(self.a.n_chunks, CHUNK)
        if self.a.n_chunks:
            memcpy(<void*> <size_t> out.ctypes.data, self.a.chunks, self.a.n_chunks * sizeof(chunk_t))
        return out

    def pieces(self):
        """Each chunk of the last batch as a Piece."""
        cdef Py_ssize_t i
        cdef uint64_t generation = self.generation
        for i in range(self.a.n_chunks):
            if generation != self.generation or not self._is_there():
                raise BufferError("the batch has been let go of")
            yield piece(self, &self.a.chunks[i])

    @property
    def totals(self):
        """What has been done so far, by name."""
        out = dict(self.a.totals)
        out["dropped"] = self.a.store.dropped
        out["most_waiting"] = <uint64_t> self.a.store.most_used * BLOCK
        return out


cdef Piece piece(Assembler assembler, const chunk_t* chunk):
    cdef Piece out = Piece.__new__(Piece)
    out.assembler = assembler
    out.generation = assembler.generation
    out.length = chunk.length
    out.stream, out.direction, out.kind, out.offset = chunk.stream, chunk.direction, chunk.kind, chunk.offset
    out.time_ns, out.frame, out.reason = chunk.time_ns, chunk.frame, chunk.reason
    out.slot = chunk.slot
    if chunk.kind != CHUNK_DATA:
        out.bytes = NULL
    elif chunk.position & CHUNK_IN_STORE:
        out.bytes = assembler.a.store.bytes + (chunk.position ^ CHUNK_IN_STORE)
    elif chunk.position & PAYLOAD_IN_ARENA:
        out.bytes = assembler.batch.arena + (chunk.position ^ PAYLOAD_IN_ARENA)
    else:
        out.bytes = assembler.batch.data + (chunk.position - assembler.batch.data_offset)
    return out


cdef class Piece:
    def __getbuffer__(self, Py_buffer* buffer, int flags):
        if self.assembler is None or self.generation != self.assembler.generation or not self.assembler._is_there():
            raise BufferError("this piece came with an earlier batch: copy what you keep with bytes()")
        if flags & PyBUF_WRITABLE == PyBUF_WRITABLE:
            raise BufferError("the bytes of a stream cannot be changed")
        PyBuffer_FillInfo(buffer, self, <void*> self.bytes if len(self) else <void*> self, len(self), True, flags)
        self.assembler.n_views += 1

    def __releasebuffer__(self, Py_buffer* buffer):
        self.assembler.n_views -= 1

    def __len__(self):
        return self.length if self.bytes != NULL else 0

    def __repr__(self):
        return (f"Piece(stream={self.stream}, direction={self.direction}, kind={self.kind}, offset={self.offset}, "
                f"length={self.length}, frame={self.frame})")
