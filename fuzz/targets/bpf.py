"""Capture filters: programs of any instructions over any frame, and what libpcap compiles over frames."""
import contextlib
import io
from collections.abc import Iterator

from script import Script, pieces

import tcpkit
from packets import Frame, ethernet, ipv4, pcap, tcp
from tcpcore.bpf import Program
from tcpkit.capture_filter import compile_for

FILTERS = [compile_for(text, 1) for text in (
    "tcp port 80", "vlan and ip6", "ip host 10.0.0.1 and tcp[tcpflags] & tcp-syn != 0", "mpls and ip", "pppoes and tcp",
    "tcp[13] / tcp[12] % 7 != 0", "icmp6", "ether[6:4] > 3", "greater 100", "ip[(ip[0] & 15) * 4:2] = 5")]


def one(data: bytes) -> None:
    script = Script(data)
    frame, wire_len = script.piece(), script.number(2)
    for program in FILTERS:
        program.run(frame, wire_len)
    steps = []
    while script and len(steps) < 64:
        steps.append((script.number(), script.number(), script.number(), script.number(4)))
    with contextlib.suppress(ValueError):
        Program(steps).run(frame, wire_len)
    with contextlib.suppress(tcpkit.CaptureError):
        captured = pcap([Frame(0, frame[:40], wire_len), Frame(1, frame, len(frame))])
        _ = tcpkit.open(io.BytesIO(captured), capture_filter="ip or ip6", stages=["decode"], threads=1).packets


def seeds() -> Iterator[bytes]:
    frame = ethernet(ipv4("10.0.0.1", "10.0.0.2", tcp(5, 80, 1)))
    for code in (0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0xb1, 0x01, 0x02, 0x03, 0x04, 0x14, 0x24, 0x34, 0x44,
                 0x54, 0x64, 0x74, 0x84, 0x94, 0xa4, 0x15, 0x25, 0x35, 0x45, 0x07, 0x87):
        yield (pieces(frame) + b"\0\x40" + bytes([0x28, 0, 0, 0, 0, 0, 12, 0x07, 0, 0, 0, 0, 0, 0])
               + bytes([code, 0, 0, 0, 0, 0, 3]) + bytes([0x16, 0, 0, 0, 0, 0, 0]))
