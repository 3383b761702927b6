"""pcapng (draft-ietf-opsawg-pcapng): blocks of type, length, body, and the length again.

The scan turns packet blocks into frames and skips what it does not know; sections, interfaces and
other descriptions it hands out (SCAN_BLOCK).
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.bytes cimport be32
from tcpcore.records cimport frame_t
from tcpcore.wire.scan cimport (
    LINK_NONE, SCAN_BLOCK, SCAN_BLOCK_LENGTH, SCAN_FULL, SCAN_MORE, SCAN_NO_INTERFACE, SCAN_ON, SCAN_OPTIONS,
    SCAN_SHORT_BLOCK, SCAN_TOO_LONG, SCAN_TRAILER, add_frame, load16, load32, scan_t)

cdef extern from *:
    """
    typedef __int128 int128_t;
    """
    ctypedef long long int128_t

cdef enum Block:
    BLOCK_INTERFACE = 1
    BLOCK_OLD_PACKET = 2
    BLOCK_SIMPLE_PACKET = 3
    BLOCK_NAMES = 4
    BLOCK_STATISTICS = 5
    BLOCK_PACKET = 6
    BLOCK_JOURNAL = 9
    BLOCK_SECRETS = 10
    BLOCK_SYSDIG = 0x204
    BLOCK_SYSDIG_FLAGS = 0x216
    BLOCK_SYSDIG_FLAGS_LONG = 0x221
    BLOCK_CUSTOM = 0xBAD
    BLOCK_CUSTOM_LOCAL = 0x40000BAD
    BLOCK_SECTION = 0x0A0D0D0A

cdef enum:
    BYTE_ORDER_MAGIC = 0x1A2B3C4D
    MAX_BLOCK = (128 << 20) + 131_104        # the longest packet, with room for its options

cdef struct interface_t:
    # Time of a packet: ticks * multiplier >> shift / divisor + offset_s seconds.
    uint64_t multiplier
    uint64_t divisor
    int64_t offset_s
    uint64_t simple_limit          # below it ticks * multiplier + offset_ns is the time
    int64_t offset_ns
    uint32_t shift
    uint32_t snaplen
    uint32_t max_captured
    uint16_t link_type
    uint8_t fcs_len

cdef struct section_t:
    bint big
    uint32_t first                 # its interface 0 among all interfaces of the file
    uint32_t n_interfaces
    interface_t* interfaces        # of all sections


cdef inline Py_ssize_t padded(uint64_t length) noexcept nogil:
    return <Py_ssize_t> ((length + 3) & ~<uint64_t> 3)


cdef inline int64_t packet_time(scan_t* w, const interface_t* interface, uint64_t ticks) noexcept nogil:
    """Nanoseconds, rounded down; modulo 2^64, so that differences are right even where a time is absurd."""
    if ticks < interface.simple_limit:
        return <int64_t> (ticks * interface.multiplier) + interface.offset_ns
    cdef int128_t ns = ((<int128_t> ticks * <int128_t> interface.multiplier) >> interface.shift) \
        // <int128_t> interface.divisor
    ns += <int128_t> interface.offset_s * 1_000_000_000
    w.wrapped += ns != <int64_t> <uint64_t> ns
    return <int64_t> <uint64_t> ns


cdef inline bint packet_options_valid(scan_t* w, const uint8_t* p, const uint8_t* end, bint big,
                                      uint8_t* fcs_len) noexcept nogil:
    """Whether every option lies within the block and has the length its code requires; takes over ``fcs_len``."""
    cdef uint16_t code, length
    while end - p >= 4:
        code, length = load16(p, big), load16(p + 2, big)
        p += 4
        if length > end - p:
            return False
        if code == 0:
            break
        if code == 1:
            w.comments += 1
        elif code == 2 or code == 6:                               # flags, queue
            if length != 4:
                return False
            if code == 2 and load32(p, big) >> 5 & 0x0F:
                fcs_len[0] = load32(p, big) >> 5 & 0x0F
        elif code == 4 or code == 5:                               # drop count, packet id
            if length != 8:
                return False
        elif code == 7:                                            # verdict, by its first byte
            if length < 1 or (p[0] == 1 or p[0] == 2) and length != 9:
                return False
        elif (code & 0xBFFF == 2988 or code & 0xBFFF == 2989) and length < 4:     # custom: starts with a number
            return False
        p += padded(length)
    return True


cdef inline int packet_block(scan_t* w, const section_t* section, Py_ssize_t at, Py_ssize_t total, bint old,
                             bint big) noexcept nogil:
    """Enhanced packet block, or the packet block it replaced."""
    cdef const uint8_t* head = w.data + at
    cdef uint32_t number, cap_len
    cdef uint8_t fcs_len
    cdef interface_t* interface
    cdef frame_t* frame
    if total < 32:
        return SCAN_BLOCK_LENGTH
    number = load16(head + 8, big) if old else load32(head + 8, big)
    if number >= section.n_interfaces:
        w.detail = number
        return SCAN_NO_INTERFACE
    number += section.first
    interface = section.interfaces + number
    cap_len = load32(head + 20, big)
    w.detail = cap_len
    if cap_len > interface.max_captured:
        return SCAN_TOO_LONG
    if padded(cap_len) > total - 32:
        return SCAN_SHORT_BLOCK
    fcs_len = interface.fcs_len
    if padded(cap_len) < total - 32 and not packet_options_valid(w, head + 28 + padded(cap_len), head + total - 4, big,
                                                                 &fcs_len):
        return SCAN_OPTIONS
    frame = add_frame(w, at + 28, cap_len, load32(head + 24, big))
    frame.time_ns = packet_time(w, interface, <uint64_t> load32(head + 12, big) << 32 | load32(head + 16, big))
    frame.interface_id = number
    frame.link_type = interface.link_type
    frame.fcs_len = fcs_len
    return SCAN_ON


cdef inline int simple_packet(scan_t* w, const section_t* section, Py_ssize_t at, Py_ssize_t total,
                              bint big) noexcept nogil:
    """Simple packet block: of the section's first interface, cut to its snap length, without a time."""
    cdef uint32_t wire_len, cap_len
    cdef interface_t* interface
    cdef frame_t* frame
    if total < 16:
        return SCAN_BLOCK_LENGTH
    if section.n_interfaces == 0:
        w.detail = 0
        return SCAN_NO_INTERFACE
    interface = section.interfaces + section.first
    wire_len = cap_len = load32(w.data + at + 8, big)
    if interface.snaplen and cap_len > interface.snaplen:
        cap_len = interface.snaplen
    w.detail = cap_len
    if cap_len > interface.max_captured:
        return SCAN_TOO_LONG
    if padded(cap_len) != total - 16:
        return SCAN_SHORT_BLOCK
    frame = add_frame(w, at + 12, cap_len, wire_len)
    frame.time_ns = 0
    frame.interface_id = section.first
    frame.link_type = interface.link_type
    frame.fcs_len = interface.fcs_len
    w.untimed += 1
    return SCAN_ON


