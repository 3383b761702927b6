"""Figures of streams and directions against the same figures taken from the packets, one by one."""
from __future__ import annotations

import io
import statistics

import numpy as np
import pytest

import tcpkit
from conversations import random_capture
from packets import MS, Conversation, pcap
from tcpkit.direction_columns import COUNTS
from tcpkit.verdict_figures import VERDICT_FIELDS, VERDICT_RATES

MARKS = {"retransmissions": "retransmission", "fast_retransmissions": "fast_retransmission",
         "spurious_retransmissions": "spurious_retransmission", "out_of_order": "out_of_order",
         "lost_segments": "lost_segment", "ack_lost_segments": "ack_lost_segment", "duplicate_acks": "duplicate_ack",
         "zero_windows": "zero_window", "zero_window_probes": "zero_window_probe",
         "zero_window_probe_acks": "zero_window_probe_ack", "windows_full": "window_full",
         "window_updates": "window_update", "keep_alives": "keep_alive", "keep_alive_acks": "keep_alive_ack"}


@pytest.fixture(scope="module", params=range(3))
def capture(request):
    return tcpkit.open(io.BytesIO(pcap(random_capture(request.param, conversations=60), nano=True)))


def by_direction(packets):
    """Rows of each (stream, direction)."""
    rows = {}
    for i, key in enumerate(zip(packets["stream"].tolist(), packets["direction"].tolist(), strict=True)):
        rows.setdefault(key, []).append(i)
    return rows


def test_every_kind_is_counted(capture):
    packets, directions = capture.packets, capture.directions
    rows = by_direction(packets)
    assert {name for name, _ in COUNTS} == MARKS.keys()
    for name, mark in MARKS.items():
        marked = packets[mark]
        expected = [int(marked[rows.get((stream, direction), [])].sum())
                    for stream, direction in zip(directions["stream"], directions["direction"], strict=True)]
        assert directions[name].tolist() == expected, name
        assert sum(expected) or name.startswith(("zero_window_probe", "keep_alive_ack", "windows_full")), name


def test_rates_are_over_the_segments_sent(capture):
    directions = capture.directions
    assert directions["retransmission_rate"].mask.tolist() == (directions["packets"] == 0).tolist()
    directions = directions[directions["packets"] > 0]
    assert np.allclose(directions["retransmission_rate"], directions["retransmissions"] / directions["packets"])
    lost = directions["retransmissions"].astype(int) - directions["spurious_retransmissions"]
    assert np.allclose(directions["loss_rate"], lost / directions["packets"])


def test_most_in_flight(capture):
    packets, rows = capture.packets, by_direction(capture.packets)
    flight = packets["bytes_in_flight"].filled(0)
    for row in range(len(capture.directions)):
        direction = capture.directions[row]
        mine = rows.get((direction["stream"], direction["direction"]), [])
        assert direction["max_in_flight"] == max(flight[mine], default=0)


def test_flows_add_what_the_directions_tell(capture):
    flows, directions = capture.flows, capture.directions
    for end in ("client", "server"):
        side = directions[directions["sender"] == end]
        assert side["stream"].tolist() == flows["stream"].tolist()
        for name in ("packets", "payload_bytes", "retransmissions", "loss_rate", "rtt_min", "rtt_mean"):
            assert side[name].tolist() == flows[f"{name}_{end}"].tolist()
    initial = capture.packets.where("tcp.analysis.initial_rtt")
    shown = dict(zip(initial["stream"].tolist(), initial["initial_rtt"].tolist(), strict=True))
    assert shown.items() <= dict(zip(flows["stream"].tolist(), flows["initial_rtt"].tolist(), strict=True)).items()


def test_flows_add_what_the_verdicts_tell_of_the_directions(capture):
    assert "reordered_client" not in capture.flows.columns
    judged, directions = capture.judged_flows, capture.directions
    assert set(judged.columns) > set(capture.flows.columns)
    for end in ("client", "server"):
        side = directions[directions["sender"] == end]
        for name in ("judged_segments", *VERDICT_FIELDS, *(rate for rate, _ in VERDICT_RATES)):
            assert side[name].tolist() == judged[f"{name}_{end}"].tolist()


def test_round_trips():
    delays = [5 * MS, 7 * MS, 6 * MS, 40 * MS, 10 * MS]
    talk = Conversation().handshake(rtt=20 * MS)
    at = 1
    for delay in delays:
        talk.c("PA", at, 1, 100)
        at += 100
        talk.s("A", 1, at, dt=delay)
    talk.c("PA", at, 1, 100).c("PA", at, 1, 100, dt=300 * MS)       # sent twice: says nothing (Karn's rule)
    talk.s("A", 1, at + 100, dt=90 * MS)
    capture = tcpkit.open(io.BytesIO(talk.pcap(nano=True)))
    client = capture.directions[0]
    delays = [10 * MS, *delays]                                      # the SYN's, which is acknowledged too
    nanoseconds = {name: client[name].astype(int) for name in ("rtt_min", "rtt_mean", "rtt_median", "rtt_max",
                                                              "rtt_deviation")}
    assert client["rtt_samples"] == len(delays)
    assert nanoseconds["rtt_min"] == min(delays)
    assert nanoseconds["rtt_max"] == max(delays)
    assert nanoseconds["rtt_mean"] == round(statistics.mean(delays))
    assert nanoseconds["rtt_deviation"] == pytest.approx(statistics.stdev(delays), abs=1)
    assert nanoseconds["rtt_median"] == pytest.approx(statistics.median(delays), rel=1 / 16)
    assert capture.flows[0]["initial_rtt"].astype(int) == 20 * MS


def test_closed_window_is_timed():
    talk = Conversation().handshake().c("PA", 1, 1, 100)
    talk.s("A", 1, 101, window=0).c("A", 100, 1, dt=200 * MS).s("A", 1, 101, window=0, dt=0)
    talk.s("A", 1, 101, window=8000, dt=300 * MS)
    server = tcpkit.open(io.BytesIO(talk.pcap(nano=True))).directions[1]
    assert server["zero_window_time"].astype(int) == 500 * MS
    assert server["zero_windows"] == 2


def test_without_analysis_there_are_flows_but_no_directions():
    capture = tcpkit.open(io.BytesIO(Conversation().handshake().pcap()), stages=["flows"])
    assert capture.flows["packets_client"].tolist() == [2]
    assert "retransmissions_client" not in capture.flows.columns
    with pytest.raises(ValueError, match="analysis"):
        capture.directions  # noqa: B018


def test_without_tcp_there_are_empty_tables():
    capture = tcpkit.open(io.BytesIO(pcap([])))
    assert [len(table) for table in (capture.flows, capture.directions, capture.conversations)] == [0, 0, 0]
    assert capture.flows.to_grid().startswith("stream")
