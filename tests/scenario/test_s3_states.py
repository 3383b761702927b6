"""S3: the state of both ends after each frame, as an ideal observer infers it."""
from __future__ import annotations

import io

import tcpkit
from packets import MS, Conversation

SECOND = 1000 * MS
OPENING = [("SYN-SENT", "SYN-RECEIVED"), ("ESTABLISHED", "SYN-RECEIVED"), ("ESTABLISHED", "ESTABLISHED")]


def talk() -> Conversation:
    return Conversation(client="127.0.0.1", server="127.0.0.1", sport=54321, dport=8888)


def states(conversation: Conversation) -> list[tuple[str, str]]:
    packets = tcpkit.open(io.BytesIO(conversation.pcap(nano=True))).packets
    return list(zip(packets["client_state"].tolist(), packets["server_state"].tolist(), strict=True))


def test_the_table():
    life = talk().handshake()
    life.c("FA", 1, 1).s("A", 1, 2).s("FA", 1, 2).c("A", 2, 2)
    assert states(life) == [*OPENING, ("FIN-WAIT-1", "CLOSE-WAIT"), ("FIN-WAIT-2", "CLOSE-WAIT"),
                            ("TIME-WAIT", "LAST-ACK"), ("TIME-WAIT", "CLOSED")]


def test_the_half_closed_pair_lasts_and_carries_data():
    life = talk().handshake().c("FA", 1, 1).s("A", 1, 2)
    for at in range(5):
        life.s("PA", 1 + 100 * at, 2, 100, dt=3600 * SECOND).c("A", 2, 101 + 100 * at)
    assert states(life)[4:] == [("FIN-WAIT-2", "CLOSE-WAIT")] * 11


def test_time_wait_ends_after_twice_the_maximum_segment_lifetime():
    life = talk().handshake().c("FA", 1, 1).s("A", 1, 2).s("FA", 1, 2).c("A", 2, 2)
    late = Conversation(client="10.9.9.9", frames=life.frames, time=life.time)
    late.handshake()
    early = tcpkit.open(io.BytesIO(late.pcap(nano=True))).flows[0]
    assert (early["client_state"], early["server_state"]) == ("TIME-WAIT", "CLOSED")
    late.c("A", 1, 1, dt=240 * SECOND)
    assert tcpkit.open(io.BytesIO(late.pcap(nano=True))).flows[0]["client_state"] == "CLOSED"
    assert tcpkit.open(io.BytesIO(late.pcap(nano=True)), msl=121).flows[0]["client_state"] == "TIME-WAIT"


def test_what_the_capture_cannot_tell_is_unknown():
    midstream = talk().c("PA", 1000, 1, 100).s("A", 1, 1100)
    assert states(midstream)[0] == ("UNKNOWN", "UNKNOWN")
    assert states(talk().handshake().c("A", 1, 5000))[-1] == ("UNKNOWN", "UNKNOWN")
