"""Zeroes a row, in pieces that compile to plain stores: for a whole row GCC emits ``rep stos``, far slower."""
from libc.stddef cimport size_t

cdef extern from *:
    """
    #include <string.h>

    /* `size` is a constant wherever it is called. */
    static inline void tcpcore_clear(void* at, size_t size) {
        size_t done = 0;
        for (; done + 32 <= size; done += 32) {
            memset((char*) at + done, 0, 32);
        }
        memset((char*) at + done, 0, size % 32);
    }
    """
    void clear "tcpcore_clear"(void* at, size_t size) noexcept nogil
