"""Packets of a live interface -> FRAME[]: the counterpart of capture_file for pcapy-ng's ``next_batch``."""
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from tcpcore.batch cimport Batch
from tcpcore.records cimport frame_t

cdef enum:
    PIECE = 1 << 16                # bytes asked for at once
    FEWEST = 32                    # packets asked for at once
    ENOUGH = 1 << 19               # bytes of a batch, which also lie in the cache while all stages work on them

ctypedef struct meta_t:
    # One packet as next_batch describes it, in this machine's byte order.
    uint32_t seconds
    uint32_t microseconds
    uint32_t offset
    uint32_t cap_len


cdef void lay_frames(frame_t* frames, const meta_t* meta, Py_ssize_t n, uint64_t number, uint64_t position,
                     uint16_t link_type) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        frames[i].time_ns = (<int64_t> meta[i].seconds * 1000000 + meta[i].microseconds) * 1000
        frames[i].number = number + i
        frames[i].offset = position + meta[i].offset
        frames[i].cap_len = frames[i].wire_len = meta[i].cap_len
        frames[i].interface_id = 0
        frames[i].link_type = link_type
        frames[i].status = frames[i].fcs_len = 0


cdef class LiveReader:
    """Reads an activated, non-blocking pcapy handle batch by batch.

    Non-blocking because ``next_batch`` heeds no read time-out: wait with ``select`` on ``getfd()``.
    It does not tell lengths on the wire either, so the handle must capture whole packets; a shorter
    snapshot length is applied where packets are written.
    """
    cdef object handle
    cdef readonly uint64_t frames               # captured so far
    cdef readonly uint64_t position             # bytes captured so far
    cdef readonly uint16_t link_type
    cdef readonly bint drained                  # the last batch had some packets, and all there were
    cdef object failure                         # of the interface, to be raised when what came before it is done
    cdef Py_ssize_t piece                       # packets of about PIECE bytes

    def __init__(self, handle):
        self.handle = handle
        self.piece = FEWEST
        self.link_type = handle.datalink()

    def fill(self, Batch batch not None, Py_ssize_t limit) -> None:
        """Put what has arrived into ``batch``: at most ``limit`` packets, none if nothing has."""
        cdef Py_ssize_t asked = 0, got = 0
        batch.data_len = batch.n_frames = batch.n_rows = batch.n_tunnels = batch.arena_len = 0
        batch.data_offset = self.position
        limit = min(limit, batch.frame_capacity)
        if self.failure:
            raise self.failure
        while got == asked and batch.n_frames < limit and batch.data_len < ENOUGH:
            asked = min(limit - batch.n_frames, self.piece)
            try:
                got = self.add(batch, asked)
            except Exception as error:
                if not batch.n_frames:
                    raise
                self.failure = error
                break
        self.drained = 0 < batch.n_frames < limit and got < asked
        if batch.data_len:                       # packets may be empty
            self.piece = max(PIECE * batch.n_frames // batch.data_len, FEWEST)

    cdef Py_ssize_t add(self, Batch batch, Py_ssize_t asked) except -1:
        """One piece: small enough that its copy by pcapy-ng is still in the processor's cache."""
        cdef bytes packets, meta
        packets, meta = self.handle.next_batch(asked)
        cdef Py_ssize_t n = len(meta) // <Py_ssize_t> sizeof(meta_t), size = len(packets)
        if batch.n_frames + n > batch.frame_capacity:
            raise ValueError("more packets than the batch holds")
        batch.reserve_data(batch.data_len + size)
        memcpy(batch.data + batch.data_len, PyBytes_AS_STRING(packets), size)
        lay_frames(batch.frames + batch.n_frames, <const meta_t*> PyBytes_AS_STRING(meta), n, self.frames + 1,
                   self.position, self.link_type)
        batch.data_len += size
        batch.n_frames += n
        self.frames += n
        self.position += size
        return n
