"""Several captures as one."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from tcpcore.batch cimport Batch
from tcpcore.records cimport frame_t


cdef struct input_t:
    # What the merge sees of a capture: the frames of its batch that are still to be delivered.
    const frame_t* frames
    Py_ssize_t at
    Py_ssize_t n_frames
    const char* data                            # byte data_offset of the capture
    uint64_t data_offset
    uint32_t* interface_ids                     # of the whole, by the capture's own
    uint32_t n_interface_ids
    Py_ssize_t order                            # in which the captures were opened


cdef class Input:
    cdef readonly object reader
    cdef Batch batch
    cdef input_t view

    cdef int map_interfaces(self, dict known, list interfaces) except -1
    cdef bint read(self, bint lends) except -1
    cdef int keep_data(self) except -1


cdef class MergedReader:
    cdef list captures                          # (time of first frame, what opens it), in order
    cdef Py_ssize_t n_opened
    cdef dict active                            # the Input of each capture that is open, by its order
    cdef input_t** heap                         # what these are to deliver: first whose next frame comes first
    cdef Py_ssize_t n_waiting                   # in it
    cdef readonly list parts
    cdef readonly list interfaces
    cdef readonly uint64_t n_frames
    cdef dict known_interfaces
    cdef uint64_t offset                        # bytes delivered
    cdef bint lends

    cdef int _activate(self, Py_ssize_t frames) except -1
    cdef bint _fill(self, Batch batch) except -1
    cdef int _refill(self, Py_ssize_t frames) except -1
    cdef bint _read(self, Py_ssize_t order) except -1
    cdef int64_t _limit(self) except? -1
    cdef bint _pass_on(self, Batch batch, int64_t limit) except -1
    cdef int _merge(self, Batch batch, int64_t limit) except -1
