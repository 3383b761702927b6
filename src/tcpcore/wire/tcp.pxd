"""TCP header (RFC 9293 section 3.1) into the row."""
from libc.stdint cimport uint8_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport (
    BOGUS_HEADER_LENGTH, HAS_CHECKSUM, HAS_CUT_CHECKSUM, HAS_ICMP4_SEQ, HAS_LEN, HAS_NXTSEQ, HAS_OPTIONS, HAS_PORTS,
    HAS_SEQ, HAS_WINDOW, HEADER_CUT, LONE_FRAGMENT, OPTIONS_CUT, PORTS_ONLY, QUOTED, SHORT_SEGMENT, STATUS_TCP,
    STATUS_TCP_TRUNCATED)
from tcpcore.records cimport segment_t
from tcpcore.wire.cursor cimport QUOTED_IPV4, cursor_t
from tcpcore.wire.options cimport read_options

cdef enum:
    TCP_PORTS = 4                  # bytes captured that show: the ports,
    TCP_SEQUENCE = 8               # the sequence number (quoted by ICMPv4),
    TCP_WINDOW = 16                # everything up to the window,
    TCP_URGENT = 18                # everything up to the urgent pointer
    TCP_HEADER = 20


cdef inline uint32_t tcp_header_len(const uint8_t* p) noexcept nogil:
    return (p[12] >> 4) * 4


cdef inline int tcp(cursor_t* c) noexcept nogil:
    """How much of the header is there decides what the row shows (LN-3)."""
    cdef segment_t* row = c.row
    cdef const uint8_t* p = c.p
    if c.captured < TCP_PORTS:
        return STATUS_TCP_TRUNCATED
    if c.quoted or c.first_fragment:
        row.damage |= QUOTED if c.quoted else LONE_FRAGMENT
    if c.captured < TCP_WINDOW:
        ports_only(c)
        return STATUS_TCP
    row.src_port = be16(p)
    row.dst_port = be16(p + 2)
    row.seq_raw = be32(p + 4)
    row.ack_raw = be32(p + 8)
    row.hdr_len = <uint8_t> tcp_header_len(p)
    row.flags = be16(p + 12) & 0x0FFF
    row.window = be16(p + 14)
    row.present |= HAS_PORTS | HAS_SEQ | HAS_WINDOW
    payload(c)
    if not (c.quoted or c.first_fragment):
        lengths(c)
    elif c.quoted == QUOTED_IPV4:
        row.present |= HAS_ICMP4_SEQ
    if row.hdr_len < TCP_HEADER:
        row.damage |= BOGUS_HEADER_LENGTH
        row.present &= ~<uint32_t> (HAS_NXTSEQ | HAS_WINDOW)
    else:
        rest(c)
    return STATUS_TCP


cdef inline void ports_only(cursor_t* c) noexcept nogil:
    cdef segment_t* row = c.row
    row.damage |= PORTS_ONLY
    row.src_port = be16(c.p)
    row.dst_port = be16(c.p + 2)
    row.present |= HAS_PORTS
    if c.captured >= TCP_SEQUENCE and c.quoted == QUOTED_IPV4:
        row.seq = row.seq_raw = be32(c.p + 4)
        row.present |= HAS_ICMP4_SEQ


cdef inline void payload(cursor_t* c) noexcept nogil:
    """Where what was captured of the payload lies, also where its length is not known."""
    cdef segment_t* row = c.row
    cdef uint32_t header = row.hdr_len
    if c.captured > header:
        row.payload_captured = c.captured - header
    row.payload_offset = c.base_offset + <uint32_t> (c.p - c.base) + header


cdef inline void lengths(cursor_t* c) noexcept nogil:
    """Payload length from the IP length (LN-1), unknown if the header alone is longer (LN-6)."""
    cdef segment_t* row = c.row
    cdef uint32_t header = row.hdr_len
    if c.length < header:
        row.damage |= SHORT_SEGMENT
        return
    row.payload_len = c.length - header
    row.present |= HAS_LEN | HAS_NXTSEQ


cdef inline void rest(cursor_t* c) noexcept nogil:
    """Checksum, urgent pointer, options."""
    cdef segment_t* row = c.row
    cdef uint32_t size = row.hdr_len - TCP_HEADER
    if c.captured < TCP_HEADER:
        row.damage |= HEADER_CUT
        if c.captured >= TCP_URGENT:
            row.checksum = be16(c.p + 16)
            row.present |= HAS_CUT_CHECKSUM
        return
    row.checksum = be16(c.p + 16)
    row.urgent = be16(c.p + 18)
    row.present |= HAS_CHECKSUM
    if size == 0:
        return
    row.present |= HAS_OPTIONS
    if c.captured < row.hdr_len:
        row.damage |= OPTIONS_CUT
    read_options(row, c.p + TCP_HEADER, size, min(c.captured, <uint32_t> row.hdr_len) - TCP_HEADER,
                 c.frame.cap_len == c.frame.wire_len)
