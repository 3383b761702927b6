"""Bytes of a file where the page cache has them: of most frames only the headers are looked at, so none are copied.

A mapped file shows what others do to it meanwhile: one that is cut shorter ends the process by a signal, and bytes
that change undo every check that was made of them.  So nothing is lent without a lease (fcntl(2), F_SETLEASE): until
it is given back, which is before the batch goes to anyone, the system lets nobody open the file for writing or cut it.
There is none if someone has it open for writing, if it is another user's (but for root), or if it lies where leases
cannot be trusted.
"""
from libc.stdint cimport int64_t, uint8_t, uint64_t
from posix.unistd cimport close, getpid

cdef extern from "file_window.h" nogil:
    int open_again "tcpcore_open_again"(int file)
    int take_lease "tcpcore_take_lease"(int file)
    bint end_lease "tcpcore_end_lease"(int file)
    uint8_t* map_pages "tcpcore_map"(int file, uint64_t start, size_t size)
    int load "tcpcore_load"(const uint8_t* at, size_t size)
    int64_t file_size "tcpcore_file_size"(int file)

cdef extern from "<sys/mman.h>" nogil:
    int munmap(void* pages, size_t size)

cdef enum:
    HUGE = 2 << 20                   # where big pages of the cache begin: mapped as one they cost next to nothing
    PIECE = 8 << 20


cdef class Window:
    """Some mapped bytes of a file; none may be touched without a lease."""

    def __dealloc__(self):
        if self.pages != NULL:
            munmap(self.pages, self.size)


cdef class Lender:
    """Lends bytes of the regular file ``name``, which is open as ``descriptor``."""

    def __cinit__(self, int descriptor, name):
        self.name = name
        self.process = getpid()
        self.file = open_again(descriptor)

    def __dealloc__(self):
        if self.file >= 0:
            close(self.file)

    cdef Window lend(self, uint64_t offset, Py_ssize_t* size):
        """Where the bytes from ``offset`` on are, ``size`` of them or as many as there are; None if they must be read.

        A window is followed by one call of ``take_back``.  A forked process has no lease, and could end its parent's.
        """
        cdef Window window = None
        if self.file < 0 or self.process != getpid() or self.n_loans == 0 and take_lease(self.file):
            return None
        self.n_loans += 1
        try:
            window = self._window_with(offset, size)
        finally:
            if window is None:
                self.take_back()
        return window

    cdef Window _window_with(self, uint64_t offset, Py_ssize_t* size):
        cdef int64_t there = file_size(self.file)
        cdef const uint8_t* at
        cdef size_t wanted
        cdef int failed
        if there < 0:
            return None
        there -= <int64_t> offset
        size[0] = wanted = max(min(<int64_t> size[0], there), <int64_t> 0)
        if not holds(self.window, offset, wanted):
            self.window = self._map(offset, wanted, there)
        if self.window is not None and wanted:
            at = self.window.pages + (offset - self.window.start)
            with nogil:
                failed = load(at, wanted)
            if failed:
                return None
        return self.window

    cdef Window _map(self, uint64_t offset, Py_ssize_t size, int64_t there):
        """More than was asked for, so that it holds the next pieces, too."""
        cdef Window window = Window.__new__(Window)
        cdef Py_ssize_t before = offset % HUGE
        window.start = offset - before
        window.size = max(before + size, <Py_ssize_t> min(<int64_t> PIECE, before + there))
        if window.size > 0:
            window.pages = map_pages(self.file, window.start, window.size)
            if window.pages == NULL:
                return None
        return window

    cdef bint take_back(self) noexcept:
        """False if the lease was not kept: the file may have changed while its bytes were looked at."""
        self.n_loans -= 1
        return self.n_loans > 0 or self.process != getpid() or end_lease(self.file)
