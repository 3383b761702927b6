"""S2: a client says who it is and goes, over a loopback interface with the BSD null link layer."""
from __future__ import annotations

import io
import struct

import pytest

import tcpkit
from packets import MS, T0, Frame, ipv4, mss, pcap, tcp

NULL, LOOP = 0, 108              # link types; the protocol family is in the order of the machine, or of the network
GREETING = b"I'm TCP client"


def segment(from_client, flags, seq, ack, payload=b"", options=b""):
    ports, bases = ((50784, 12345), (300, 900)) if from_client else ((12345, 50784), (900, 300))
    number = bases[1] + ack if "A" in flags else 0
    return ipv4("127.0.0.1", "127.0.0.1", tcp(*ports, bases[0] + seq, number, flags, 65535, options, payload))


PACKETS = [
    segment(True, "S", 0, 0, options=mss(16344)), segment(False, "SA", 0, 1, options=mss(16344)),
    segment(True, "A", 1, 1), segment(False, "A", 1, 1), segment(True, "PA", 1, 1, GREETING),
    segment(False, "A", 1, 15), segment(True, "FA", 15, 1), segment(False, "A", 1, 16), segment(False, "FA", 1, 16),
    segment(True, "A", 16, 2)]


@pytest.fixture(params=[(NULL, "<"), (NULL, ">"), (LOOP, ">")], ids=["little", "big", "loop"])
def exchange(request):
    link_type, order = request.param
    frames = [Frame(T0 + i * MS, struct.pack(order + "I", 2) + packet, 4 + len(packet))
              for i, packet in enumerate(PACKETS)]
    return tcpkit.open(io.BytesIO(pcap(frames, link_type=link_type)))


def test_ten_frames_of_one_connection(exchange):
    assert len(exchange.packets) == 10
    flow = exchange.flows[0]
    assert (flow["client"], flow["client_port"], flow["server"], flow["server_port"]) == \
        ("127.0.0.1", 50784, "127.0.0.1", 12345)
    assert (flow["payload_bytes_client"], flow["payload_bytes_server"]) == (14, 0)
    assert len(exchange.flows) == 1


def test_teardown(exchange):
    rows = [exchange.packets[i] for i in range(6, 10)]
    assert [(row["src_port"], row["seq"], row["ack"]) for row in rows] == \
        [(50784, 15, 1), (12345, 1, 16), (12345, 1, 16), (50784, 16, 2)]
    assert [row["flag_fin"] for row in rows] == [True, False, True, False]
    assert [bool(row["fin_active"]) for row in rows] == [True, False, False, False]


def test_acknowledgements_name_what_they_answer(exchange):
    assert exchange.packets["acks_frame"].tolist() == [None, 1, 2, None, None, 5, None, 7, None, 9]
