"""Where decoding stands in a frame, and the names of the layers it can meet.

A layer is a function that looks at the bytes at ``c.p``, moves past its header and returns what
comes next: another Layer, or the DecodeStatus that ends the walk.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from tcpcore.flags cimport OUTER_ID, TUNNEL_ROUTE
from tcpcore.records cimport frame_t, segment_t, tunnel_t

cdef enum Layer:
    # Values below FIRST_LAYER are DecodeStatus codes.
    FIRST_LAYER = 64
    LAYER_ETHERNET
    LAYER_IPV4
    LAYER_IPV6
    LAYER_TCP
    LAYER_IP                       # version by the first four bits
    LAYER_UDP
    LAYER_UDP_LITE
    LAYER_ICMP
    LAYER_ICMPV6
    LAYER_IPV6_OPTIONS             # hop-by-hop, destination
    LAYER_IPV6_ROUTING
    LAYER_IPV6_SHIM
    LAYER_IPV4_FRAGMENT            # at its IP header
    LAYER_IPV6_FRAGMENT            # at the fragment header
    LAYER_AH
    LAYER_IPCOMP

    FIRST_ETHERNET_LAYER = 96      # link.pxd
    LAYER_VLAN
    LAYER_PROVIDER_TAG             # 802.1ad
    LAYER_BACKBONE_TAG             # 802.1ah
    LAYER_ETAG                     # 802.1BR
    LAYER_VNTAG
    LAYER_MACSEC
    LAYER_TRILL
    LAYER_BATMAN
    LAYER_LLC

    FIRST_CAPTURE_LAYER = 128      # capture.pxd: headers written by the capturing host
    LAYER_SLL
    LAYER_SLL2
    LAYER_NULL
    LAYER_LOOP
    LAYER_RAW
    LAYER_ENC
    LAYER_PFLOG
    LAYER_NFLOG
    LAYER_PKTAP
    LAYER_TZSP

    FIRST_MEDIUM_LAYER = 160       # medium.pxd
    LAYER_FDDI
    LAYER_TOKEN_RING
    LAYER_ARCNET
    LAYER_ARCNET_LINUX
    LAYER_IPOIB
    LAYER_SUNATM
    LAYER_AX25

    FIRST_SERIAL_LAYER = 192       # serial.pxd
    LAYER_PPP                      # perhaps after address and control
    LAYER_PPP_PROTOCOL
    LAYER_PPP_DIRECTION
    LAYER_PPPOE
    LAYER_CISCO_HDLC
    LAYER_FRAME_RELAY

    FIRST_JUNIPER_LAYER = 208      # juniper.pxd
    LAYER_JUNIPER
    LAYER_JUNIPER_ETHERNET
    LAYER_JUNIPER_PPP
    LAYER_JUNIPER_MLPPP
    LAYER_JUNIPER_FRAME_RELAY
    LAYER_JUNIPER_HDLC
    LAYER_JUNIPER_ATM1
    LAYER_JUNIPER_ATM2
    LAYER_JUNIPER_GGSN

    FIRST_WIRELESS_LAYER = 224     # wireless.pxd
    LAYER_WLAN
    LAYER_WLAN_SWAPPED             # frame control bytes exchanged
    LAYER_RADIOTAP
    LAYER_PPI
    LAYER_PRISM

    FIRST_TUNNEL_LAYER = 256       # tunnel.pxd
    LAYER_MPLS
    LAYER_GRE
    LAYER_ERSPAN
    LAYER_NSH
    LAYER_VXLAN
    LAYER_VXLAN_GPE
    LAYER_GENEVE
    LAYER_GTP
    LAYER_TEREDO
    LAYER_L2TP
    LAYER_CAPWAP
    LAYER_LWAPP
    LAYER_AYIYA
    LAYER_LISP
    LAYER_AMT

cdef enum Quoted:
    NOT_QUOTED = 0
    QUOTED_BY_ICMP = 1             # the next IP header is the one quoted
    QUOTED_IPV4 = 2                # directly inside an ICMPv4 error
    QUOTED_DEEPER = 3

ctypedef struct cursor_t:
    const uint8_t* p               # the next header
    uint32_t captured              # bytes captured from p on
    uint32_t length                # bytes from p on the wire, as the headers so far tell; >= captured
    segment_t* row
    frame_t* frame
    const uint8_t* base            # first byte of the frame, or of the datagram joined last
    uint64_t base_offset           # of that byte, as segment_t.payload_offset counts
    tunnel_t tunnel
    uint8_t ip_headers             # IP headers passed so far
    uint8_t quoted                 # Quoted
    bint cut                       # the IP header announced more bytes than there are on the wire
    uint8_t first_fragment         # of a datagram that cannot be joined: no length is known up to an IPv4 header in it


cdef inline bint lacks(const cursor_t* c, uint32_t n) noexcept nogil:
    """The one check of a header: afterwards ``c.p[0:n]`` may be read and stepped over."""
    return c.captured < n


cdef inline void advance(cursor_t* c, uint32_t n) noexcept nogil:
    """Step over ``n`` captured bytes."""
    c.p += n
    c.captured -= n
    c.length -= n


cdef inline void skip_pseudo_header(cursor_t* c, uint32_t n) noexcept nogil:
    """Step over ``n`` bytes that tell of the frame and do not count as its own: frame.len is without them."""
    advance(c, n)
    c.row.cap_len -= n
    c.row.frame_len = max(c.row.frame_len, n) - n


cdef inline void limit(cursor_t* c, uint32_t n) noexcept nogil:
    """What follows is ``n`` bytes long, or what there is if that is less (LN-1, LN-5)."""
    if n < c.length:
        c.length = n
        if n < c.captured:
            c.captured = n


cdef inline void drop_trailer(cursor_t* c, uint32_t n) noexcept nogil:
    """The last ``n`` bytes on the wire are a check sequence."""
    limit(c, c.length - n if c.length > n else 0)


cdef inline void enter_tunnel(cursor_t* c, uint8_t kind) noexcept nogil:
    """Remember the outermost tunnel (TunnelKind); a route that only names other ends gives way to any."""
    if c.tunnel.kind == 0 or c.tunnel.kind == TUNNEL_ROUTE:
        c.tunnel.kind = kind


cdef inline void identify_tunnel(cursor_t* c, uint8_t kind, uint32_t identifier) noexcept nogil:
    """As enter_tunnel; of several identifiers the outermost counts."""
    enter_tunnel(c, kind)
    if not c.tunnel.has & OUTER_ID:
        c.tunnel.has |= OUTER_ID
        c.tunnel.vni = identifier
