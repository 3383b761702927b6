"""S5: a scaled window, and a segment acknowledged twice."""
from __future__ import annotations

import io

import pytest

import tcpkit
from packets import MS, NOP, Conversation, wscale


@pytest.fixture(scope="module")
def packets():
    talk = Conversation(window=8192)
    talk.handshake(rtt=20 * MS, client_options=NOP + wscale(2), server_options=NOP + wscale(2))
    talk.c("A", 1, 1, 1460, window=16425).c("A", 1461, 1, 1276, window=16425)         # 4 5
    talk.s("A", 1, 2737)                                                             # 6
    talk.c("PA", 2737, 1, 450, window=16425)                                         # 7
    talk.s("A", 1, 2737, window=8191, dt=5 * MS)                                     # 8: nothing new
    talk.s("A", 1, 3187, window=8191, dt=25 * MS)                                    # 9: all of it
    return tcpkit.open(io.BytesIO(talk.pcap(nano=True))).packets


def test_the_window_of_a_syn_is_not_scaled(packets):
    assert packets["wscale"].tolist()[:2] == [2, 2]
    assert packets["window_size"].tolist()[:2] == [8192, 8192]
    assert packets["window_scale"].tolist()[:2] == [None, None]


def test_later_windows_are_four_times_the_field(packets):
    assert packets["window"].tolist()[3:6] == [16425, 16425, 8192]
    assert packets["window_size"].tolist()[3:6] == [4 * 16425, 4 * 16425, 4 * 8192]
    assert packets["window_scale"].tolist()[2:] == [4] * 7


def test_bytes_in_flight(packets):
    assert packets["bytes_in_flight"].tolist()[3:] == [1460, 2736, None, 450, None, None]


def test_only_the_second_acknowledgement_covers_it(packets):
    assert packets["acks_frame"].tolist()[5:] == [5, None, None, 7]
    assert packets["ack_rtt"][8].astype(int) == 30 * MS
    assert packets["nxtseq"][6] == 3187


def test_round_trips_of_the_direction():
    talk = Conversation().handshake(rtt=20 * MS).c("PA", 1, 1, 450)
    talk.s("A", 1, 1, dt=5 * MS).s("A", 1, 451, dt=25 * MS)
    client = tcpkit.open(io.BytesIO(talk.pcap(nano=True))).directions[0]
    assert client["max_in_flight"] == 450
    assert client["rtt_max"].astype(int) == 30 * MS
