"""FRAME[] -> pcap and pcapng records, timestamps to the nanosecond.

Only packet records are made here; file and interface headers are few and made in Python.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from tcpcore.batch cimport Batch
from tcpcore.records cimport frame_t

cdef enum:
    PCAP_RECORD = 16              # record header: seconds, nanoseconds, captured and wire length
    PCAPNG_PACKET = 6             # enhanced packet block
    PCAPNG_RECORD = 28            # its header up to the packet data
    PCAPNG_TRAILER = 4
    PCAPNG_FLAGS = 12             # option with the length of a check sequence, and the end of options
    NS = 1000000000

ctypedef struct output_t:
    uint8_t* at
    uint32_t snaplen


cdef inline uint32_t kept_len(const frame_t* frame, uint32_t snaplen) noexcept nogil:
    return frame.cap_len if frame.cap_len < snaplen else snaplen


cdef inline void put32(output_t* out, uint32_t value) noexcept nogil:
    memcpy(out.at, &value, 4)
    out.at += 4


cdef inline void put_data(output_t* out, const uint8_t* data, uint32_t size, uint32_t padding) noexcept nogil:
    memcpy(out.at, data, size)
    memset(out.at + size, 0, padding)
    out.at += size + padding


cdef void put_pcap(output_t* out, const frame_t* frame, const uint8_t* data) noexcept nogil:
    cdef uint32_t size = kept_len(frame, out.snaplen)
    cdef int64_t seconds = frame.time_ns // NS - (frame.time_ns % NS < 0)
    put32(out, <uint32_t> seconds)
    put32(out, <uint32_t> (frame.time_ns - seconds * NS))
    put32(out, size)
    put32(out, frame.wire_len)
    put_data(out, data, size, 0)


cdef void put_pcapng(output_t* out, const frame_t* frame, const uint8_t* data) noexcept nogil:
    cdef uint32_t size = kept_len(frame, out.snaplen), padding = (0 - size) & 3
    cdef uint32_t total = PCAPNG_RECORD + size + padding + PCAPNG_FLAGS * (frame.fcs_len != 0) + PCAPNG_TRAILER
    put32(out, PCAPNG_PACKET)
    put32(out, total)
    put32(out, frame.interface_id)
    put32(out, <uint32_t> (<uint64_t> frame.time_ns >> 32))
    put32(out, <uint32_t> frame.time_ns)
    put32(out, size)
    put32(out, frame.wire_len)
    put_data(out, data, size, padding)
    if frame.fcs_len:
        put_flags(out, frame.fcs_len)
    put32(out, total)


cdef void put_flags(output_t* out, uint32_t fcs_len) noexcept nogil:
    """epb_flags, bits 5 to 8."""
    cdef uint16_t[2] head = [2, 4]
    memcpy(out.at, head, 4)
    out.at += 4
    put32(out, min(fcs_len, <uint32_t> 15) << 5)
    put32(out, 0)


def encode(Batch batch not None, *, bint pcapng, uint32_t snaplen=0xffffffff) -> bytes:
    """The frames of a batch as consecutive packet records of a pcap (nanosecond) or pcapng file.

    Numbers are in this machine's byte order; a pcap record's seconds are modulo 2^32.  In pcapng the
    interfaces must have been written with if_tsresol 9, in the order of ``interface_id``.
    """
    cdef Py_ssize_t i, size = 0
    cdef frame_t* frame
    cdef output_t out
    cdef const uint8_t* capture = batch.capture()
    for i in range(batch.n_frames):
        size += kept_len(&batch.frames[i], snaplen)
    size += batch.n_frames * (PCAPNG_RECORD + 3 + PCAPNG_FLAGS + PCAPNG_TRAILER if pcapng else PCAP_RECORD)
    encoded = PyBytes_FromStringAndSize(NULL, size)
    cdef uint8_t* start = <uint8_t*> PyBytes_AS_STRING(encoded)
    out.at = start
    out.snaplen = snaplen
    with nogil:
        for i in range(batch.n_frames):
            frame = &batch.frames[i]
            if pcapng:
                put_pcapng(&out, frame, capture + frame.offset)
            else:
                put_pcap(&out, frame, capture + frame.offset)
    return encoded[:out.at - start]
