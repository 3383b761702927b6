"""Classic pcap: a 24-byte file header, then records of a 16-byte header and the captured bytes."""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.bytes cimport be32, le32
from tcpcore.records cimport frame_t

cdef enum WalkStop:
    WALK_MORE = 0        # the next record is not wholly there
    WALK_FULL = 1        # no room for another frame
    WALK_DAMAGED = 2     # the record at `at` cannot be one

cdef struct walk_t:
    # A piece of the capture, and how far the walk over its records has come.
    const uint8_t* data
    Py_ssize_t size
    Py_ssize_t at                  # first byte not walked over; always the start of a record
    Py_ssize_t need                # bytes from `at` that the next record is known to take (WALK_MORE)
    uint64_t offset                # position of data[0] in the capture
    uint64_t number                # frames before this piece
    frame_t* frames
    Py_ssize_t n_frames
    Py_ssize_t capacity

cdef struct pcap_t:
    # The file header, as far as the records need it.
    bint big_endian
    uint16_t link_type
    uint32_t snaplen
    uint32_t header_len            # of a record
    uint32_t fraction_ns           # unit of the time's fraction
    uint32_t max_len               # captured bytes of a believable record


cdef inline int walk_records(walk_t* w, const pcap_t* file, bint big) noexcept nogil:
    """Frames for all whole records, until room or bytes run out; a WalkStop."""
    cdef Py_ssize_t at = w.at, end, header_len = file.header_len
    cdef const uint8_t* head
    cdef frame_t* frame
    cdef uint32_t cap_len
    cdef int stop = WALK_MORE
    w.need = header_len
    while at + header_len <= w.size:
        if w.n_frames == w.capacity:
            stop = WALK_FULL
            break
        head = w.data + at
        cap_len = be32(head + 8) if big else le32(head + 8)
        if cap_len > file.max_len:
            stop = WALK_DAMAGED
            break
        end = at + header_len + cap_len
        if end > w.size:
            w.need = end - at
            break
        frame = w.frames + w.n_frames
        w.n_frames += 1
        frame.time_ns = <int64_t> (be32(head) if big else le32(head)) * 1_000_000_000 \
            + <int64_t> (be32(head + 4) if big else le32(head + 4)) * file.fraction_ns
        frame.number = w.number + w.n_frames
        frame.offset = w.offset + at + header_len
        frame.cap_len = cap_len
        frame.wire_len = be32(head + 12) if big else le32(head + 12)
        frame.interface_id = 0
        frame.link_type = file.link_type
        frame.status = 0
        at = end
    w.at = at
    return stop


cdef inline int walk_pcap(walk_t* w, const pcap_t* file) noexcept nogil:
    return walk_records(w, file, True) if file.big_endian else walk_records(w, file, False)
