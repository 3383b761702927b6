"""Link layers: from the first byte of a frame to its network protocol."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from tcpcore.bytes cimport be16, be32, le32
from tcpcore.flags cimport HAS_VLAN, STATUS_LINK_TRUNCATED, STATUS_LINK_UNKNOWN, STATUS_NOT_IP
from tcpcore.wire.walk cimport (
    LAYER_ETHERNET, LAYER_ETHERTYPE, LAYER_IP, LAYER_IPV4, LAYER_IPV6, LAYER_LOOP, LAYER_NULL, LAYER_SLL, LAYER_SLL2,
    advance, walk_t)

cdef enum LinkType:
    LINKTYPE_NULL = 0
    LINKTYPE_ETHERNET = 1
    LINKTYPE_RAW_BSD = 12
    LINKTYPE_RAW_OPENBSD = 14
    LINKTYPE_RAW = 101
    LINKTYPE_LOOP = 108
    LINKTYPE_LINUX_SLL = 113
    LINKTYPE_IPV4 = 228
    LINKTYPE_IPV6 = 229
    LINKTYPE_LINUX_SLL2 = 276

cdef enum EtherType:
    ETHERTYPE_IPV4 = 0x0800
    ETHERTYPE_VLAN = 0x8100
    ETHERTYPE_IPV6 = 0x86DD
    ETHERTYPE_QINQ = 0x88A8
    ETHERTYPE_QINQ_OLD = 0x9100


cdef inline int first_layer(uint16_t link_type) noexcept nogil:
    if link_type == LINKTYPE_ETHERNET:
        return LAYER_ETHERNET
    if link_type in (LINKTYPE_RAW, LINKTYPE_RAW_BSD, LINKTYPE_RAW_OPENBSD):
        return LAYER_IP
    if link_type == LINKTYPE_IPV4:
        return LAYER_IPV4
    if link_type == LINKTYPE_IPV6:
        return LAYER_IPV6
    if link_type == LINKTYPE_LINUX_SLL:
        return LAYER_SLL
    if link_type == LINKTYPE_LINUX_SLL2:
        return LAYER_SLL2
    if link_type == LINKTYPE_NULL:
        return LAYER_NULL
    if link_type == LINKTYPE_LOOP:
        return LAYER_LOOP
    return STATUS_LINK_UNKNOWN


cdef inline int by_ethertype(uint16_t ethertype) noexcept nogil:
    if ethertype == ETHERTYPE_IPV4:
        return LAYER_IPV4
    if ethertype == ETHERTYPE_IPV6:
        return LAYER_IPV6
    if ethertype in (ETHERTYPE_VLAN, ETHERTYPE_QINQ, ETHERTYPE_QINQ_OLD):
        return LAYER_ETHERTYPE
    return STATUS_NOT_IP


cdef inline int ethernet(walk_t* w) noexcept nogil:
    """Destination, source, EtherType (IEEE 802.3 clause 3)."""
    cdef uint16_t ethertype
    if w.captured < 14:
        return STATUS_LINK_TRUNCATED
    ethertype = be16(w.p + 12)
    advance(w, 14)
    return by_ethertype(ethertype)


cdef inline int vlan_tag(walk_t* w) noexcept nogil:
    """Tag control information and the next EtherType (IEEE 802.1Q clause 9)."""
    cdef uint16_t ethertype
    if w.captured < 4:
        return STATUS_LINK_TRUNCATED
    if not w.row.present & HAS_VLAN:
        w.row.vlan = be16(w.p) & 0x0FFF
        w.row.present |= HAS_VLAN
    ethertype = be16(w.p + 2)
    advance(w, 4)
    return by_ethertype(ethertype)


cdef inline int sll(walk_t* w) noexcept nogil:
    """Linux cooked capture: 16 bytes, the protocol last."""
    cdef uint16_t ethertype
    if w.captured < 16:
        return STATUS_LINK_TRUNCATED
    ethertype = be16(w.p + 14)
    advance(w, 16)
    return by_ethertype(ethertype)


cdef inline int sll2(walk_t* w) noexcept nogil:
    """Linux cooked capture, version 2: 20 bytes, the protocol first."""
    cdef uint16_t ethertype
    if w.captured < 20:
        return STATUS_LINK_TRUNCATED
    ethertype = be16(w.p)
    advance(w, 20)
    return by_ethertype(ethertype)


cdef inline int by_family(uint32_t family) noexcept nogil:
    """AF_INET is 2 everywhere; AF_INET6 is 24 (BSD), 28 (FreeBSD), 30 (macOS) or 10 (Linux)."""
    if family == 2:
        return LAYER_IPV4
    if family in (10, 24, 28, 30):
        return LAYER_IPV6
    return STATUS_NOT_IP


cdef inline int null_loopback(walk_t* w, bint big_endian) noexcept nogil:
    """An address family in the byte order of the capturing host (LOOP: big-endian)."""
    cdef uint32_t family
    if w.captured < 4:
        return STATUS_LINK_TRUNCATED
    family = be32(w.p)
    if not big_endian and family > 0xFFFF:
        family = le32(w.p)
    advance(w, 4)
    return by_family(family)
