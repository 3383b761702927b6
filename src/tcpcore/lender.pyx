"""Bytes of a file where the page cache has them: of most frames only the headers are looked at, so none are copied.

A mapped file shows what others do to it meanwhile: one that is cut shorter ends the process by a signal, and bytes
that change undo every check that was made of them.  So nothing is lent without a lease (fcntl(2), F_SETLEASE): until
it is given back, which is before the batch goes to anyone, the system lets nobody open the file for writing or cut it.
There is none if someone has it open for writing, if it is another user's, or if it lies where there are no leases.
"""
import os

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef extern from "file_window.h" nogil:
    int take_lease "tcpcore_take_lease"(int file)
    void end_lease "tcpcore_end_lease"(int file)
    uint8_t* map_pages "tcpcore_map"(int file, uint64_t start, size_t size)
    int64_t file_size "tcpcore_file_size"(int file)

cdef extern from "<sys/mman.h>" nogil:
    int munmap(void* pages, size_t size)

cdef extern from "<unistd.h>" nogil:
    int close(int file)

cdef enum:
    HUGE = 2 << 20                   # where big pages of the cache begin: mapped as one they cost next to nothing
    PIECE = 8 << 20


cdef class Window:
    """Some mapped bytes of a file; none may be touched without a lease."""

    def __dealloc__(self):
        if self.pages != NULL:
            munmap(self.pages, self.size)


cdef class Lender:
    """Lends bytes of the regular file that is open as ``descriptor``."""

    def __cinit__(self, int descriptor):
        self.file = -1
        self.file = os.dup(descriptor)

    def __dealloc__(self):
        if self.file >= 0:
            close(self.file)

    cdef Window lend(self, uint64_t offset, Py_ssize_t* size):
        """Where the bytes from ``offset`` on are, ``size`` of them or as many as there are; None if they must be read.

        A window is followed by one call of ``take_back``.
        """
        cdef int64_t there
        if self.n_loans == 0 and take_lease(self.file):
            return None
        self.n_loans += 1
        there = file_size(self.file) - <int64_t> offset
        size[0] = max(min(<int64_t> size[0], there), <int64_t> 0)
        if self.window is None or not holds(self.window, offset, size[0]):
            self.window = self._map(offset, size[0], there)
        if self.window is None:
            self.take_back()
        return self.window

    cdef Window _map(self, uint64_t offset, Py_ssize_t size, int64_t there):
        """More than was asked for, so that it holds the next pieces, too."""
        cdef Window window = Window.__new__(Window)
        window.start = offset - offset % HUGE
        window.size = <Py_ssize_t> (offset - window.start) + size
        window.size = max(window.size, min(<int64_t> PIECE, <int64_t> (offset - window.start) + there))
        if window.size > 0:
            with nogil:
                window.pages = map_pages(self.file, window.start, window.size)
            if window.pages == NULL:
                return None
        return window

    cdef int take_back(self) noexcept:
        self.n_loans -= 1
        if self.n_loans == 0:
            end_lease(self.file)
        return 0
