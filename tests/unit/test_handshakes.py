"""Handshakes: times, repeats, options, outcomes."""
from __future__ import annotations

import io

import pytest

import tcpkit
from confined import SANITIZED, no_more_memory
from packets import MS, NOP, SACK_PERMITTED, Conversation, mss, timestamps, wscale
from stages import process_all_but
from tcpcore.batch import Batch
from tcpcore.lifecycle import Lifecycle

ALL = NOP + SACK_PERMITTED + wscale(7) + timestamps(1)


def handshake(talk: Conversation) -> dict:
    table = tcpkit.open(io.BytesIO(talk.pcap(nano=True))).handshakes
    assert len(table) == 1
    return table[0]


def nanoseconds(row: dict, *names: str) -> list[int | None]:
    return [None if row[name] is None else int(row[name].astype(int)) for name in names]


def test_times_of_both_sides():
    talk = Conversation().c("S", 0).s("SA", 0, 1, dt=7 * MS).c("A", 1, 1, dt=13 * MS)
    talk.c("PA", 1, 1, 40, dt=3 * MS).s("A", 1, 41, dt=MS).s("PA", 1, 41, 90, dt=4 * MS)
    row = handshake(talk)
    assert row["outcome"] == "complete"
    assert nanoseconds(row, "server_rtt", "client_rtt", "initial_rtt", "setup_time") == [
        7 * MS, 13 * MS, 20 * MS, 20 * MS]
    assert nanoseconds(row, "request_time", "response_time") == [3 * MS, 5 * MS]
    assert (row["largest_client"], row["largest_server"]) == (40, 90)


def test_repeats_and_their_backoff():
    talk = Conversation().c("S", 0).c("S", 0, dt=1000 * MS).c("S", 0, dt=2000 * MS).s("SA", 0, 1, dt=5 * MS)
    talk.s("SA", 0, 1, dt=1000 * MS).c("A", 1, 1, dt=6 * MS)
    row = handshake(talk)
    assert (row["syn_retransmissions"], row["synack_retransmissions"]) == (2, 1)
    assert nanoseconds(row, "syn_backoff_first", "syn_backoff_last", "synack_backoff_first", "server_rtt", "client_rtt",
                       "setup_time") == [1000 * MS, 2000 * MS, 1000 * MS, 5 * MS, 6 * MS, 4011 * MS]


def test_repeats_behind_their_answer():
    """Each is compared with the one before, whichever it answers or asks for."""
    talk = Conversation().c("S", 0).s("SA", 0, 1, dt=5 * MS).c("S", 0, dt=1000 * MS).c("S", 0, dt=2000 * MS)
    talk.c("A", 1, 1, dt=MS).s("SA", 0, 1, dt=1000 * MS).s("SA", 0, 1, dt=4000 * MS)
    row = handshake(talk)
    assert nanoseconds(row, "syn_backoff_first", "syn_backoff_last", "synack_backoff_first", "synack_backoff_last") == [
        1005 * MS, 2000 * MS, 4001 * MS, 4000 * MS]
    assert nanoseconds(row, "server_rtt", "client_rtt") == [5 * MS, 3001 * MS]


@pytest.mark.parametrize(("echo", "times"), [(1, None), (1001, 5 * MS)])
def test_which_syn_the_answer_echoes(echo: int, times: int | None) -> None:
    """Servers repeat their SYN+ACK by timer too: it does not answer the last SYN then."""
    talk = Conversation().c("S", 0, options=timestamps(1, 0)).c("S", 0, dt=1000 * MS, options=timestamps(1001, 0))
    talk.s("SA", 0, 1, dt=5 * MS, options=timestamps(7, echo)).c("A", 1, 1, dt=6 * MS, options=timestamps(1011, 7))
    assert nanoseconds(handshake(talk), "server_rtt", "client_rtt", "initial_rtt") == [
        times, 6 * MS, times and times + 6 * MS]


@pytest.mark.parametrize(("echo", "times"), [(7, None), (1007, 6 * MS)])
def test_which_syn_ack_is_echoed(echo: int, times: int | None) -> None:
    talk = Conversation().c("S", 0, options=timestamps(1, 0)).s("SA", 0, 1, dt=5 * MS, options=timestamps(7, 1))
    talk.s("SA", 0, 1, dt=1000 * MS, options=timestamps(1007, 1)).c("A", 1, 1, dt=6 * MS, options=timestamps(99, echo))
    assert nanoseconds(handshake(talk), "server_rtt", "client_rtt", "initial_rtt") == [
        5 * MS, times, times and times + 5 * MS]


@pytest.mark.parametrize(("talk", "times"), [
    (Conversation().s("SA", 0, 1).c("S", 0).c("S", 0).c("A", 1, 1), [None, 30 * MS, None, 20 * MS, 10 * MS]),
    (Conversation().s("SA", 0, 1).c("A", 1, 1).c("S", 0), [None, 10 * MS, None, None, None]),
    (Conversation().c("S", 0).c("A", 1, 1).s("SA", 0, 1), [20 * MS, None, None, 10 * MS, None])],
    ids=["SYN+ACK first", "SYN last", "SYN+ACK last"])