cdef inline int other_record(scan_t* w, Py_ssize_t at, Py_ssize_t total, Py_ssize_t head_len,
                             Py_ssize_t least) noexcept nogil:
    """A record that is not a packet, yet counts as a frame (G-4): number and length, nothing else."""
    cdef frame_t* frame
    if total < least:
        return SCAN_BLOCK_LENGTH
    frame = add_frame(w, at + head_len, <uint32_t> (total - head_len - 4), <uint32_t> (total - head_len - 4))
    frame.time_ns = 0
    frame.interface_id = 0
    frame.link_type = LINK_NONE
    frame.fcs_len = 0
    return SCAN_ON


cdef inline int section_block(scan_t* w, Py_ssize_t at) noexcept nogil:
    """A section header: its length is written in the section's own byte order."""
    cdef Py_ssize_t total
    cdef bint big
    if at + 12 > w.size:
        w.need = 12
        return SCAN_MORE
    big = be32(w.data + at + 8) == BYTE_ORDER_MAGIC
    total = padded(load32(w.data + at + 4, big))
    w.detail = total
    if total < 28 or total > MAX_BLOCK:
        return SCAN_BLOCK_LENGTH
    if at + total > w.size:
        w.need = total
        return SCAN_MORE
    return SCAN_BLOCK if padded(load32(w.data + at + total - 4, big)) == total else SCAN_TRAILER


cdef inline int any_block(scan_t* w, const section_t* section, Py_ssize_t at, Py_ssize_t total, uint32_t kind,
                          bint big) noexcept nogil:
    if w.n_frames == w.capacity:
        return SCAN_FULL
    if kind == BLOCK_PACKET:
        return packet_block(w, section, at, total, False, big)
    if kind == BLOCK_SIMPLE_PACKET:
        return simple_packet(w, section, at, total, big)
    if kind == BLOCK_OLD_PACKET:
        return packet_block(w, section, at, total, True, big)
    if kind == BLOCK_INTERFACE or kind == BLOCK_NAMES or kind == BLOCK_STATISTICS or kind == BLOCK_SECRETS:
        return SCAN_BLOCK
    if kind == BLOCK_CUSTOM or kind == BLOCK_CUSTOM_LOCAL:
        return other_record(w, at, total, 12, 16)
    if kind == BLOCK_JOURNAL:
        return other_record(w, at, total, 8, 35)
    if kind == BLOCK_SYSDIG:
        return other_record(w, at, total, 32, 36)
    if kind == BLOCK_SYSDIG_FLAGS or kind == BLOCK_SYSDIG_FLAGS_LONG:
        return other_record(w, at, total, 36, 40)
    return SCAN_ON


cdef inline int scan_blocks(scan_t* w, const section_t* section, bint big) noexcept nogil:
    """Frames for all whole packet blocks, until something else is needed; a Scan."""
    cdef Py_ssize_t at = w.at, total = 0
    cdef uint32_t kind
    cdef int stop = SCAN_ON
    while stop == SCAN_ON:
        w.need = 8
        if at + 8 > w.size:
            stop = SCAN_MORE
            break
        kind = load32(w.data + at, big)
        if kind == BLOCK_SECTION:
            stop = section_block(w, at)
            break
        total = padded(load32(w.data + at + 4, big))
        w.detail = w.need = total
        if total < 12 or total > MAX_BLOCK:
            stop = SCAN_BLOCK_LENGTH
        elif at + total > w.size:
            stop = SCAN_MORE
        elif padded(load32(w.data + at + total - 4, big)) != total:
            stop = SCAN_TRAILER
        else:
            stop = any_block(w, section, at, total, kind, big)
            if stop == SCAN_ON:
                at += total
    w.at = at
    return stop


cdef inline int scan_pcapng(scan_t* w, const section_t* section) noexcept nogil:
    return scan_blocks(w, section, True) if section.big else scan_blocks(w, section, False)
