"""All streams of a capture put back together in one pass, in bounded memory."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from tcpcore.assembly cimport assembly_t
from tcpcore.batch cimport Batch
from tcpcore.growable cimport growable_t


cdef class Assembler:
    cdef assembly_t a
    cdef growable_t streams
    cdef growable_t latest
    cdef Py_ssize_t n_slots                     # in `streams`
    cdef uint32_t finished                      # streams in slots below have been ended
    cdef Batch batch                            # that the chunks point into
    cdef uint64_t data_offset                   # of the batch, when it was processed
    cdef uint64_t generation                    # of the chunks
    cdef Py_ssize_t n_views                     # of their bytes, not released yet

    cdef bint _is_there(self)
    cdef int _begin(self, Batch batch, Py_ssize_t n_slots) except -1


cdef class Piece:
    """One chunk, and its bytes through the buffer protocol."""
    cdef Assembler assembler
    cdef uint64_t generation
    cdef const uint8_t* bytes
    cdef readonly Py_ssize_t length
    cdef readonly uint32_t slot                 # of the flow table
    cdef readonly object stream, direction, kind, offset, time_ns, frame, reason