def test_what_is_captured_behind_its_answer_is_not_measured_from(talk, times):
    assert nanoseconds(handshake(talk), "server_rtt", "client_rtt", "initial_rtt", "setup_time",
                       "syn_backoff_first") == times


@pytest.mark.parametrize("copies", [0, 1])
def test_a_capture_may_begin_at_time_zero(copies):
    talk = Conversation(time=0).c("S", 0)
    for _ in range(copies):
        talk.c("S", 0, dt=1000 * MS)
    row = handshake(talk.s("SA", 0, 1, dt=5 * MS).c("A", 1, 1, dt=6 * MS))
    assert nanoseconds(row, "syn", "server_rtt", "client_rtt", "initial_rtt", "setup_time", "syn_backoff_first") == [
        0, 5 * MS, 6 * MS, 11 * MS, copies * 1000 * MS + 11 * MS, 1000 * MS if copies else None]


def test_what_is_offered_and_agreed():
    talk = Conversation().c("SEW", 0, options=mss(1460) + ALL)
    talk.s("SAE", 0, 1, options=mss(1380) + NOP + SACK_PERMITTED + wscale(2)).c("A", 1, 1)
    row = handshake(talk)
    assert (row["mss_client"], row["mss_server"], row["mss"]) == (1460, 1380, 1380)
    assert (row["wscale_client"], row["wscale_server"]) == (7, 2)
    assert [row[name] for name in ("window_scale", "sack", "timestamps", "ecn")] == [True, True, False, True]
    assert (row["timestamps_client"], row["timestamps_server"]) == (True, False)


@pytest.mark.parametrize(("outcome", "talk"), [
    ("no_answer", Conversation().c("S", 0)),
    ("refused", Conversation().c("S", 0).s("RA", 0, 1)),
    ("unanswered", Conversation().c("S", 0).s("SA", 0, 1).s("SA", 0, 1)),
    ("aborted", Conversation().c("S", 0).s("SA", 0, 1).c("R", 1)),
    ("simultaneous", Conversation().c("S", 0).s("S", 0).c("SA", 0, 1).s("SA", 0, 1)),
    ("fast_open", Conversation().c("S", 0, None, 100).s("SA", 0, 101).c("A", 101, 1)),
    ("complete", Conversation().c("S", 0, None, 100).s("SA", 0, 1).c("A", 1, 1)),
    ("complete", Conversation().c("S", 0).c("A", 1, 1)),
])
def test_outcomes(outcome, talk):
    assert handshake(talk)["outcome"] == outcome


def test_syns_that_cross() -> None:
    """RFC 9293 figure 7: either SYN+ACK answers the other end's SYN, and sends the number of its own again."""
    talk = Conversation().c("S", 0).s("S", 0, dt=60 * MS).c("SA", 0, 1, dt=MS).s("SA", 0, 1, dt=61 * MS)
    talk.c("A", 1, 1, dt=2 * MS)
    row = handshake(talk)
    assert (row["syn_retransmissions"], row["synack_retransmissions"]) == (0, 0)
    assert nanoseconds(row, "server_rtt", "client_rtt", "setup_time") == [122 * MS, None, 122 * MS]
    packets = tcpkit.open(io.BytesIO(talk.pcap(nano=True))).packets
    assert packets["kind"][:4].tolist() == ["new"] * 2 + ["retransmission"] * 2
    again = talk.s("SA", 0, 1, dt=1000 * MS)
    assert handshake(again)["synack_retransmissions"] == 1


def test_syns_that_cross_with_data() -> None:
    """RFC 7413: the SYN+ACK without the SYN's bytes does not take their place."""
    talk = Conversation().c("S", 0, None, 1000).s("S", 0).c("SA", 0, 1).c("A", 1, 1, 1000)
    packets = tcpkit.open(io.BytesIO(talk.pcap())).packets
    assert packets["kind"][3] == "retransmission"
    assert packets["original"][3] == 1


def test_without_its_beginning_there_is_none():
    capture = tcpkit.open(io.BytesIO(Conversation().c("PA", 1, 1, 10).pcap()))
    assert len(capture.handshakes) == 0
    assert capture.flows[0]["outcome"] == "midstream"


def test_a_capture_without_times():
    """Simple packet blocks have none: what was said is known all the same, and nothing is timed."""
    talk = Conversation(time=0)
    talk.c("S", 0, dt=0).s("SA", 0, 1, dt=0).c("A", 1, 1, dt=0).c("PA", 1, 1, 40, dt=0).s("A", 1, 41, dt=0)
    row = handshake(talk)
    assert row["outcome"] == "complete"
    assert nanoseconds(row, "server_rtt", "client_rtt", "initial_rtt", "setup_time") == [None] * 4
    directions = tcpkit.open(io.BytesIO(talk.pcap(nano=True))).directions
    assert set(directions["rtt_samples"]) == {0}
    assert directions["rtt_min"].mask.all()


@pytest.mark.skipif(SANITIZED, reason="their shadow takes more addresses than can be limited")
def test_what_a_reset_cut_off_is_not_left_out_for_want_of_memory():
    talk = Conversation().handshake()
    talk.c("R", 1, 0)
    batch, lifecycle = Batch(3), Lifecycle()
    process_all_but(talk.pcap(), lifecycle, batch, 2)
    with pytest.raises(MemoryError), no_more_memory():
        lifecycle.process(batch)
