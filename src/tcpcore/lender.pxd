"""A file whose bytes batches look at where the page cache has them, without a copy."""
from libc.stdint cimport int64_t, uint8_t, uint64_t


cdef class Window:
    cdef uint8_t* pages
    cdef uint64_t start                         # position of pages[0] in the file
    cdef Py_ssize_t size


cdef class Lender:
    cdef readonly object name
    cdef int file                               # opened by ourselves; -1: nothing can be lent
    cdef int process                            # that opened it
    cdef int n_loans
    cdef Window window                          # the latest

    cdef Window lend(self, uint64_t offset, Py_ssize_t* size)
    cdef Window _window_with(self, uint64_t offset, Py_ssize_t* size)
    cdef Window _map(self, uint64_t offset, Py_ssize_t size, int64_t there)
    cdef bint take_back(self) noexcept


cdef inline bint holds(Window window, uint64_t offset, Py_ssize_t size) noexcept:
    return (window is not None and window.start <= offset and offset - window.start <= <uint64_t> window.size
            and <Py_ssize_t> (offset - window.start) + size <= window.size)
