"""S8: a segment in IP fragments, one that never arrives whole, and a router that asks for fragments."""
from __future__ import annotations

import io
import struct

import pytest

import tcpkit
from packets import MS, T0, Frame, checksum, ethernet, ipv4, mss, pcap, tcp

CLIENT, SERVER, ROUTER = "10.0.0.1", "10.0.0.2", "10.0.9.9"
MORE, DF = 0x2000, 0x4000
PAYLOAD = bytes(i % 251 for i in range(2900))


def pieces(ident, size=1480):
    """The fragments of a datagram that carries PAYLOAD from the client."""
    segment = tcp(5000, 80, 101, 201, "PA", payload=PAYLOAD)
    return [ipv4(CLIENT, SERVER, segment[at:at + size], ident=ident,
                 fragment=at // 8 | (MORE if at + size < len(segment) else 0)) for at in range(0, len(segment), size)]


def too_big(packet, mtu):
    """ICMP: fragmentation needed and DF set, with the mtu of the next hop."""
    message = struct.pack(">BBHHH", 3, 4, 0, 0, mtu) + packet[:40]
    message = message[:2] + struct.pack(">H", checksum(message)) + message[4:]
    return ipv4(ROUTER, CLIENT, message, 1)


def capture(packets):
    frames = [Frame(T0 + i * MS, ethernet(packet), 14 + len(packet)) for i, packet in enumerate(packets)]
    return tcpkit.open(io.BytesIO(pcap(frames)))


HANDSHAKE = [ipv4(CLIENT, SERVER, tcp(5000, 80, 100, 0, "S", options=mss(1460)), fragment=DF),
             ipv4(SERVER, CLIENT, tcp(80, 5000, 200, 101, "SA", options=mss(1460)), fragment=DF),
             ipv4(CLIENT, SERVER, tcp(5000, 80, 101, 201, "A"), fragment=DF)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_fragments_are_joined_before_tcp_is_analysed(order):
    parts = pieces(7)
    assert len(parts) == 2
    packets = capture([*HANDSHAKE, *(parts[i] for i in order)]).packets
    assert packets["frame"].tolist() == [1, 2, 3, 5]             # the frame that completes it
    assert packets["payload_len"].tolist() == [0, 0, 0, len(PAYLOAD)]
    assert packets["nxtseq"].tolist()[-1] == 1 + len(PAYLOAD)


def test_the_largest_datagram_of_each_direction_and_whether_it_may_be_fragmented():
    answer = ipv4(SERVER, CLIENT, tcp(80, 5000, 201, 101, "PA", payload=bytes(1300)), fragment=DF)
    row = capture([*HANDSHAKE, answer, *pieces(7)]).handshakes[0]
    assert (row["largest_datagram_client"], row["largest_datagram_server"]) == (1500, 1340)
    assert (row["dont_fragment_client"], row["dont_fragment_server"]) == ("sometimes", "always")
    assert (row["mss"], row["largest_client"], row["largest_server"]) == (1460, len(PAYLOAD), 1300)


def test_what_offload_made_bounds_no_mtu():
    """5,000 bytes at once to an end that takes 1,460: the network card cuts them, which is not captured."""
    offloaded = ipv4(SERVER, CLIENT, tcp(80, 5000, 201, 101, "PA", payload=bytes(5000)), fragment=DF)
    talk = capture([*HANDSHAKE, offloaded])
    assert talk.handshakes["largest_datagram_server"].tolist() == [44]
    assert talk.handshakes["largest_server"].tolist() == [5000]
    assert "offload" in [flaw.kind for flaw in talk.quality]


def test_what_came_in_fragments_is_no_offload():
    talk = capture([*HANDSHAKE, *pieces(7)])
    assert "offload" not in [flaw.kind for flaw in talk.quality]


def test_an_incomplete_datagram_is_not_half_parsed():
    talk = capture([*HANDSHAKE, pieces(7)[0], ipv4(CLIENT, SERVER, tcp(5000, 80, 101 + len(PAYLOAD), 201, "A"))])
    assert talk.packets["frame"].tolist() == [1, 2, 3, 5]
    assert talk.packets["lost_segment"].tolist() == [False, False, False, True]
    assert int(talk.flows["payload_bytes_client"][0]) == 0
    (flaw,) = (each for each in talk.quality if each.kind == "incomplete_datagrams")
    assert (flaw.count, flaw.total, flaw.unit) == (1, 1, "fragmented datagrams")


def test_whole_datagrams_are_no_flaw():
    assert "incomplete_datagrams" not in [flaw.kind for flaw in capture([*HANDSHAKE, *pieces(7)]).quality]


def test_fragmentation_needed_is_of_the_flow_it_quotes():
    refused = ipv4(CLIENT, SERVER, tcp(5000, 80, 101, 201, "PA", payload=PAYLOAD[:1460]), fragment=DF)
    talk = capture([*HANDSHAKE, refused, too_big(refused, 1400)])
    assert talk.flows["quoted"].tolist() == [1]
    assert talk.flows["packets_client"].tolist() == [3]          # the quotation is no segment
    assert talk.packets["quoted"].tolist() == [False] * 4 + [True]
    assert talk.packets["src_port"].tolist()[-1] == 5000
    assert talk.packets["next_hop_mtu"].tolist() == [None] * 4 + [1400]
    assert talk.packets[4]["icmp_type"] == 3
    assert talk.packets[4]["icmp_code"] == 4
    assert talk.packets.where("tcpkit.icmp.mtu < 1500")["frame"].tolist() == [5]
