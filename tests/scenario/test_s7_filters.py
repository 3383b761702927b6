"""S7: what a user does with tcpdump and with Wireshark's filter line, on files."""
from __future__ import annotations

import io
import struct
import subprocess
import sys

import pytest

import tcpkit
from packets import MS, T0, Frame, ethernet, ip, ipv4, pcap, tcp

HOSTS = ("192.168.1.110", "192.168.1.50", "180.97.33.108", "10.0.0.7")
ENDS = [(src, dst, sport, dport) for src in HOSTS for dst in HOSTS if src != dst
        for sport, dport in ((60948, 22), (22, 60948), (50000, 80))]
FRAMES = [Frame(T0 + i * MS, ethernet(ip(src, dst, tcp(sport, dport, 1, 1, "A"))), 54)
          for i, (src, dst, sport, dport) in enumerate(ENDS)]


def frames(capture):
    return set(capture.packets["frame"].tolist())


def expected(accepts):
    return {i + 1 for i, ends in enumerate(ENDS) if accepts(*ends)}


def test_capture_filter():
    """libpcap: ``and`` and ``or`` bind equally, from the left."""
    capture = tcpkit.open(io.BytesIO(pcap(FRAMES)),
                          capture_filter="src 192.168.1.110 or dst 192.168.1.50 and port 22")
    assert frames(capture) == expected(
        lambda src, dst, sport, dport: (src == "192.168.1.110" or dst == "192.168.1.50") and 22 in (sport, dport))


@pytest.mark.parametrize(("text", "accepts"), [
    ("ip.dst==180.97.33.108 or ip.src==180.97.33.108", lambda src, dst, *_: "180.97.33.108" in (src, dst)),
    ("tcp.port == 60948", lambda src, dst, sport, dport: 60948 in (sport, dport)),
    ("ip.addr == 192.168.0.0/16 && !(tcp.dstport == 80)",
     lambda src, dst, sport, dport: (src + dst).count("192.168.") > 0 and dport != 80),
])
def test_display_filter(text, accepts):
    packets = tcpkit.open(io.BytesIO(pcap(FRAMES))).packets
    assert set(packets.where(text)["frame"].tolist()) == expected(accepts)
    pieces = tcpkit.scan(io.BytesIO(pcap(FRAMES)), where=text)
    assert {frame for piece in pieces for frame in piece["frame"].tolist()} == expected(accepts)


def test_pppoe_session():
    def pppoe(packet):
        return ethernet(struct.pack(">BBHHH", 0x11, 0, 77, len(packet) + 2, 0x0021) + packet, 0x8864)

    sent = [pppoe(ipv4("10.1.1.1", "10.1.1.2", tcp(4000, 80, 5, 0, "S"))),
            pppoe(ipv4("10.1.1.3", "10.1.1.2", tcp(4001, 80, 5, 0, "S"))),
            ethernet(ipv4("10.1.1.1", "10.1.1.2", tcp(4002, 80, 5, 0, "S")))]
    capture = pcap([Frame(T0 + i, data, len(data)) for i, data in enumerate(sent)])
    assert tcpkit.open(io.BytesIO(capture)).packets["src_port"].tolist() == [4000, 4001, 4002]
    chosen = tcpkit.open(io.BytesIO(capture), capture_filter="pppoes and host 10.1.1.1").packets
    assert chosen["src_port"].tolist() == [4000]
    assert chosen["src"].tolist() == ["10.1.1.1"]


def test_on_the_command_line(tmp_path):
    source, target = tmp_path / "all.pcap", tmp_path / "ssh.pcap"
    source.write_bytes(pcap(FRAMES))
    subprocess.run([sys.executable, "-m", "tcpkit", "filter", source, "-f", "port 22", "-Y",
                    "ip.dst == 180.97.33.108", "-o", target], check=True, capture_output=True)
    out = subprocess.run([sys.executable, "-m", "tcpkit", "fields", target, "-e", "ip.dst", "-e", "tcp.dstport"],
                         check=True, capture_output=True, text=True).stdout.splitlines()[1:]
    assert len(out) == len(expected(lambda src, dst, sport, dport: dst == "180.97.33.108" and 22 in (sport, dport)))
    assert all(line.startswith("180.97.33.108\t") for line in out)
