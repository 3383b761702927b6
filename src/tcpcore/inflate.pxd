"""Raw DEFLATE, for packets compressed by IPComp."""
from libc.stdint cimport uint8_t, uint32_t


cdef bint inflate(const uint8_t* data, uint32_t size, uint8_t* out, uint32_t capacity,
                  uint32_t* length) noexcept nogil
