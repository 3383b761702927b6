"""What keeps overlapping address spaces apart, as columns."""
import io

import pytest

import tcpkit
from layers import TUNNELS
from packets import T0, Frame, ethernet, ip, ipv4, ipv6, pcap, tcp
from tcpkit.listing import write_fields

NAMES = ["VXLAN", "GTP-U", "IP in IPv4", "Geneve", "MPLS"]
PACKET = ip("10.0.0.1", "10.0.0.2", tcp(50000, 80, 1, payload=b"abc"))
FRAMES = [*(TUNNELS[name].wrap(PACKET) for name in NAMES), TUNNELS["VXLAN"].wrap(PACKET)[50:]]
BYTES = pcap([Frame(T0 + i, data, len(data)) for i, data in enumerate(FRAMES)])
KINDS = ["vxlan", "gtp", "ip", "geneve", "mpls", None]
IDS = [5000, 0xCAFE, None, 5001, 16, None]


def test_columns():
    packets = tcpkit.open(io.BytesIO(BYTES)).packets
    assert packets["tunnel_kind"].tolist() == KINDS
    assert packets["tcpkit.tunnel.id"].tolist() == IDS


def test_text():
    out = io.BytesIO()
    write_fields(tcpkit.open(io.BytesIO(BYTES)), ["tcpkit.tunnel.kind", "tcpkit.tunnel.id"], out)
    assert [line.split("\t") for line in out.getvalue().decode().splitlines()[1:]] == [
        ["" if value is None else str(value) for value in pair] for pair in zip(KINDS, IDS, strict=True)]


@pytest.mark.parametrize(("text", "frames"), [
    ("tcpkit.tunnel.id == 5000", [1]), ("tcpkit.tunnel.id", [1, 2, 4, 5]), ('tcpkit.tunnel.kind == "gtp"', [2]),
    ("not tcpkit.tunnel.kind", [6]), ("tcpkit.tunnel.id in {5000..5001}", [1, 4])])
def test_filters(text, frames):
    assert tcpkit.open(io.BytesIO(BYTES)).packets.where(text).array["frame"].tolist() == frames


def test_without_tunnels():
    packets = tcpkit.open(io.BytesIO(pcap([Frame(T0, FRAMES[-1], len(FRAMES[-1]))]))).packets
    assert packets["tunnel_kind"].tolist() == packets["tunnel_id"].tolist() == [None]


def test_outermost_and_nearest_header():
    packet = ipv6("fd00::1", "fd00::2", ipv4("10.0.0.1", "10.0.0.2", PACKET, 4, ttl=9, tos=4, ident=7), 4, hop_limit=5)
    packets = tcpkit.open(io.BytesIO(pcap([Frame(T0, ethernet(each), 200) for each in (packet, PACKET)]))).packets
    assert packets["ip.ttl"].tolist() == [9, 64]
    assert packets["ip.dsfield"].tolist() == [4, 0]
    assert packets["ip.id"].tolist() == [7, 1]
    assert packets["ipv6.hlim"].tolist() == [5, None]
    assert (packets["ttl"].tolist(), packets["tos"].tolist(), packets["ip_id"].tolist()) == ([64] * 2, [0] * 2, [1] * 2)


def test_conversions():
    frame = tcpkit.open(io.BytesIO(BYTES)).packets.to_polars()
    assert frame["tunnel_kind"].to_list() == KINDS
    assert frame["tunnel_id"].to_list() == IDS
