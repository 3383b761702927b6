"""Graphs of a connection: what is drawn is what the packets table says."""
from __future__ import annotations

import io

import numpy as np
import pytest

import tcpkit
from packets import MS, Conversation
from tcpkit.graphs import FINEST, GRAPHS, draw_stream, new_figure

SEGMENTS = 40


def talk() -> Conversation:
    """The client sends 40 times 100 bytes, the tenth again after 400 ms; each is acknowledged after 2 ms."""
    talk = Conversation().handshake()
    for at in range(SEGMENTS):
        talk.c("PA", 1 + 100 * at, 1, 100, dt=MS)
        if at == 9:
            talk.c("PA", 1 + 100 * at, 1, 100, dt=400 * MS)
        talk.s("A", 1, 101 + 100 * at, dt=2 * MS)
    return talk


@pytest.fixture
def capture():
    return tcpkit.open(io.BytesIO(talk().pcap(nano=True)))


def line(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def test_the_sequence_graph_has_a_bar_for_each_segment_coloured_by_its_kind(capture):
    axes = draw_stream(capture, 0)
    bars = {bars.get_label(): bars.get_segments() for bars in axes.collections}
    assert {label: len(segments) for label, segments in bars.items()} == {
        f"new ({SEGMENTS + 1})": SEGMENTS + 1, "retransmission (1)": 1}
    assert [end for _, end in bars["retransmission (1)"][0]] == [901, 1001]
    times = capture.packets["time_relative"].astype(np.int64) / 1e9
    again = np.flatnonzero(capture.packets["kind"] == "retransmission")
    assert bars["retransmission (1)"][0][0][0] == pytest.approx(times[again[0]])
    assert line(axes, "acknowledged").get_ydata()[-1] == 1 + 100 * SEGMENTS
    assert axes.get_title() == "Stream 0: 10.0.0.1:50000 → 10.0.0.2:60000"


def test_a_long_connection_is_drawn_in_no_more_bars_than_one_can_tell_apart():
    talk = Conversation().handshake()
    for at in range(3 * FINEST):
        talk.c("PA", 1 + 10 * at, 1, 10, dt=MS)
    bars, = draw_stream(tcpkit.open(io.BytesIO(talk.pcap(nano=True))), 0).collections
    segments = bars.get_segments()
    assert FINEST / 2 < len(segments) <= FINEST + 1
    assert bars.get_label() == f"new ({3 * FINEST + 1:,})"
    assert sum(high - low for (_, low), (_, high) in segments) == 30 * FINEST + 1


def test_the_round_trips_are_those_of_the_table(capture):
    axes = draw_stream(capture, 0, "rtt")
    packets = capture.packets
    answers = np.asarray(packets["direction"] == 1)
    expected = packets["ack_rtt"][answers].compressed().astype(np.int64) / 1e6
    assert axes.lines[0].get_ydata() == pytest.approx(expected)
    assert np.median(expected) == pytest.approx(2)


@pytest.mark.parametrize("graph", ["rtt", "window"])
def test_the_highest_value_does_not_lie_on_the_frame(capture, graph):
    axes = draw_stream(capture, 0, graph)
    low, high = axes.get_ylim()
    assert low == 0
    assert high == pytest.approx(1.05 * max(max(line.get_ydata()) for line in axes.lines))


def test_the_throughput_adds_up_to_the_bytes(capture):
    axes = draw_stream(capture, 0, "throughput")
    sums = {stairs.get_label(): (stairs.get_data().values * np.diff(stairs.get_data().edges)).sum()
            for stairs in axes.patches}
    assert sums == pytest.approx({"sent": 100 * (SEGMENTS + 1), "newly acknowledged": 100 * SEGMENTS})


def test_the_window_graph_shows_what_is_in_flight_below_the_window(capture):
    axes = draw_stream(capture, 0, "window")
    flying = capture.packets["bytes_in_flight"].compressed()
    assert list(line(axes, "bytes in flight").get_ydata()) == list(flying)
    answers = np.asarray(capture.packets["direction"] == 1)
    assert list(line(axes, "receiver's window").get_ydata()) == list(capture.packets["window_size"][answers])


def test_either_end_may_be_the_sender(capture):
    axes = draw_stream(capture, 0, sender="server")
    assert axes.get_title() == "Stream 0: 10.0.0.2:60000 → 10.0.0.1:50000"
    assert [bars.get_label() for bars in axes.collections] == ["new (1)"]


@pytest.mark.parametrize("graph", [graph for graph in GRAPHS if graph != "throughput"])
@pytest.mark.parametrize("sender", ["client", "server"])
@pytest.mark.parametrize("some", [Conversation().c("S", 0).c("S", 0, dt=MS),
                                  Conversation().c("PA", 1, 1, 10).c("PA", 11, 1, 10, dt=MS)])
def test_half_a_conversation_can_be_drawn(graph, sender, some):
    figure = new_figure()
    draw_stream(tcpkit.open(io.BytesIO(some.pcap())), 0, graph, sender=sender, axes=figure.subplots())
    figure.savefig(io.BytesIO(), format="svg")


def test_there_is_no_throughput_without_time():
    with pytest.raises(ValueError, match="takes no time"):
        draw_stream(tcpkit.open(io.BytesIO(Conversation().c("S", 0).pcap())), 0, "throughput")


def test_what_is_not_there_is_told(capture):
    with pytest.raises(IndexError, match="no stream 7"):
        draw_stream(capture, 7)
    with pytest.raises(ValueError, match="client, server, not 'Client'"):
        draw_stream(capture, 0, sender="Client")
    with pytest.raises(ValueError, match="sequence, rtt, throughput, window"):
        draw_stream(capture, 0, "speed")
