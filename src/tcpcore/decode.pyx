"""Frames to TCP segments: link layer, tunnels, network layer, TCP."""
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.batch cimport PAYLOAD_IN_ARENA, Batch, segment_at
from tcpcore.bytes cimport be16, be32
from tcpcore.clear cimport clear
from tcpcore.flags cimport (
    STATUS_IP_FRAGMENT, STATUS_IP_TRUNCATED, STATUS_LINK_UNKNOWN, STATUS_TCP, STATUS_TUNNEL_MALFORMED,
    STATUS_TUNNEL_TOO_DEEP)
from tcpcore.fragments cimport IPV6_DATAGRAM, Fragments, datagram_key_t
from tcpcore.inflate cimport inflate
from tcpcore.prefetch cimport prefetch, prefetch_write
from tcpcore.records cimport frame_t, segment_t
from tcpcore.sanitize cimport fence, unfence
from tcpcore.wire.capture cimport capture_layer
from tcpcore.wire.cursor cimport *
from tcpcore.wire.gtp cimport gtp
from tcpcore.wire.icmp cimport icmp, icmpv6
from tcpcore.wire.ipv4 cimport (
    IPV4_MORE_FRAGMENTS, IPV4_OFFSET, ipv4, ipv4_fragment, ipv4_header_len, ipv4_id, ipv4_protocol, ipv4_total_len)
from tcpcore.wire.ipv6 cimport ipv6
from tcpcore.wire.ipv6_extension cimport IPV6_FRAGMENT_HEADER, authentication, ipv6_extension
from tcpcore.wire.juniper cimport juniper
from tcpcore.wire.link cimport ETHERNET_HEADER, ethernet, ethernet_type, link_layer
from tcpcore.wire.link_types cimport LINKTYPE_ETHERNET, first_layer
from tcpcore.wire.medium cimport medium_layer
from tcpcore.wire.protocols cimport ETHERTYPE_IPV4, ETHERTYPE_IPV6, by_ip_protocol
from tcpcore.wire.serial cimport serial_layer
from tcpcore.wire.tcp cimport tcp
from tcpcore.wire.tunnel cimport (
    amt, ayiya, capwap, erspan, geneve, gre, l2tp, lisp, lwapp, mpls, nsh, teredo, vxlan)
from tcpcore.wire.udp cimport udp
from tcpcore.wire.wireless cimport wireless_layer

cdef enum:
    AHEAD = 8                      # frames between prefetch and use
    LINE = 64                      # bytes of a cache line
    MAX_LAYERS = 128               # headers of one frame
    MAX_INFLATED = 65535           # bytes of one compressed payload
    MAX_INFLATED_ARENA = 16 << 20  # of one batch: the arena is not for decompression bombs


cdef class Decoder:
    """Turns the frames of a batch into segment rows."""

    cdef readonly Fragments fragments
    cdef readonly uint64_t n_frames
    cdef readonly uint64_t n_unknown_links      # frames of link types without a decoder

    def __init__(self):
        self.fragments = Fragments()

    def process(self, Batch batch not None):
        """Fill ``batch.rows`` (SEGMENT part), ``n_rows``, the side tables and each frame's ``status``."""
        cdef const uint8_t* capture = batch.capture()
        batch.n_rows = batch.n_tunnels = batch.arena_len = 0
        batch.fresh_rows()
        with nogil:
            decode(batch, capture, self.fragments, &self.n_unknown_links)
        self.n_frames += batch.n_frames


cdef int decode(Batch batch, const uint8_t* capture, Fragments fragments,
                uint64_t* n_unknown_links) except -1 nogil:
    cdef frame_t* frame
    cdef segment_t* row = <segment_t*> batch.rows
    cdef Py_ssize_t i
    cdef const uint8_t* end
    for i in range(batch.n_frames):
        frame = batch.frames + i
        if i + AHEAD < batch.n_frames:
            prefetch_headers(capture + frame[AHEAD].offset)
        prefetch_row(<char*> row + AHEAD * batch.stride)
        end = capture + frame.offset + frame.cap_len
        fence(end, behind(batch, frame))
        decode_frame(batch, fragments, row, frame, capture)
        unfence(end, behind(batch, frame))
        if frame.status == STATUS_TCP:
            batch.n_rows += 1
            row = segment_at(batch.rows, batch.stride, batch.n_rows)
        elif frame.status == STATUS_LINK_UNKNOWN:
            n_unknown_links[0] += 1
    return 0


cdef inline void prefetch_headers(const uint8_t* p) noexcept nogil:
    prefetch(p)
    prefetch(p + LINE)


