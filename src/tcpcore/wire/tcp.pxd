"""TCP header (RFC 9293 section 3.1) into the row."""
from libc.stdint cimport uint8_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport (
    BOGUS_HEADER_LENGTH, HAS_CHECKSUM, HAS_LEN, HAS_NXTSEQ, HAS_OPTIONS, HAS_PORTS, HAS_SEQ, HAS_WINDOW, HEADER_CUT,
    OPTIONS_CUT, PORTS_ONLY, SHORT_SEGMENT, STATUS_TCP, STATUS_TCP_TRUNCATED)
from tcpcore.records cimport segment_t
from tcpcore.wire.options cimport read_options
from tcpcore.wire.walk cimport walk_t


cdef inline int tcp(walk_t* w) noexcept nogil:
    """How much of the header is there decides what the row shows (LN-3)."""
    cdef segment_t* row = w.row
    cdef const uint8_t* p = w.p
    if w.captured < 4:
        return STATUS_TCP_TRUNCATED
    row.src_port = be16(p)
    row.dst_port = be16(p + 2)
    row.present |= HAS_PORTS
    if w.captured < 16:
        row.damage |= PORTS_ONLY
        return STATUS_TCP
    row.seq_raw = be32(p + 4)
    row.ack_raw = be32(p + 8)
    row.hdr_len = (p[12] >> 4) * 4
    row.flags = be16(p + 12) & 0x0FFF
    row.window = be16(p + 14)
    row.present |= HAS_SEQ
    lengths(w, row)
    if row.damage & BOGUS_HEADER_LENGTH:
        return STATUS_TCP
    row.present |= HAS_WINDOW
    if w.captured < 20:
        row.damage |= HEADER_CUT
        return STATUS_TCP
    row.checksum = be16(p + 16)
    row.urgent = be16(p + 18)
    row.present |= HAS_CHECKSUM
    if row.hdr_len > 20:
        options(w, row)
    return STATUS_TCP


cdef inline void lengths(walk_t* w, segment_t* row) noexcept nogil:
    """Payload length from the IP length (LN-1), unknown if the header alone is longer (LN-6)."""
    cdef uint32_t header = row.hdr_len
    if w.length < header:
        row.damage |= SHORT_SEGMENT
    else:
        row.payload_len = w.length - header
        row.payload_captured = w.captured - header if w.captured > header else 0
        row.payload_offset = w.frame.offset + <uint32_t> (w.p - w.start) + header
        row.present |= HAS_LEN | HAS_NXTSEQ
    if header < 20:
        row.damage |= BOGUS_HEADER_LENGTH
        row.present &= ~<uint32_t> HAS_NXTSEQ


cdef inline void options(walk_t* w, segment_t* row) noexcept nogil:
    cdef uint32_t size = row.hdr_len - 20
    row.present |= HAS_OPTIONS
    if w.captured < row.hdr_len:
        row.damage |= OPTIONS_CUT
        size = w.captured - 20
    read_options(row, w.p + 20, size)
