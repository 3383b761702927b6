"""Every link layer and tunnel down to the TCP inside (tests/layers.py spells their headers out)."""
import ipaddress

import pytest

from layers import LINKS, OUTER4, OUTER6, TUNNELS
from packets import T0, Frame, ethernet, ip, ipv4, tcp
from stages import run_decode
from tcpcore.flags import Damage, DecodeStatus, Present, TunnelHas, TunnelKind

ENDS = {"4": ("10.0.0.1", "10.0.0.2"), "6": ("fd00::1", "fd00::2")}
ALL = {**LINKS, **TUNNELS}
CASES = [(name, version) for name, case in ALL.items() for version in case.versions]
PAYLOAD = b"tcp payload 17 by"


def packet(version: str) -> bytes:
    return ip(*ENDS[version], tcp(50000, 80, 0x01020304, 0x0A0B0C0D, "PA", 4321, payload=PAYLOAD))


def address(high: int, low: int) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    whole = ipaddress.IPv6Address(int(high) << 64 | int(low))
    return whole.ipv4_mapped or whole


@pytest.mark.parametrize(("name", "version"), CASES)
def test_reaches_the_segment_inside(name, version):
    case = ALL[name]
    done = run_decode([case.wrap(packet(version))], link_type=case.link_type)
    assert done.statuses == [DecodeStatus.STATUS_TCP]
    row = done.rows[0]
    assert (row["src_port"], row["dst_port"], row["seq_raw"], row["ack_raw"]) == (50000, 80, 0x01020304, 0x0A0B0C0D)
    assert (row["window"], row["flags"], row["payload_len"], row["damage"]) == (4321, 0x18, 17, 0)
    assert done.payloads == [PAYLOAD]
    assert row["ip_version"] == int(version)
    assert address(row["src_hi"], row["src_lo"]) == ipaddress.ip_address(ENDS[version][0])
    assert address(row["dst_hi"], row["dst_lo"]) == ipaddress.ip_address(ENDS[version][1])


@pytest.mark.parametrize(("name", "version"), CASES)
def test_names_what_keeps_address_spaces_apart(name, version):
    case = ALL[name]
    done = run_decode([case.wrap(packet(version))], link_type=case.link_type)
    row, tunnel = done.rows[0], done.tunnels[0]
    assert (row["vlan"] if row["present"] & Present.HAS_VLAN else None) == case.vlan
    assert tunnel["kind"] == (TunnelKind["TUNNEL_" + case.kind] if case.kind else TunnelKind.TUNNEL_NONE)
    assert (tunnel["vni"] if tunnel["has"] & TunnelHas.OUTER_ID else None) == case.identifier
    assert tunnel["depth"] == case.depth


@pytest.mark.parametrize(("name", "version"), [(name, version) for name, version in CASES if ALL[name].depth])
def test_shows_the_outer_addresses(name, version):
    tunnel = run_decode([ALL[name].wrap(packet(version))]).tunnels[0]
    if tunnel["has"] & TunnelHas.OUTER_IPV4:
        assert [str(ipaddress.IPv4Address(int(tunnel[end]))) for end in ("outer4_src", "outer4_dst")] == list(OUTER4)
    else:
        assert tunnel["has"] & TunnelHas.OUTER_IPV6
        assert [str(address(tunnel[f"outer6_{end}_hi"], tunnel[f"outer6_{end}_lo"])) for end in ("src", "dst")] == \
            list(OUTER6)


@pytest.mark.parametrize(("name", "version"), CASES)
def test_cut_anywhere_says_so(name, version):
    """What the capture cuts off is said: by a status before the ports, by the row's damage after them (LN-3)."""
    case = ALL[name]
    frame = case.wrap(packet(version))
    header = frame.index(packet(version)) + len(packet(version)) - 17 - 20
    cuts = [Frame(T0, frame[:n], len(frame)) for n in range(1, len(frame))]
    done = run_decode(cuts, link_type=case.link_type)
    for n, status in enumerate(done.statuses, 1):
        assert (status == DecodeStatus.STATUS_TCP) == (n >= header + 4), n
    for row in done.rows:
        n = int(row["frame"]) - header
        if n < 20:
            assert row["damage"] & (Damage.PORTS_ONLY if n < 16 else Damage.HEADER_CUT), n


def test_only_frames_with_several_ip_headers_or_a_tunnel_have_a_tunnel_row():
    assert run_decode([ALL["ethernet VLAN"].wrap(packet("4"))]).rows["tunnel"].tolist() == [0]


def test_the_outermost_identifier_counts():
    inner = TUNNELS["GRE key"].wrap(packet("4"))
    assert TUNNELS["GRE key"].identifier != TUNNELS["VXLAN"].identifier
    tunnel = run_decode([TUNNELS["VXLAN"].wrap(inner[14:])]).tunnels[0]
    assert (tunnel["kind"], tunnel["vni"], tunnel["depth"]) == (TunnelKind.TUNNEL_VXLAN, 5000, 2)


@pytest.mark.parametrize(("name", "header"), [
    ("PPP with direction", 1), ("SunATM LLC", 4), ("SunATM IP", 4), ("SLL", 0)])
def test_what_only_tells_of_a_frame_is_not_part_of_its_length(name, header):
    frame = ALL[name].wrap(packet("4"))
    row = run_decode([Frame(T0, frame, len(frame) + 100)], link_type=ALL[name].link_type).rows[0]
    assert (row["cap_len"], row["frame_len"]) == (len(frame) - header, len(frame) + 100 - header)


@pytest.mark.parametrize("header", [b"\x06\0\0\x20", b"\0\0\0\x05"])
def test_signalling_of_sunatm_is_no_packet(header):
    assert run_decode([header + packet("4")], link_type=123).statuses == [DecodeStatus.STATUS_NOT_IP]


@pytest.mark.parametrize(("link_type", "length"), [(1, 21), (0x24000001, 17), (0x14000001, 19), (0x20000001, 21)])
def test_check_sequence_that_the_file_header_tells_of_is_no_payload(link_type, length):
    """Bit 26: the top four bits are its length in 16 bits; seen where the IP header tells no length (LN-4)."""
    segment = tcp(50000, 80, 1, payload=PAYLOAD)
    frame = ethernet(ipv4("10.0.0.1", "10.0.0.2", segment, total=0)) + b"\xFC\x5C\x5C\x5C"
    row = run_decode([frame], link_type=link_type).rows[0]
    assert (row["payload_len"], row["payload_captured"]) == (length, length)


@pytest.mark.parametrize("size", [14, 15, 17])
def test_an_ethernet_header_that_the_check_sequence_reaches_into(size):
    """What lies behind the frame in the file is no part of it."""
    packet = ipv4("10.0.0.1", "10.0.0.2", tcp(50000, 80, 1, payload=PAYLOAD))
    frame = Frame(T0, ethernet(packet)[:size], size)
    behind = Frame(T0, packet[size - 14:], 100)
    assert run_decode([frame, behind], link_type=0x24000001).statuses[0] == DecodeStatus.STATUS_LINK_TRUNCATED
