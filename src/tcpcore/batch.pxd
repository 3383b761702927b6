"""A batch: some thousands of frames on their way through the stages."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from tcpcore.growable cimport growable_t
from tcpcore.lender cimport Lender, Window
from tcpcore.records cimport analysis_t, frame_t, segment_t, states_t, tunnel_t, verdict_t

ctypedef struct released_t:
    int64_t latest_ns              # time of the stream's last segment
    uint32_t slot
    uint32_t stream


cdef class Batch:
    # The bytes: a piece of the capture that holds whole records (filled by the reader), in `buffer` or borrowed.
    cdef uint8_t* data                          # NULL: given back
    cdef readonly Py_ssize_t data_len           # valid bytes
    cdef uint8_t* buffer
    cdef readonly Py_ssize_t data_capacity      # of the buffer
    cdef Lender lender                          # None: nothing is borrowed
    cdef Window window                          # in which the borrowed bytes are
    cdef readonly uint64_t data_offset          # position of data[0] in the capture

    # The frames found in them (walk) and what decode made of each.
    cdef frame_t* frames
    cdef readonly Py_ssize_t n_frames
    cdef readonly Py_ssize_t frame_capacity

    # One row for each frame with TCP: the parts lie side by side, `stride` bytes a row.
    cdef char* rows
    cdef readonly Py_ssize_t n_rows
    cdef readonly Py_ssize_t stride
    cdef Py_ssize_t analysis_at, states_at, verdict_at   # offset of the part in a row, -1: not asked for
    cdef readonly object dtype
    cdef object room                            # the array of frame_capacity rows that `rows` points into
    cdef list spare                             # earlier ones, that were given out
    cdef uint32_t* slots                        # flow-table slot of each row; set by flows
    cdef readonly Py_ssize_t n_slots            # slots that the flow table has used up to this batch; set by flows
    cdef growable_t given_up                    # released_t: slots that were taken from their streams before this batch
    cdef readonly Py_ssize_t n_released
    cdef public object released                 # the records of these streams by stage; None: there are none
    cdef public object corrections              # what verdicts change in rows given before, None: nothing
    cdef tunnel_t* tunnels                      # side table of SEGMENT.tunnel
    cdef readonly Py_ssize_t n_tunnels
    cdef Py_ssize_t tunnel_capacity

    # Datagrams joined from fragments; payload_offset with PAYLOAD_IN_ARENA points here.
    cdef uint8_t* arena
    cdef readonly Py_ssize_t arena_len
    cdef Py_ssize_t arena_capacity

    cdef int fresh_rows(self) except -1
    cdef object use_room(self, room)
    cdef int reserve_data(self, Py_ssize_t capacity) except -1
    cdef int _grow_buffer(self, Py_ssize_t capacity) except -1
    cdef Py_ssize_t borrow(self, Lender lender, uint64_t offset, Py_ssize_t size) except -2
    cdef int keep_data(self) except -1
    cdef void swap_data(self, Batch other) noexcept
    cdef void drop_frames(self, const uint8_t* chosen) noexcept nogil
    cdef const uint8_t* capture(self) except? NULL
    cdef tunnel_t* add_tunnel(self) except NULL nogil
    cdef uint8_t* add_arena(self, Py_ssize_t size) except NULL nogil


cdef extern from *:
    """
    #define PAYLOAD_IN_ARENA (1ULL << 63)
    """
    const uint64_t PAYLOAD_IN_ARENA


cdef inline segment_t* segment_at(char* rows, Py_ssize_t stride, Py_ssize_t i) noexcept nogil:
    return <segment_t*> (rows + i * stride)
