"""Raw DEFLATE, for packets compressed by IPComp."""
from libc.stdint cimport int32_t, uint8_t, uint32_t


cdef int32_t inflate(const uint8_t* data, uint32_t size, uint8_t* out, uint32_t capacity) noexcept nogil
