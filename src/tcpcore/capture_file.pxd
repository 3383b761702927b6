"""Reads capture files into batches."""
from libc.stdint cimport uint8_t, uint64_t

from tcpcore.batch cimport Batch
from tcpcore.wire.pcap cimport pcap_t, walk_t


cdef class Reader:
    cdef object readinto
    cdef readonly object name
    cdef readonly object damage                 # (byte offset, cause), or None
    cdef readonly uint64_t n_frames             # delivered so far
    cdef pcap_t pcap
    cdef bint at_end                            # the source has no more bytes
    cdef bint done
    cdef uint8_t* tail                          # bytes read but not yet walked over
    cdef Py_ssize_t tail_len, tail_capacity
    cdef uint64_t tail_offset                   # position of tail[0] in the capture
    cdef Py_ssize_t read_size

    cdef int _fill_header(self, Py_ssize_t wanted) except -1
    cdef Py_ssize_t _read(self, uint8_t* at, Py_ssize_t room) except -1
    cdef int _keep_tail(self, const uint8_t* data, Py_ssize_t size) except -1
    cdef int _start(self, Batch batch, walk_t* w) except -1
    cdef bint _read_more(self, Batch batch, walk_t* w) except -1
    cdef int _finish(self, Batch batch, walk_t* w, int stop) except -1
