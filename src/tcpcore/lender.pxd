"""A file whose bytes batches look at where the page cache has them, without a copy."""
from libc.stdint cimport int64_t, uint8_t, uint64_t


cdef class Window:
    cdef uint8_t* pages
    cdef uint64_t start                         # position of pages[0] in the file
    cdef Py_ssize_t size


cdef class Lender:
    cdef int file                               # our own descriptor of it
    cdef int n_loans
    cdef Window window                          # the latest

    cdef Window lend(self, uint64_t offset, Py_ssize_t* size)
    cdef Window _map(self, uint64_t offset, Py_ssize_t size, int64_t there)
    cdef int take_back(self) noexcept


cdef inline bint holds(Window window, uint64_t offset, Py_ssize_t size) noexcept:
    return (window.start <= offset and offset - window.start <= <uint64_t> window.size
            and <Py_ssize_t> (offset - window.start) + size <= window.size)
