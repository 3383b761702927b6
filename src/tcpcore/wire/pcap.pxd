"""Classic pcap: a file header of 24 bytes (28 of Ixia's), then records: a header and the captured bytes."""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from tcpcore.records cimport frame_t
from tcpcore.wire.scan cimport (
    MAX_CAPTURED_BUS, SCAN_FULL, SCAN_MORE, SCAN_ON, SCAN_TOO_LONG, add_frame, load32, max_captured, scan_t)

cdef enum Lengths:
    # The order of a record's two lengths: version 2.3 swapped them, and some writers only its number.
    LENGTHS_CAPTURED_FIRST
    LENGTHS_WIRE_FIRST
    LENGTHS_EITHER

cdef struct pcap_t:
    # What the file header says of the records.
    bint big
    uint16_t link_type
    uint32_t snaplen
    uint32_t header_len            # of a record: 16, or longer in the variants
    uint32_t fraction_ns           # unit of the time's fraction
    uint32_t max_captured
    uint8_t fcs_len
    int lengths


cdef inline void exchange_lengths(int lengths, uint32_t* cap_len, uint32_t* wire_len) noexcept nogil:
    """If the one read first is not that of the captured bytes."""
    if lengths == LENGTHS_WIRE_FIRST or lengths == LENGTHS_EITHER and cap_len[0] > wire_len[0]:
        cap_len[0], wire_len[0] = wire_len[0], cap_len[0]


cdef inline int scan_records(scan_t* w, const pcap_t* file, bint big) noexcept nogil:
    """Frames for all whole records, until room or bytes run out; a Scan."""
    cdef pcap_t how = file[0]                # a copy, which storing frames cannot have changed
    cdef const uint8_t* data = w.data
    cdef const uint8_t* head
    cdef Py_ssize_t at = w.at, size = w.size, start
    cdef frame_t* frame
    cdef uint32_t cap_len, wire_len
    cdef int stop = SCAN_ON
    while stop == SCAN_ON:
        start = at + how.header_len
        head = data + at
        if start > size:
            w.need = how.header_len
            stop = SCAN_MORE
            break
        cap_len, wire_len = load32(head + 8, big), load32(head + 12, big)
        exchange_lengths(how.lengths, &cap_len, &wire_len)
        if cap_len > how.max_captured:
            w.detail = cap_len
            stop = SCAN_TOO_LONG
        elif start + cap_len > size:
            w.need = how.header_len + cap_len
            stop = SCAN_MORE
        elif w.n_frames == w.capacity:
            stop = SCAN_FULL
        else:
            frame = add_frame(w, start, cap_len, wire_len)
            # A fraction beyond a second counts as it is, in 32 bits (TM-3).
            frame.time_ns = <int64_t> load32(head, big) * 1_000_000_000 \
                + <int32_t> (load32(head + 4, big) * how.fraction_ns)
            frame.interface_id = 0
            frame.link_type = how.link_type
            frame.fcs_len = how.fcs_len
            at = start + cap_len
    w.at = at
    return stop


cdef inline int scan_pcap(scan_t* w, const pcap_t* file) noexcept nogil:
    return scan_records(w, file, True) if file.big else scan_records(w, file, False)


cdef inline int doubt(const uint8_t* data, Py_ssize_t size, bint ends, const pcap_t* file,
                      uint32_t header_len) noexcept nogil:
    """How many things are odd about the first odd one of three records, if their headers have ``header_len`` bytes.

    Where the data ends, the capture does if ``ends``.  tshark tells variants apart by the same points.
    """
    cdef Py_ssize_t at = 0
    cdef uint32_t cap_len, wire_len
    cdef int _, odd
    for _ in range(3):
        if at == size:
            return 0
        if at + header_len > size:
            return ends
        cap_len, wire_len = load32(data + at + 8, file.big), load32(data + at + 12, file.big)
        exchange_lengths(file.lengths, &cap_len, &wire_len)
        odd = ((cap_len > file.max_captured) + (cap_len > file.snaplen) + (cap_len > wire_len)
               + (wire_len > MAX_CAPTURED_BUS) + (load32(data + at + 4, file.big) >= 1_000_000_000 // file.fraction_ns))
        if odd:
            return odd
        at += header_len + cap_len
        if at > size:
            return ends
    return 0
