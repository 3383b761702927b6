"""IEEE 802.11 data frames, and the radio headers capturing hosts put before them."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from tcpcore.bytes cimport be16, be32, le16, le32
from tcpcore.flags cimport STATUS_ENCRYPTED, STATUS_LINK_TRUNCATED, STATUS_NOT_IP
from tcpcore.wire.cursor cimport *
from tcpcore.wire.protocols cimport by_ethertype

cdef enum FrameControl:            # the two bytes as they lie, first byte high
    FC_VERSION_TYPE = 0x0F00
    FC_DATA = 0x0800
    FC_QOS = 0x8000
    FC_NO_DATA = 0x4000
    FC_TO_AND_FROM_DS = 0x0003
    FC_MORE_FRAGMENTS = 0x0004
    FC_PROTECTED = 0x0040
    FC_ORDER = 0x0080

cdef enum RadiotapFlag:
    RADIOTAP_FCS = 0x10
    RADIOTAP_PADDED = 0x20         # the header is padded to a multiple of 4


cdef inline int wlan(cursor_t* c, uint16_t control, bint padded) noexcept nogil:
    """``control`` is the frame control field; only whole, unencrypted data frames carry a packet."""
    cdef uint32_t size = 24
    if lacks(c, 24):
        return STATUS_LINK_TRUNCATED
    if control & FC_VERSION_TYPE != FC_DATA or control & FC_NO_DATA:
        return STATUS_NOT_IP
    if control & FC_PROTECTED:
        return STATUS_ENCRYPTED
    if control & FC_MORE_FRAGMENTS:
        return STATUS_NOT_IP
    if control & FC_TO_AND_FROM_DS == FC_TO_AND_FROM_DS:
        size += 6
    if control & FC_QOS:
        return qos_data(c, size, control, padded)
    return payload(c, size, padded)


cdef inline int qos_data(cursor_t* c, uint32_t size, uint16_t control, bint padded) noexcept nogil:
    """QoS control 2, then HT control 4 if the order bit is set; bit 7 of the first announces an A-MSDU."""
    cdef bint aggregate, mesh
    if lacks(c, size + 2):
        return STATUS_LINK_TRUNCATED
    aggregate = c.p[size] & 0x80
    mesh = c.p[size + 1] & 0x01 and control & FC_TO_AND_FROM_DS == FC_TO_AND_FROM_DS
    size += 6 if control & FC_ORDER else 2
    if aggregate:
        return first_subframe(c, size)
    if mesh:
        if lacks(c, size + 6):
            return STATUS_LINK_TRUNCATED
        size += 6 + 6 * (c.p[size] & 0x03)
    return payload(c, size, padded)


cdef inline int first_subframe(cursor_t* c, uint32_t size) noexcept nogil:
    """A-MSDU: destination 6, source 6, length 2, LLC."""
    cdef uint32_t length
    if lacks(c, size + 14):
        return STATUS_LINK_TRUNCATED
    length = be16(c.p + size + 12)
    advance(c, size + 14)
    limit(c, length)
    return LAYER_LLC


cdef inline int payload(cursor_t* c, uint32_t size, bint padded) noexcept nogil:
    if padded:
        size = (size + 3) & ~<uint32_t> 3
    if lacks(c, size):
        return STATUS_LINK_TRUNCATED
    advance(c, size)
    if not lacks(c, 2) and by_ethertype(be16(c.p)) != STATUS_NOT_IP:   # some hosts leave the LLC header out
        size = be16(c.p)
        advance(c, 2)
        return by_ethertype(<uint16_t> size)
    return LAYER_LLC


cdef inline int radiotap(cursor_t* c) noexcept nogil:
    """Version 1, pad 1, length 2, present words 4 each while bit 31 is set, fields by their bits."""
    cdef uint32_t length, at = 4
    cdef uint8_t flags = 0
    if lacks(c, 8):
        return STATUS_LINK_TRUNCATED
    length = le16(c.p + 2)
    if length < 8 or lacks(c, length):
        return STATUS_LINK_TRUNCATED
    if le32(c.p + 4) & 0x02:
        while at + 4 <= length and le32(c.p + at) >> 31:
            at += 4
        at += 4
        if le32(c.p + 4) & 0x01:
            at = ((at + 7) & ~<uint32_t> 7) + 8      # time, aligned
        if at < length:
            flags = c.p[at]
    advance(c, length)
    return with_radio_flags(c, flags)


cdef inline int with_radio_flags(cursor_t* c, uint8_t flags) noexcept nogil:
    if flags & RADIOTAP_FCS:
        drop_trailer(c, 4)
    if lacks(c, 2):
        return STATUS_LINK_TRUNCATED
    return wlan(c, be16(c.p), flags & RADIOTAP_PADDED)


cdef inline int ppi(cursor_t* c) noexcept nogil:
    """Version 1, flags 1, length 2, link type 4, then fields; the 802.11 one (2) tells of a check sequence."""
    cdef uint32_t length, at = 8
    cdef uint8_t flags = 0
    if lacks(c, 8):
        return STATUS_LINK_TRUNCATED
    length = le16(c.p + 2)
    if length < 8 or lacks(c, length) or le32(c.p + 4) != 105:
        return STATUS_NOT_IP
    while at + 4 <= length:
        if le16(c.p + at) == 2 and at + 14 <= length and le16(c.p + at + 12) & 0x01:
            flags = RADIOTAP_FCS
        at += 4 + le16(c.p + at + 2)
    advance(c, length)
    return with_radio_flags(c, flags)


cdef inline int prism(cursor_t* c) noexcept nogil:
    """144 bytes that begin with message code 0x44 or 0x41 in either byte order, or nothing."""
    if c.captured >= 144 and (le32(c.p) in (0x44, 0x41) or be32(c.p) in (0x44, 0x41)):
        advance(c, 144)
    return with_radio_flags(c, 0)


cdef inline int wireless_layer(cursor_t* c, int layer) noexcept nogil:
    if layer == LAYER_RADIOTAP:
        return radiotap(c)
    if layer == LAYER_PPI:
        return ppi(c)
    if layer == LAYER_PRISM:
        return prism(c)
    if lacks(c, 2):
        return STATUS_LINK_TRUNCATED
    return wlan(c, be16(c.p) if layer == LAYER_WLAN else le16(c.p), False)
