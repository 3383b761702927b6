"""IPv4, IPv6 and what decoding says when they cannot be read."""
import pytest

from layers import TUNNELS
from odd_frames import NETWORK, SEGMENT, v4
from packets import T0, Frame, ethernet, ipv4, ipv6, tcp
from stages import run_decode
from tcpcore.flags import Damage, DecodeStatus, Present, TunnelKind

S = DecodeStatus


def one(name):
    done = run_decode([NETWORK[name]])
    assert done.statuses == [S.STATUS_TCP]
    return done.rows[0]


@pytest.mark.parametrize(("name", "length"), [
    ("plain", 10), ("padding", 3), ("padding without payload", 0),          # LN-1
    ("total length 0", 10), ("total length 0, padded", 60 - 14 - 40),       # LN-4
    ("total length beyond the frame", 10),                                  # LN-5
    ("IPv4 options", 10), ("AH, transport", 10),
    ("IPv6", 10), ("IPv6 padding", 0), ("IPv6 payload length beyond the frame", 10), ("IPv6 hop-by-hop", 10),
    ("IPv6 chain", 10), ("IPv6 atomic fragment", 10), ("IPv6 AH", 10),
    ("IPv6 jumbo", 65600),                                                  # LN-8
])
def test_payload_length(name, length):
    row = one(name)
    assert row["present"] & Present.HAS_LEN
    assert (row["payload_len"], row["payload_captured"], row["damage"]) == (length, length, 0)


def test_ip_length_shorter_than_the_tcp_header_leaves_the_length_unknown():
    row = one("total length cuts the TCP header")                           # LN-6, 10 bytes: LN-3
    assert row["damage"] == Damage.PORTS_ONLY
    assert not row["present"] & Present.HAS_LEN


@pytest.mark.parametrize(("name", "status"), [
    ("total length below the header", S.STATUS_IP_MALFORMED), ("total length of the IP header alone", S.STATUS_NOT_TCP),
    ("IPv4 header length 16", S.STATUS_IP_MALFORMED), ("IPv4 version 5", S.STATUS_IP_MALFORMED),
    ("IPv4 header longer than the frame", S.STATUS_IP_TRUNCATED), ("IPv4 that is UDP", S.STATUS_NOT_TCP),
    ("IPv4 in the IPv6 EtherType", S.STATUS_IP_MALFORMED), ("ARP", S.STATUS_NOT_IP), ("ESP", S.STATUS_ENCRYPTED),
    ("IPv6 payload length 0", S.STATUS_TCP_TRUNCATED), ("IPv6 jumbo too small", S.STATUS_IP_TRUNCATED),
    ("IPv6 no next header", S.STATUS_NOT_TCP), ("IPv6 home address that is not there", S.STATUS_IP_MALFORMED),
    ("IPv6 mobile route without its address", S.STATUS_IP_MALFORMED),
    ("IPv6 segments that are missing", S.STATUS_IP_MALFORMED)])
def test_says_why_there_is_no_segment(name, status):
    done = run_decode([NETWORK[name]])
    assert done.statuses == [status]
    assert len(done.rows) == 0


@pytest.mark.parametrize(("link_type", "frame", "status"), [
    (1, b"", S.STATUS_LINK_TRUNCATED), (1, b"\0" * 13, S.STATUS_LINK_TRUNCATED),
    (1, b"\0" * 12 + b"\x05\xf0" + b"\0" * 20, S.STATUS_LINK_MALFORMED),       # between length and EtherType
    (1, b"\0" * 12 + b"\x81\x00\x00", S.STATUS_LINK_TRUNCATED), (105, b"\x08\0", S.STATUS_LINK_TRUNCATED),
    (105, b"\x08\x40" + b"\0" * 40, S.STATUS_ENCRYPTED), (105, b"\x80\0" + b"\0" * 40, S.STATUS_NOT_IP),
    (147, b"\0" * 60, S.STATUS_LINK_UNKNOWN), (1, b"\0" * 12 + b"\x08\x00\x45", S.STATUS_IP_TRUNCATED),
    (101, b"\x45" + b"\0" * 10, S.STATUS_IP_TRUNCATED), (101, b"\x60" + b"\0" * 30, S.STATUS_IP_TRUNCATED),
    (101, ipv4("10.0.0.1", "10.0.0.2", b"\0\x01\x02"), S.STATUS_TCP_TRUNCATED),
    (101, ipv4("10.0.0.1", "10.0.0.2", b"\x20\0\x65\x58", 47), S.STATUS_TUNNEL_MALFORMED),
    (101, ipv4("10.0.0.1", "10.0.0.2", b"\x10\0\x22\xeb\0\0\0\x01\x90" + b"\0" * 20, 47), S.STATUS_TUNNEL_UNKNOWN)])
