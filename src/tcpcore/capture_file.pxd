"""Reads capture files into batches."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from tcpcore.batch cimport Batch
from tcpcore.lender cimport Lender
from tcpcore.wire.pcap cimport pcap_t
from tcpcore.wire.pcapng cimport section_t
from tcpcore.wire.scan cimport scan_t


cdef class Reader:
    cdef readonly object source
    cdef readonly object name
    cdef readonly str format
    cdef readonly object metadata
    cdef readonly object damage                 # (byte offset, cause), or None
    cdef readonly uint64_t n_frames             # delivered so far, those of a batch that is being read included
    cdef readonly uint64_t n_untimed            # of them, without a time
    cdef readonly uint64_t n_wrapped            # of them, whose time nanoseconds in 64 bits cannot hold
    cdef readonly uint64_t n_comments           # packet comments
    cdef bint is_pcapng
    cdef object variants                        # lengths of record headers, until settled
    cdef pcap_t pcap
    cdef section_t section
    cdef uint32_t interface_capacity
    cdef dict block_readers
    cdef bint at_end                            # the source has no more bytes
    cdef bint done
    cdef uint8_t* tail                          # bytes read but not yet scanned
    cdef Py_ssize_t tail_len, tail_capacity
    cdef uint64_t tail_offset                   # position of tail[0] in the capture
    cdef Py_ssize_t read_size
    cdef bint lends                             # bytes may be borrowed, if they can be
    cdef Lender lender                          # None: none were yet
    cdef bint sparse                            # the last records were mostly payload
    cdef bint borrows                           # the batch looks at the file itself

    cdef int _fill(self, Batch batch) except -1
    cdef int _start(self, Batch batch, scan_t* w) except -1
    cdef int _scan(self, scan_t* w) noexcept nogil
    cdef bint _read_more(self, Batch batch, scan_t* w) except -1
    cdef bint _borrow(self, Batch batch, scan_t* w, Py_ssize_t size) except -1
    cdef object _read_block(self, scan_t* w)
    cdef int _add_interface(self, object described) except -1
    cdef int _settle_variant(self, Batch batch, scan_t* w) except -1
    cdef int _finish(self, Batch batch, scan_t* w, int stop) except -1
    cdef int _end(self, Py_ssize_t left) except -1
    cdef Py_ssize_t _read(self, uint8_t* at, Py_ssize_t room) except -1
    cdef int _read_head(self, Py_ssize_t wanted) except -1
    cdef int _not_a_capture(self, cause) except -1
    cdef int _open_pcap(self) except -1
    cdef int _open_pcapng(self) except -1
    cdef int _keep_tail(self, const uint8_t* data, Py_ssize_t size) except -1
    cdef int _grow_tail(self, Py_ssize_t size) except -1
