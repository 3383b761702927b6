"""Local networks other than Ethernet."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport STATUS_LINK_TRUNCATED, STATUS_NOT_IP
from tcpcore.wire.cursor cimport *
from tcpcore.wire.protocols cimport by_ethertype

cdef enum:
    SIGNALLING_CIRCUIT = 5         # of path 0


cdef inline int fddi(cursor_t* c) noexcept nogil:
    """Frame control 1, destination 6, source 6; format bits 01: LLC (control 50-5F, D0-D7)."""
    cdef uint8_t control
    if lacks(c, 13):
        return STATUS_LINK_TRUNCATED
    control = c.p[0]
    advance(c, 13)
    if 0x50 <= control <= 0x5F or 0xD0 <= control <= 0xD7:
        return LAYER_LLC
    return STATUS_NOT_IP


cdef inline int token_ring(cursor_t* c) noexcept nogil:
    """Access 1, frame control 1, destination 6, source 6; a source route if the source's top bit is set."""
    cdef uint32_t size = 14
    if lacks(c, 16):
        return STATUS_LINK_TRUNCATED
    if c.p[1] >> 6 != 1:
        return STATUS_NOT_IP
    if c.p[8] & 0x80:
        size += c.p[14] & 0x1F
    if lacks(c, size):
        return STATUS_LINK_TRUNCATED
    advance(c, size)
    return LAYER_LLC


cdef inline int arcnet(cursor_t* c, uint32_t addresses) noexcept nogil:
    """Addresses (on Linux with an offset of 2), protocol 1; RFC 1201 protocols add
    flag 1 (FF: exception, 3 more bytes), sequence 2."""
    cdef uint8_t protocol
    cdef uint32_t size
    if lacks(c, addresses + 4):
        return STATUS_LINK_TRUNCATED
    protocol = c.p[addresses]
    advance(c, addresses + 1)
    if protocol == 240:            # RFC 1051
        return LAYER_IPV4
    size = 7 if c.p[0] == 0xFF else 3
    if lacks(c, size):
        return STATUS_LINK_TRUNCATED
    advance(c, size)
    if protocol == 212:
        return LAYER_IPV4
    if protocol == 196:
        return LAYER_IPV6
    if protocol == 205:
        return LAYER_LLC
    return STATUS_NOT_IP


cdef inline int ipoib(cursor_t* c) noexcept nogil:
    """Pseudo header 40, EtherType 2, reserved 2 (RFC 4391 section 6)."""
    cdef uint16_t ethertype
    if lacks(c, 44):
        return STATUS_LINK_TRUNCATED
    ethertype = be16(c.p + 40)
    advance(c, 44)
    return by_ethertype(ethertype)


cdef inline int sunatm(cursor_t* c) noexcept nogil:
    """Flags 1, path 1, circuit 2; the low flag bits may say what the cells carried (1-5, 2: LLC, 6: signalling)."""
    cdef uint8_t kind
    cdef uint32_t circuit
    if lacks(c, 4):
        return STATUS_LINK_TRUNCATED
    kind = c.p[0] & 0x0F
    circuit = be32(c.p) & 0x00FFFFFF
    skip_pseudo_header(c, 4)
    if kind == 2:
        return LAYER_LLC
    if kind == 6 or circuit == SIGNALLING_CIRCUIT and not 1 <= kind <= 5:
        return STATUS_NOT_IP
    return by_first_bytes(c)


cdef inline int by_first_bytes(cursor_t* c) noexcept nogil:
    """What a circuit carries that does not say so: LLC, IP (RFC 2684), PPP (RFC 2364), LAN emulation, frame relay."""
    if lacks(c, 3):
        return STATUS_NOT_IP
    if c.p[0] == 0xAA and c.p[1] == 0xAA and c.p[2] == 0x03:
        return LAYER_LLC
    if c.p[0] >> 4 == 4 or c.p[0] >> 4 == 6:
        return LAYER_IP
    if be16(c.p) == 0x0021:
        return LAYER_PPP_PROTOCOL
    if be16(c.p) == 0:             # the number of the LAN emulation client
        advance(c, 2)
        return LAYER_ETHERNET
    return <int> LAYER_FRAME_RELAY if c.p[2] == 0x03 else <int> STATUS_NOT_IP     # unnumbered information


cdef inline int ax25(cursor_t* c) noexcept nogil:
    """Addresses of 7 bytes, the last with its low bit set; control 03, protocol 1."""
    cdef uint32_t size = 7
    while size <= 70 and size <= c.captured and not c.p[size - 1] & 1:
        size += 7
    if size > 70 or lacks(c, size + 2):
        return STATUS_LINK_TRUNCATED
    if c.p[size] & 0xEF != 0x03 or c.p[size + 1] != 204:
        return STATUS_NOT_IP
    advance(c, size + 2)
    return LAYER_IPV4


cdef inline int medium_layer(cursor_t* c, int layer) noexcept nogil:
    if layer == LAYER_FDDI:
        return fddi(c)
    if layer == LAYER_TOKEN_RING:
        return token_ring(c)
    if layer == LAYER_ARCNET or layer == LAYER_ARCNET_LINUX:
        return arcnet(c, 2 if layer == LAYER_ARCNET else 4)
    if layer == LAYER_IPOIB:
        return ipoib(c)
    if layer == LAYER_SUNATM:
        return sunatm(c)
    return ax25(c)
