"""Streams put back together as their segments come: the state and the rules, without Python."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from tcpcore.held cimport store_t
from tcpcore.records cimport chunk_t

cdef enum:
    ENDED = 1                      # stream_t.flags: its end has been reported


# One stream, both directions; all zero before its first segment.  Places in a direction count from 0, its
# first byte: the one after the SYN, or the first that was captured of a stream that begins midstream.
ctypedef struct stream_t:
    int64_t[2] front               # all bytes before it have been passed on or given up
    int64_t[2] acked               # the other side has acknowledged all bytes before it
    int64_t[2] fin                 # 1 + place of the FIN; 0: none seen
    uint32_t[2] hold               # what waits behind a hole (held.pxd); 0: nothing
    uint32_t number                # 1 + tcp.stream; 0: no segment yet
    uint32_t flags


ctypedef struct totals_t:
    uint64_t chunks                # runs of bytes passed on
    uint64_t bytes                 # passed on
    uint64_t copied                # of these, bytes that had to wait
    uint64_t repeated              # came again, or too late, after they were passed on or given up
    uint64_t holes
    uint64_t hole_bytes
    uint64_t given_up              # holes given up because a limit was reached
    uint64_t cut                   # bytes cut off by the snap length
    uint64_t outside               # bytes too far from the front to belong to the stream
    uint64_t streams               # ended
    uint64_t resumed               # went on after their end was reported


ctypedef struct assembly_t:
    stream_t* streams              # by slot
    int64_t* latest                # the clock at the stream's last segment, by slot
    store_t store
    uint32_t stream_blocks         # limits, in blocks of held.pxd
    uint32_t total_blocks
    int64_t patience               # ns to wait for bytes that were acknowledged
    int64_t timeout                # ns of silence that end a stream
    uint64_t rows                  # of segments so far
    uint32_t n_seen                # slots that they belong to lie below
    uint32_t checked               # the slot looked at last for the timeout
    chunk_t* chunks                # what was passed on of this batch, in order
    Py_ssize_t n_chunks, chunk_capacity
    bint record                    # fill `chunks`; else only count
    bint out_of_memory             # a chunk could not be recorded
    uint64_t order                 # segments that waited or met waiting ones, so far
    int64_t now                    # time of the row being worked on
    uint64_t frame                 # its frame
    int64_t clock                  # the latest time that any row has had: it never goes back
    totals_t totals


cdef extern from *:
    """
    #define CHUNK_IN_STORE (1ULL << 62)
    """
    const uint64_t CHUNK_IN_STORE  # chunk_t.position: an offset into store_t.bytes


cdef void assemble(assembly_t* a, char* rows, Py_ssize_t stride, Py_ssize_t n_rows, const uint32_t* slots,
                   const uint8_t* capture, const uint8_t* arena) noexcept nogil
cdef bint is_silent(const assembly_t* a, uint32_t slot) noexcept nogil
cdef void end_evicted(assembly_t* a, uint32_t slot) noexcept nogil
cdef void end_stream(assembly_t* a, uint32_t slot, int reason) noexcept nogil
