"""Marks memory that is ours but not in use, so that AddressSanitizer sees any touch of it; nothing in other builds."""
from libc.stddef cimport size_t

cdef extern from "sanitize.h":
    void fence "tcpcore_fence"(const void* begin, size_t size) noexcept nogil
    void unfence "tcpcore_open"(const void* begin, size_t size) noexcept nogil
    size_t spare "tcpcore_spare"(size_t size) noexcept nogil
