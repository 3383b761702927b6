"""Starts loading a cache line that will soon be read, or written.

The empty assembly statement keeps GCC from taking a function that only prefetches for one without effect, and
dropping the calls.
"""
cdef extern from *:
    """
    #define tcpcore_prefetch_read(at) __builtin_prefetch(at)
    static inline void tcpcore_prefetch(const void* at) {
        __builtin_prefetch(at, 1);
        __asm__ volatile ("");
    }
    """
    void prefetch "tcpcore_prefetch_read"(const void* at) noexcept nogil
    void prefetch_write "tcpcore_prefetch"(const void* at) noexcept nogil
