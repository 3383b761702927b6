"""Tunnel headers: over IP, over UDP, over Ethernet."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport (
    STATUS_ENCRYPTED, STATUS_NOT_IP, STATUS_TUNNEL_MALFORMED, STATUS_TUNNEL_UNKNOWN, TUNNEL_AMT, TUNNEL_AYIYA,
    TUNNEL_CAPWAP, TUNNEL_ERSPAN, TUNNEL_GENEVE, TUNNEL_GRE, TUNNEL_L2TP, TUNNEL_LISP, TUNNEL_MIRROR,
    TUNNEL_MPLS, TUNNEL_NSH, TUNNEL_TEREDO, TUNNEL_VXLAN)
from tcpcore.wire.cursor cimport *
from tcpcore.wire.link cimport MAX_802_3_LENGTH
from tcpcore.wire.protocols cimport by_ethertype, by_gre_protocol, by_ip_protocol, by_nsh_protocol, by_ppp_protocol


cdef inline int tunnelled(cursor_t* c, uint32_t header, int layer) noexcept nogil:
    """Step over a tunnel header to what it carries."""
    if lacks(c, header):
        return STATUS_TUNNEL_MALFORMED
    advance(c, header)
    return layer


cdef inline int mpls(cursor_t* c) noexcept nogil:
    """Labels of 4 bytes, the last with bit 0x100 set; then IP, or a pseudowire (RFC 3032, 4385)."""
    cdef bint bottom = False
    while not bottom:
        if lacks(c, 4):
            return STATUS_TUNNEL_MALFORMED
        identify_tunnel(c, TUNNEL_MPLS, be32(c.p) >> 12)
        bottom = c.p[2] & 1
        advance(c, 4)
    if lacks(c, 1):
        return STATUS_NOT_IP
    if c.p[0] >> 4 == 4:
        return LAYER_IPV4
    if c.p[0] >> 4 == 6:
        return LAYER_IPV6
    return pseudowire(c)


cdef inline int pseudowire(cursor_t* c) noexcept nogil:
    """Associated channel (1), else Ethernet after a control word or without: where the EtherType is known."""
    cdef uint16_t channel
    if c.p[0] >> 4 == 1 and not lacks(c, 4):
        channel = be16(c.p + 2)
        return tunnelled(c, 4, by_ppp_protocol(channel))
    if c.p[0] >> 4 != 0 or lacks(c, 18):
        return STATUS_NOT_IP
    if by_ethertype(be16(c.p + 16)) != STATUS_NOT_IP or (
            be16(c.p + 16) <= MAX_802_3_LENGTH and by_ethertype(be16(c.p + 12)) == STATUS_NOT_IP):
        advance(c, 4)
    return LAYER_ETHERNET


cdef inline int gre(cursor_t* c) noexcept nogil:
    """Flags and version 2, protocol 2, then what the flags announce (RFC 2784, 2890, 1701; PPTP: 2637)."""
    cdef uint16_t flags, protocol
    cdef uint32_t size = 4
    cdef int layer
    if lacks(c, 4):
        return STATUS_TUNNEL_MALFORMED
    flags, protocol = be16(c.p), be16(c.p + 2)
    size += 4 if flags & 0xC000 else 0     # checksum, routing offset
    if flags & 0x2000:
        if lacks(c, size + 4):
            return STATUS_TUNNEL_MALFORMED
        # In version 1 the key is the payload's length and the call.
        identify_tunnel(c, TUNNEL_GRE, be16(c.p + size + 2) if flags & 0x0007 == 1 else be32(c.p + size))
        size += 4
    size += 4 if flags & 0x1000 else 0     # sequence number
    size += 4 if flags & 0x0080 and flags & 0x0007 == 1 else 0
    enter_tunnel(c, TUNNEL_GRE)
    layer = tunnelled(c, size, by_gre_protocol(protocol))
    if layer == LAYER_ERSPAN and protocol == 0x88BE and not flags & 0x1000:
        return LAYER_ETHERNET              # type I has no header of its own
    if flags & 0x4000 and layer != STATUS_TUNNEL_MALFORMED and not skip_routing(c):
        return STATUS_TUNNEL_MALFORMED
    if protocol == 0x883E and c.captured and c.p[0] >> 4 != 4:
        return tunnelled(c, 4, layer)      # WCCP redirect header
    return layer


cdef inline bint skip_routing(cursor_t* c) noexcept nogil:
    """Source routes: family 2, offset 1, length 1, ...; family and length 0 end them (RFC 1701)."""
    cdef uint32_t size
    while not lacks(c, 4):
        size = c.p[3]
        if be16(c.p) == 0 and size == 0:
            advance(c, 4)
            return True
        if lacks(c, 4 + size):
            return False
        advance(c, 4 + size)
    return False


cdef inline int erspan(cursor_t* c) noexcept nogil:
    """Types II (8 bytes) and III (12, 20 with a platform header): version 4 bits, ..., session 10 bits."""
    cdef uint32_t size
    if lacks(c, 8):
        return STATUS_TUNNEL_MALFORMED
    identify_tunnel(c, TUNNEL_ERSPAN, be16(c.p + 2) & 0x03FF)
    if c.p[0] >> 4 == 1:
        return tunnelled(c, 8, LAYER_ETHERNET)
    if c.p[0] >> 4 != 2 or lacks(c, 12):
        return STATUS_TUNNEL_UNKNOWN
    size = 20 if c.p[11] & 1 else 12
    return tunnelled(c, size, LAYER_ETHERNET)


cdef inline int nsh(cursor_t* c) noexcept nogil:
    """Version, flags and length in words 2, metadata type 1, protocol 1, path and index 4 (RFC 8300)."""
    cdef uint32_t size
    if lacks(c, 8):
        return STATUS_TUNNEL_MALFORMED
    size = (be16(c.p) & 0x3F) * 4
    if c.p[2] == 1:
        size = 24
    if size < 8:
        return STATUS_TUNNEL_MALFORMED
    identify_tunnel(c, TUNNEL_NSH, be32(c.p + 4))
    return tunnelled(c, size, by_nsh_protocol(c.p[3]))


cdef inline int vxlan(cursor_t* c, bint generic) noexcept nogil:
    """Flags 1, reserved 2, protocol 1 (GPE), identifier 3, reserved 1 (RFC 7348)."""
    if lacks(c, 8):
        return STATUS_TUNNEL_MALFORMED
    identify_tunnel(c, TUNNEL_VXLAN, be32(c.p + 4) >> 8)
    return tunnelled(c, 8, by_nsh_protocol(c.p[3]) if generic else <int> LAYER_ETHERNET)


cdef inline int geneve(cursor_t* c) noexcept nogil:
    """Version and option length in words 1, flags 1, protocol 2, identifier 3, reserved 1 (RFC 8926)."""
    cdef uint32_t size
    if lacks(c, 8):
        return STATUS_TUNNEL_MALFORMED
    size = 8 + (c.p[0] & 0x3F) * 4
    identify_tunnel(c, TUNNEL_GENEVE, be32(c.p + 4) >> 8)
    return tunnelled(c, size, by_ethertype(be16(c.p + 2)))


cdef inline int teredo(cursor_t* c) noexcept nogil:
    """Authentication (00 01, lengths of two fields) and origin (00 00) indications, then IPv6 (RFC 4380)."""
    cdef uint32_t size
    if not lacks(c, 4) and be16(c.p) == 1:
        size = 13 + <uint32_t> c.p[2] + c.p[3]
        if lacks(c, size):
            return STATUS_TUNNEL_MALFORMED
        advance(c, size)
    if not lacks(c, 8) and be16(c.p) == 0:
        advance(c, 8)
    if lacks(c, 40) or c.p[0] >> 4 != 6:
        return STATUS_NOT_IP
    enter_tunnel(c, TUNNEL_TEREDO)
    return LAYER_IPV6


cdef inline int l2tp(cursor_t* c) noexcept nogil:
    """Flags and version 2, length 0 or 2, tunnel 2, session 2, then what the flags announce (RFC 2661)."""
    cdef uint16_t flags
    cdef uint32_t size = 2
    if lacks(c, 6):
        return STATUS_TUNNEL_MALFORMED
    flags = be16(c.p)
    if flags & 0x8000 or flags & 0x000F != 2:
        return STATUS_TUNNEL_UNKNOWN       # control, or version 3: its payload is not announced
    size += 2 if flags & 0x4000 else 0
    if lacks(c, size + 4):
        return STATUS_TUNNEL_MALFORMED
    identify_tunnel(c, TUNNEL_L2TP, be32(c.p + size))
    size += 4
    size += 4 if flags & 0x0800 else 0
    if flags & 0x0200:
        if lacks(c, size + 2):
            return STATUS_TUNNEL_MALFORMED
        size += 2 + <uint32_t> be16(c.p + size)
    return tunnelled(c, size, LAYER_PPP)


cdef inline int capwap(cursor_t* c) noexcept nogil:
    """Preamble 1, header length in words 5 bits, ..., binding 5 bits, T bit: its frames inside, else 802.3
    (RFC 5415)."""
    cdef uint32_t size
    if lacks(c, 8):
        return STATUS_TUNNEL_MALFORMED
    if c.p[0] & 0x0F:
        return STATUS_ENCRYPTED            # DTLS
    enter_tunnel(c, TUNNEL_CAPWAP)
    size = (c.p[1] >> 3) * 4
    if size < 8 or c.p[3] & 0x88:
        return STATUS_TUNNEL_MALFORMED     # a fragment, a keep-alive, or no header
    if not c.p[2] & 0x01:
        return tunnelled(c, size, LAYER_ETHERNET)
    return tunnelled(c, size, LAYER_WLAN_SWAPPED) if c.p[2] & 0x3E == 0x02 else <int> STATUS_TUNNEL_UNKNOWN


cdef inline int lwapp(cursor_t* c) noexcept nogil:
    """Version, flags 1 (04: control), fragment 1, length 2, status 2; then 802.11."""
    if lacks(c, 6) or c.p[0] & 0x04:
        return STATUS_TUNNEL_MALFORMED
    enter_tunnel(c, TUNNEL_MIRROR)
    return tunnelled(c, 6, LAYER_WLAN)


cdef inline int ayiya(cursor_t* c) noexcept nogil:
    """Lengths of identity and signature and methods 2, operation 1, next header 1, time 4, then those two."""
    cdef uint32_t size
    if lacks(c, 8):
        return STATUS_TUNNEL_MALFORMED
    enter_tunnel(c, TUNNEL_AYIYA)
    size = 8 + (<uint32_t> 1 << (c.p[0] >> 4)) + (c.p[1] >> 4) * 4
    if c.p[2] & 0x0F != 1:
        return STATUS_NOT_IP               # operation: no packet to forward
    return tunnelled(c, size, by_ip_protocol(c.p[3]))


cdef inline int amt(cursor_t* c) noexcept nogil:
    """Version and type 1, ...: multicast data (6), membership update (5) (RFC 7450)."""
    cdef uint8_t kind
    if lacks(c, 1):
        return STATUS_TUNNEL_MALFORMED
    kind = c.p[0] & 0x0F
    enter_tunnel(c, TUNNEL_AMT)
    if kind == 6:
        return tunnelled(c, 2, LAYER_IP)
    if kind == 5:
        return tunnelled(c, 12, LAYER_IP)
    return STATUS_NOT_IP


cdef inline int lisp(cursor_t* c) noexcept nogil:
    """Flags, nonce or map version 4, locator bits 4; then IP (RFC 9300)."""
    enter_tunnel(c, TUNNEL_LISP)
    return tunnelled(c, 8, LAYER_IP)