def test_every_reason_to_stop(link_type, frame, status):
    assert run_decode([frame], link_type=link_type).statuses == [status]


def test_a_frame_that_stops_does_not_touch_the_others():
    frames = [v4(), NETWORK["IPv4 version 5"], b"\xff" * 40, v4()]
    done = run_decode(frames)
    assert done.statuses == [S.STATUS_TCP, S.STATUS_IP_MALFORMED, S.STATUS_NOT_IP, S.STATUS_TCP]
    assert done.rows["frame"].tolist() == [1, 4]
    assert (done.rows["seq_raw"] == 1000).all()


def test_header_fields_of_ipv4():
    row = run_decode([ethernet(ipv4("192.0.2.1", "198.51.100.7", SEGMENT, ident=0x1234, fragment=0x4000, ttl=57,
                                    tos=0xB8))]).rows[0]
    assert (row["ip_version"], row["ip_id"], row["ip_flags"], row["ttl"], row["tos"]) == (4, 0x1234, 2, 57, 0xB8)
    assert row["ip_len"] == 20 + len(SEGMENT)
    assert (row["src_hi"], row["src_lo"]) == (0, 0xFFFF_C000_0201)
    assert (row["dst_hi"], row["dst_lo"]) == (0, 0xFFFF_C633_6407)


def test_a_length_that_is_left_to_the_network_card_is_not_told():
    """LN-4"""
    assert run_decode([ethernet(ipv4("192.0.2.1", "198.51.100.7", SEGMENT, total=0))]).rows["ip_len"].tolist() == [0]


def test_header_fields_of_ipv6():
    head = ipv6("2001:db8::1", "fe80::2", SEGMENT, hop_limit=3)
    row = run_decode([ethernet(b"\x6B\x80" + head[2:])]).rows[0]
    assert (row["ip_version"], row["ip_id"], row["ip_flags"], row["ttl"], row["tos"]) == (6, 0, 0, 3, 0xB8)
    assert row["ip_len"] == 40 + len(SEGMENT)
    assert (row["src_hi"], row["src_lo"]) == (0x2001_0DB8_0000_0000, 1)
    assert (row["dst_hi"], row["dst_lo"]) == (0xFE80_0000_0000_0000, 2)


@pytest.mark.parametrize(("name", "source", "destination"), [
    ("IPv6 chain", 1, 2), ("IPv6 home address", 0x77, 2), ("IPv6 source route", 1, 0x77),
    ("IPv6 mobile route", 1, 0x77), ("IPv6 source route without an address", 1, 2), ("IPv6 route used up", 1, 2),
    ("IPv6 RPL route", 1, 0x77), ("IPv6 segments", 1, 0x77), ("IPv6 experimental route", 1, 2)])
def test_extension_headers_name_the_ends(name, source, destination):
    """RFC 8200 section 8.1, RFC 6275: those of the IPv6 header are kept as outer addresses."""
    done = run_decode([NETWORK[name]])
    row, tunnel = done.rows[0], done.tunnels[0]
    assert (row["src_lo"], row["dst_lo"], row["payload_len"]) == (source, destination, 10)
    if (source, destination) != (1, 2):
        assert (tunnel["kind"], tunnel["depth"]) == (TunnelKind.TUNNEL_ROUTE, 0)
        assert (tunnel["outer6_src_lo"], tunnel["outer6_dst_lo"]) == (1, 2)


def test_a_packet_behind_a_route_is_in_a_tunnel():
    """RFC 8754: the route says how the outer packet goes, what it carries has ends of its own."""
    routed = NETWORK["IPv6 segments"].removesuffix(SEGMENT)
    header = 14 + 40
    frame = routed[:header] + b"\4" + routed[header + 1:] + ipv4("10.1.1.1", "10.2.2.2", SEGMENT)
    frame = frame[:18] + (len(frame) - header).to_bytes(2, "big") + frame[20:]
    done = run_decode([frame])
    row, tunnel = done.rows[0], done.tunnels[0]
    assert (row["ip_version"], row["payload_len"]) == (4, 10)
    assert (tunnel["kind"], tunnel["depth"]) == (TunnelKind.TUNNEL_IP, 1)