cdef inline void prefetch_row(const char* row) noexcept nogil:
    cdef size_t line
    for line in range(sizeof(segment_t) // LINE + 1):
        prefetch_write(row + line * LINE)


cdef inline int decode_frame(Batch batch, Fragments fragments, segment_t* row, frame_t* frame,
                             const uint8_t* capture) except -1 nogil:
    """Ethernet, IP and TCP, as in most frames, by a cursor that the compiler keeps in registers; all else by a walk."""
    cdef cursor_t c
    cdef int layer = first_layer(frame.link_type)
    begin(&c, row, frame, capture)
    if layer == LAYER_ETHERNET and c.captured >= ETHERNET_HEADER:
        if ethernet_type(c.p) == ETHERTYPE_IPV4:
            advance(&c, ETHERNET_HEADER)
            layer = ipv4(&c)
        elif ethernet_type(c.p) == ETHERTYPE_IPV6:
            advance(&c, ETHERNET_HEADER)
            layer = ipv6(&c)
    if layer == LAYER_TCP:
        frame.status = tcp(&c)
        return 0
    return walk_on(batch, fragments, c, layer)


cdef int walk_on(Batch batch, Fragments fragments, cursor_t c, int layer) except -1 nogil:
    """The rest of a frame; the cursor is a copy, for its address is given away."""
    c.frame.status = walk(batch, fragments, &c, layer)
    if c.frame.status == STATUS_TCP and c.tunnel.kind:
        add_tunnel(batch, &c)
    return 0


cdef inline size_t behind(Batch batch, const frame_t* frame) noexcept nogil:
    """Bytes of the batch behind a frame that belong to others."""
    return min(<size_t> (batch.data_offset + batch.data_len - frame.offset - frame.cap_len), <size_t> 64)


cdef inline void begin(cursor_t* c, segment_t* row, frame_t* frame, const uint8_t* capture) noexcept nogil:
    """At the frame's first byte, with a clean row: rows are reused memory."""
    clear(row, sizeof(segment_t))
    row.time_ns = frame.time_ns
    row.frame = frame.number
    row.frame_len = frame.wire_len
    row.cap_len = frame.cap_len
    row.interface_id = frame.interface_id
    c.row = row
    c.frame = frame
    c.p = c.base = capture + frame.offset
    c.base_offset = frame.offset
    c.captured = frame.cap_len
    c.length = max(frame.wire_len, frame.cap_len)
    if frame.fcs_len and frame.link_type == LINKTYPE_ETHERNET:
        drop_trailer(c, frame.fcs_len)
    c.tunnel.has = 0
    c.tunnel.kind = 0
    c.tunnel.vni = c.tunnel.next_hop_mtu = 0
    c.tunnel.icmp_type = c.tunnel.icmp_code = 0
    c.ip_headers = 0
    c.quoted = NOT_QUOTED
    c.first_fragment = False


cdef int add_tunnel(Batch batch, cursor_t* c) except -1 nogil:
    c.tunnel.depth = c.ip_headers - 1
    batch.add_tunnel()[0] = c.tunnel
    c.row.tunnel = <uint32_t> batch.n_tunnels
    return 0


cdef inline int walk(Batch batch, Fragments fragments, cursor_t* c, int layer) except -1 nogil:
    """From layer to layer until one says how it ends."""
    cdef int layers = 0
    while layer >= FIRST_LAYER:
        if layer == LAYER_ETHERNET:
            layer = ethernet(c)
        if layer == LAYER_IPV4:
            layer = ipv4(c)
        elif layer == LAYER_IPV6:
            layer = ipv6(c)
        if layer == LAYER_TCP:
            return tcp(c)
        if layer == LAYER_IPV4_FRAGMENT:
            layer = join_ipv4(batch, fragments, c)
        elif layer == LAYER_IPV6_FRAGMENT:
            layer = join_ipv6(batch, fragments, c)
        elif layer == LAYER_IPCOMP:
            layer = decompress(batch, c)
        elif layer >= FIRST_LAYER:
            layer = unusual_layer(c, layer)
        layers += 1
        if layers == MAX_LAYERS:
            return STATUS_TUNNEL_TOO_DEEP
    return layer


cdef int unusual_layer(cursor_t* c, int layer) noexcept nogil:
    if layer > FIRST_TUNNEL_LAYER:
        return tunnel_layer(c, layer)
    if layer > FIRST_WIRELESS_LAYER:
        return wireless_layer(c, layer)
    if layer > FIRST_JUNIPER_LAYER:
        return juniper(c, layer)
    if layer > FIRST_SERIAL_LAYER:
        return serial_layer(c, layer)
    if layer > FIRST_MEDIUM_LAYER:
        return medium_layer(c, layer)
    if layer > FIRST_CAPTURE_LAYER:
        return capture_layer(c, layer)
    if layer > FIRST_ETHERNET_LAYER:
        return link_layer(c, layer)
    if layer == LAYER_UDP or layer == LAYER_UDP_LITE:
        return udp(c, layer == LAYER_UDP_LITE)
    if layer == LAYER_ICMP:
        return icmp(c)
    if layer == LAYER_ICMPV6:
        return icmpv6(c)
    if LAYER_IPV6_OPTIONS <= layer <= LAYER_IPV6_SHIM:
        return ipv6_extension(c, layer)
    if layer == LAYER_AH:
        return authentication(c)
    if layer == LAYER_IP:
        return LAYER_IPV6 if c.captured and c.p[0] >> 4 == 6 else LAYER_IPV4
    return layer


cdef int tunnel_layer(cursor_t* c, int layer) noexcept nogil:
    if layer == LAYER_MPLS:
        return mpls(c)
    if layer == LAYER_GRE:
        return gre(c)
    if layer == LAYER_VXLAN or layer == LAYER_VXLAN_GPE:
        return vxlan(c, layer == LAYER_VXLAN_GPE)
    if layer == LAYER_GTP:
        return gtp(c)
    if layer == LAYER_GENEVE:
        return geneve(c)
    if layer == LAYER_L2TP:
        return l2tp(c)
    if layer == LAYER_ERSPAN:
        return erspan(c)
    if layer == LAYER_NSH:
        return nsh(c)
    if layer == LAYER_TEREDO:
        return teredo(c)
    if layer == LAYER_CAPWAP:
        return capwap(c)
    if layer == LAYER_LWAPP:
        return lwapp(c)
    if layer == LAYER_AYIYA:
        return ayiya(c)
    if layer == LAYER_LISP:
        return lisp(c)
    return amt(c)


cdef int join_ipv4(Batch batch, Fragments fragments, cursor_t* c) except -1 nogil:
    """A fragment that was not captured whole cannot be joined; if it is the first, it is read alone."""
    cdef const uint8_t* p = c.p
    cdef uint8_t protocol = ipv4_protocol(p)
    cdef uint16_t field = ipv4_fragment(p)
    cdef bint whole = c.captured == c.length and c.captured >= ipv4_total_len(p)
    cdef datagram_key_t key
    key.src_hi, key.src_lo, key.dst_hi, key.dst_lo = c.row.src_hi, c.row.src_lo, c.row.dst_hi, c.row.dst_lo
    key.id, key.protocol = ipv4_id(p), protocol | <uint32_t> c.row.vlan << 16
    advance(c, ipv4_header_len(p))
    if whole:
        if not fragments.add(batch, c, &key, (field & IPV4_OFFSET) * 8, field & IPV4_MORE_FRAGMENTS):
            return STATUS_IP_FRAGMENT
    elif field & IPV4_OFFSET or c.length == 0:
        return STATUS_IP_FRAGMENT
    else:
        c.first_fragment = True
    return by_ip_protocol(protocol)


cdef int join_ipv6(Batch batch, Fragments fragments, cursor_t* c) except -1 nogil:
    """Next header 1, reserved 1, offset and more-flag 2, identification 4; an atomic fragment is whole (ST-8)."""
    cdef uint8_t protocol
    cdef uint16_t field
    cdef datagram_key_t key
    if lacks(c, IPV6_FRAGMENT_HEADER):
        return STATUS_IP_TRUNCATED
    protocol, field = c.p[0], be16(c.p + 2)
    key.src_hi, key.src_lo, key.dst_hi, key.dst_lo = c.row.src_hi, c.row.src_lo, c.row.dst_hi, c.row.dst_lo
    key.id, key.protocol = be32(c.p + 4), IPV6_DATAGRAM
    advance(c, IPV6_FRAGMENT_HEADER)
    if field & 0xFFF9:
        if c.cut or c.captured < c.length or not fragments.add(batch, c, &key, field & 0xFFF8, field & 1):
            return STATUS_IP_FRAGMENT
    return by_ip_protocol(protocol)


cdef int decompress(Batch batch, cursor_t* c) except -1 nogil:
    """IPComp: next header 1, flags 1, parameter index 2, DEFLATE (RFC 3173, 2394)."""
    cdef uint8_t protocol
    cdef uint32_t length = 0
    cdef uint64_t offset = batch.arena_len
    cdef uint8_t* out
    cdef bint sound
    if lacks(c, 4) or batch.arena_len > MAX_INFLATED_ARENA:
        return STATUS_TUNNEL_MALFORMED
    protocol = c.p[0]
    advance(c, 4)
    out = arena_behind(batch, c, MAX_INFLATED)
    sound = inflate(c.p, c.captured, out, MAX_INFLATED, &length)
    batch.arena_len = <Py_ssize_t> (offset + length)           # what is broken behind a bomb has cost as much time
    if not sound:
        return STATUS_TUNNEL_MALFORMED
    c.p = c.base = out
    c.base_offset = PAYLOAD_IN_ARENA | offset
    c.captured = c.length = length
    return by_ip_protocol(protocol)


cdef uint8_t* arena_behind(Batch batch, cursor_t* c, Py_ssize_t size) except NULL nogil:
    """Room in the arena; the cursor moves with it if it stands there, in a payload joined or inflated before."""
    cdef Py_ssize_t at = c.p - c.base
    cdef uint8_t* out = batch.add_arena(size)
    if c.base_offset & PAYLOAD_IN_ARENA:
        c.base = batch.arena + (c.base_offset ^ PAYLOAD_IN_ARENA)
        c.p = c.base + at
    return out
