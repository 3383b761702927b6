"""A scan over the records of a piece of capture; pcap.pxd and pcapng.pxd each scan their format."""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.bytes cimport be16, be32, le16, le32
from tcpcore.records cimport frame_t

cdef enum Scan:
    # Why a scan stopped; from SCAN_TOO_LONG on: the bytes at `at` are damaged.
    SCAN_ON                # it has not stopped
    SCAN_MORE              # the next record is not wholly there
    SCAN_FULL              # no room for another frame
    SCAN_BLOCK             # a pcapng block that is not a packet stands at `at`, whole
    SCAN_TOO_LONG          # `detail` captured bytes
    SCAN_BLOCK_LENGTH      # a block of `detail` bytes
    SCAN_TRAILER           # a block's two lengths differ
    SCAN_NO_INTERFACE      # interface `detail` is not described
    SCAN_SHORT_BLOCK       # the block cannot hold the packet's `detail` bytes
    SCAN_OPTIONS           # a malformed option

cdef enum:
    MAX_CAPTURED = 262_144           # of most link types
    MAX_CAPTURED_EBHSCR = 8 << 20
    MAX_CAPTURED_BUS = 128 << 20     # D-Bus, USB
    MAX_WIRE = 0x7FFFFFFF
    LINK_NONE = 0xFFFF               # a record that is not a packet

cdef struct scan_t:
    const uint8_t* data
    Py_ssize_t size
    Py_ssize_t at                  # first byte not scanned; always the start of a record
    Py_ssize_t need                # bytes from `at` that the next record is known to take (SCAN_MORE)
    int64_t detail                 # the number at fault
    uint64_t offset                # position of data[0] in the capture
    uint64_t number                # frames before this piece
    uint64_t untimed               # frames without a time; summed over all pieces
    uint64_t wrapped               # frames whose time 64 bits of nanoseconds cannot hold; summed over all pieces
    uint64_t comments              # packet comments; summed over all pieces
    frame_t* frames
    Py_ssize_t n_frames
    Py_ssize_t capacity


cdef inline uint16_t load16(const uint8_t* p, bint big) noexcept nogil:
    return be16(p) if big else le16(p)


cdef inline uint32_t load32(const uint8_t* p, bint big) noexcept nogil:
    return be32(p) if big else le32(p)


cdef inline frame_t* add_frame(scan_t* w, Py_ssize_t start, uint32_t cap_len, uint32_t wire_len) noexcept nogil:
    """The next frame; its time, interface, link type and check sequence are still to be filled."""
    cdef Py_ssize_t n = w.n_frames
    cdef frame_t* frame = w.frames + n
    w.n_frames = n + 1
    frame.number = w.number + n + 1
    frame.offset = w.offset + start
    frame.cap_len = cap_len
    frame.wire_len = wire_len if wire_len < MAX_WIRE else MAX_WIRE
    frame.status = 0
    return frame


cdef inline uint32_t max_captured(uint16_t link_type) noexcept nogil:
    """The longest record to believe: above it, the length is damage and not a packet."""
    if link_type == 231 or link_type == 249:
        return MAX_CAPTURED_BUS
    return MAX_CAPTURED_EBHSCR if link_type == 279 else MAX_CAPTURED