def test_snap_length_keeps_both_lengths():
    row = run_decode([Frame(T0, v4()[:58], 64)]).rows[0]                    # LN-2
    assert (row["frame_len"], row["cap_len"], row["payload_len"], row["payload_captured"]) == (64, 58, 10, 4)
    assert row["damage"] == 0


def test_tunnels_are_followed_to_a_stated_depth():
    """127 IP headers and TCP make 128 layers after Ethernet: one more is too deep."""
    packet = ipv4("10.0.0.1", "10.0.0.2", tcp(1, 2, 3))
    statuses, depths = [], []
    for _ in range(130):
        done = run_decode([packet], link_type=228)
        statuses.append(done.statuses[0])
        depths += [tunnel["depth"] for tunnel in done.tunnels]
        packet = ipv4("10.0.0.1", "10.0.0.2", packet, 4)
    deepest = statuses.index(S.STATUS_TUNNEL_TOO_DEEP)
    assert 100 <= deepest < 130
    assert set(statuses[:deepest]) == {S.STATUS_TCP}
    assert set(statuses[deepest:]) == {S.STATUS_TUNNEL_TOO_DEEP}
    assert depths == list(range(deepest))


def test_the_deepest_addresses_and_the_outermost_tunnel():
    inner = TUNNELS["GRE"].wrap(TUNNELS["GTP-U"].wrap(ipv4("10.1.1.1", "10.2.2.2", SEGMENT))[14:])
    done = run_decode([inner])
    assert done.rows["src_lo"].tolist() == [0xFFFF_0A01_0101]
    assert (done.tunnels[0]["vni"], done.tunnels[0]["depth"]) == (0xCAFE, 2)


@pytest.mark.parametrize(("total", "options", "largest"), [
    (None, b"", 20 + 64), (0, b"", 0), (None, bytes(40), 60 + 64)])
def test_the_largest_fragment_of_a_datagram(total, options, largest):
    """LN-4: without the last one's length there is none to tell."""
    segment = SEGMENT + bytes(88 - len(SEGMENT))
    first = ipv4("192.0.2.1", "198.51.100.7", segment[:64], fragment=0x2000)
    last = ipv4("192.0.2.1", "198.51.100.7", segment[64:], fragment=8, total=total, options=options)
    assert run_decode([ethernet(first), ethernet(last)]).rows["ip_len"].tolist() == [largest]


@pytest.mark.parametrize(("inside", "damage"), [
    ("", Damage.LONE_FRAGMENT), (", with IPv4 in it", 0), (", with IPv6 in it", Damage.LONE_FRAGMENT)])
def test_a_first_fragment_that_is_cut(inside, damage):
    """How long what it begins is, only a further IPv4 header tells."""
    row = run_decode([NETWORK["first fragment, cut" + inside]]).rows[0]
    assert (row["damage"], row["present"] & Present.HAS_LEN == 0) == (damage, damage != 0)


def test_fragments_whose_headers_differ():
    """The payload of one and the header of the other are more than any datagram has."""
    large, rest = bytes(65512), bytes(16)
    segment = SEGMENT[:20] + large
    first = ipv4("192.0.2.1", "198.51.100.7", segment[:65512], fragment=0x2000)
    last = ipv4("192.0.2.1", "198.51.100.7", rest, fragment=65512 // 8, options=bytes(40))
    assert run_decode([ethernet(first), ethernet(last)]).rows["ip_len"].tolist() == [0xFFFF]


def test_ipv6_fragments_in_ipv4_do_not_depend_on_the_packets_before():
    """Whether the datagram announces more than the frame has is asked of its own header."""
    segment = SEGMENT + bytes(88 - len(SEGMENT))
    parts = [bytes.fromhex("0600000100000007") + segment[:64], bytes.fromhex("0600004000000007") + segment[64:]]
    first, last = (ethernet(ipv4("192.0.2.1", "198.51.100.7", part, proto=44)) for part in parts)
    cut, whole = (ethernet(ipv6("fd00::1", "fd00::2", bytes(8), 17, length=length)) for length in (9, 8))
    for other in (cut, whole):
        assert run_decode([other, first, other, last]).statuses[-1] == S.STATUS_TCP
    beyond = ethernet(ipv4("192.0.2.1", "198.51.100.7", parts[1], proto=44, total=1000))
    assert run_decode([first, whole, beyond]).statuses[-1] == S.STATUS_IP_FRAGMENT
