"""Big- and little-endian integers in unaligned bytes."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef inline uint16_t be16(const uint8_t* p) noexcept nogil:
    return <uint16_t> ((<uint16_t> p[0] << 8) | p[1])


cdef inline uint32_t be32(const uint8_t* p) noexcept nogil:
    return (<uint32_t> p[0] << 24) | (<uint32_t> p[1] << 16) | (<uint32_t> p[2] << 8) | p[3]


cdef inline uint64_t be64(const uint8_t* p) noexcept nogil:
    return (<uint64_t> be32(p) << 32) | be32(p + 4)


cdef inline uint16_t le16(const uint8_t* p) noexcept nogil:
    return <uint16_t> ((<uint16_t> p[1] << 8) | p[0])


cdef inline uint32_t le32(const uint8_t* p) noexcept nogil:
    return (<uint32_t> p[3] << 24) | (<uint32_t> p[2] << 16) | (<uint32_t> p[1] << 8) | p[0]


cdef inline void put_be64(uint8_t* p, uint64_t value) noexcept nogil:
    cdef int i
    for i in range(8):
        p[i] = <uint8_t> (value >> (56 - 8 * i))
