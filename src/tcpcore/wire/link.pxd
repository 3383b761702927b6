"""Ethernet, the tags and headers that follow it, and LLC."""
from libc.stdint cimport uint16_t, uint32_t

from tcpcore.bytes cimport be16, be32
from tcpcore.flags cimport (
    HAS_VLAN, STATUS_ENCRYPTED, STATUS_LINK_MALFORMED, STATUS_LINK_TRUNCATED, STATUS_NOT_IP, TUNNEL_BACKBONE,
    TUNNEL_MIRROR)
from tcpcore.wire.cursor cimport *
from tcpcore.wire.protocols cimport ETHERTYPE_FABRICPATH, by_ethertype

cdef enum:
    ETHERNET_HEADER = 14           # destination 6, source 6, EtherType or length 2
    MAX_802_3_LENGTH = 1500        # above it, the field is an EtherType (IEEE 802.3 clause 3.2.6)
    MIN_ETHERTYPE = 1536


cdef inline uint16_t ethernet_type(const uint8_t* p) noexcept nogil:
    return be16(p + 12)


cdef inline int ethernet(cursor_t* c) noexcept nogil:
    cdef uint16_t ethertype
    if lacks(c, ETHERNET_HEADER):
        return STATUS_LINK_TRUNCATED
    ethertype = ethernet_type(c.p)
    if ethertype < MIN_ETHERTYPE or ethertype == ETHERTYPE_FABRICPATH:
        return unusual_ethernet(c, ethertype)
    advance(c, ETHERNET_HEADER)
    return by_ethertype(ethertype)


cdef inline int unusual_ethernet(cursor_t* c, uint16_t field) noexcept nogil:
    """A length, or a trunk header that encapsulates the whole frame with its check sequence."""
    cdef uint32_t prefix = be32(c.p)
    if field == ETHERTYPE_FABRICPATH:
        return encapsulated_ethernet(c, 16, 4)
    if c.p[4] == 0 and (prefix == 0x01000C00 or prefix == 0x0C000C00):   # Cisco ISL
        advance(c, ETHERNET_HEADER)
        limit(c, field)
        return encapsulated_ethernet(c, 12, 4)
    advance(c, ETHERNET_HEADER)
    if field > MAX_802_3_LENGTH:
        return STATUS_LINK_MALFORMED
    limit(c, field)
    return LAYER_LLC


cdef inline int encapsulated_ethernet(cursor_t* c, uint32_t header, uint32_t trailer) noexcept nogil:
    if lacks(c, header):
        return STATUS_LINK_TRUNCATED
    enter_tunnel(c, TUNNEL_MIRROR)
    advance(c, header)
    drop_trailer(c, trailer)
    return LAYER_ETHERNET


cdef inline int after_tag(cursor_t* c, uint32_t size) noexcept nogil:
    """A tag whose last two bytes are the next EtherType, or a length."""
    cdef uint16_t ethertype = be16(c.p + size - 2)
    advance(c, size)
    if ethertype <= MAX_802_3_LENGTH:
        limit(c, ethertype)
        return LAYER_LLC
    return by_ethertype(ethertype)


cdef inline int vlan_tag(cursor_t* c, bint customer) noexcept nogil:
    """Tag control information 2, EtherType 2 (IEEE 802.1Q clause 9); a provider's is not what tshark calls vlan.id."""
    if lacks(c, 4):
        return STATUS_LINK_TRUNCATED
    if customer and not c.row.present & HAS_VLAN:
        c.row.vlan = be16(c.p) & 0x0FFF
        c.row.present |= HAS_VLAN
    return after_tag(c, 4)


cdef inline int backbone_tag(cursor_t* c) noexcept nogil:
    """802.1ah: flags and service identifier 4, customer destination and source 12, EtherType 2."""
    if lacks(c, 18):
        return STATUS_LINK_TRUNCATED
    identify_tunnel(c, TUNNEL_BACKBONE, be32(c.p) & 0x00FFFFFF)
    return after_tag(c, 18)


cdef inline int macsec(cursor_t* c) noexcept nogil:
    """Control 1, short length 1, packet number 4, channel 0 or 8, EtherType 2 (802.1AE)."""
    cdef uint32_t size = 16 if c.captured and c.p[0] & 0x20 else 8
    if lacks(c, size):
        return STATUS_LINK_TRUNCATED
    return STATUS_ENCRYPTED if c.p[0] & 0x0C else after_tag(c, size)


cdef inline int trill(cursor_t* c) noexcept nogil:
    """Flags and length of the options 2, egress 2, ingress 2, options (RFC 6325 section 3)."""
    cdef uint32_t options
    if lacks(c, 6):
        return STATUS_LINK_TRUNCATED
    options = ((be16(c.p) >> 6) & 0x1F) * 4
    return encapsulated_ethernet(c, 6 + options, 0)


cdef inline int batman(cursor_t* c) noexcept nogil:
    """B.A.T.M.A.N. advanced, compatibility version 15: unicast and broadcast data."""
    if lacks(c, 2) or c.p[1] != 15:
        return STATUS_NOT_IP
    if c.p[0] == 0x40:
        return encapsulated_ethernet(c, 10, 0)
    if c.p[0] == 0x01:
        return encapsulated_ethernet(c, 14, 0)
    return STATUS_NOT_IP


cdef inline int llc(cursor_t* c) noexcept nogil:
    """DSAP 1, SSAP 1, control 1; with SNAP: organisation 3, protocol 2 (IEEE 802.2)."""
    if lacks(c, 3):
        return STATUS_LINK_TRUNCATED
    if c.p[0] == 0xAA and c.p[1] == 0xAA and c.p[2] == 0x03:
        advance(c, 3)
        return snap(c, 2)
    if c.p[0] == 0x06 and c.p[2] == 0x03:
        advance(c, 3)
        return LAYER_IPV4
    return STATUS_NOT_IP


cdef inline int snap(cursor_t* c, uint32_t padding) noexcept nogil:
    """EtherTypes under two organisations; bridged Ethernet after ``padding`` under 00-80-C2 (RFC 2684, 2427)."""
    cdef uint32_t organisation
    cdef uint16_t protocol
    if lacks(c, 5):
        return STATUS_LINK_TRUNCATED
    organisation = be32(c.p) >> 8
    protocol = be16(c.p + 3)
    if organisation == 0x0080C2 and (protocol == 1 or protocol == 7):
        return encapsulated_ethernet(c, 5 + padding, 4 if protocol == 1 else 0)
    advance(c, 5)
    if organisation == 0 or organisation == 0x0000F8:
        return by_ethertype(protocol)
    return STATUS_NOT_IP


cdef inline int link_layer(cursor_t* c, int layer) noexcept nogil:
    if layer == LAYER_VLAN:
        return vlan_tag(c, True)
    if layer == LAYER_PROVIDER_TAG:
        return vlan_tag(c, False)
    if layer == LAYER_LLC:
        return llc(c)
    if layer == LAYER_BACKBONE_TAG:
        return backbone_tag(c)
    if layer == LAYER_ETAG:
        return STATUS_LINK_TRUNCATED if lacks(c, 8) else after_tag(c, 8)
    if layer == LAYER_VNTAG:
        return STATUS_LINK_TRUNCATED if lacks(c, 6) else after_tag(c, 6)
    if layer == LAYER_MACSEC:
        return macsec(c)
    if layer == LAYER_TRILL:
        return trill(c)
    return batman(c)
