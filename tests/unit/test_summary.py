"""What the analysis adds up for each direction of a stream."""
import io
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcpkit
from packets import MS, Conversation
from stages import run_analysis, run_flows
from tcpcore.analysis import Analysis
from tcpcore.flags import Finding
from tcpcore.flows import FlowTable


def record(conversation, i=0):
    return run_analysis(conversation.pcap(nano=True))[1][i]


def rows(conversation):
    return run_analysis(conversation.pcap(nano=True))[0]


def exchange(round_trips, conversation=None):
    """One byte after the other from the client, each acknowledged after its time."""
    a = conversation or Conversation()
    for i, rtt in enumerate(round_trips):
        a.c("PA", 1 + i, 1, 1, dt=100 * MS).s("A", 1, 2 + i, dt=rtt)
    return a


@pytest.mark.parametrize("round_trips", [[7], [3, 8], [5, 1, 3], [9, 9, 1, 4, 30, 31, 2, 2], list(range(1, 300, 7))])
def test_round_trips(round_trips):
    of = record(exchange(round_trips))
    assert of["rtt_samples0"] == len(round_trips)
    assert of["rtt_samples1"] == 0
    assert (of["rtt_min0"], of["rtt_max0"], of["rtt_sum0"]) == (min(round_trips), max(round_trips), sum(round_trips))
    assert of["rtt_median0"] == pytest.approx(statistics.median(round_trips), rel=1 / 32, abs=1)
    mean = statistics.mean(round_trips)
    assert of["rtt_squares0"] == pytest.approx(sum((rtt - mean)**2 for rtt in round_trips))


@given(st.lists(st.integers(0, 40).flatmap(lambda bits: st.integers(0, 1 << bits)), min_size=1,
                max_size=80))
def test_the_median_is_near_whatever_the_values(round_trips):
    of = record(exchange(round_trips))
    low, high = statistics.median_low(round_trips), statistics.median_high(round_trips)
    assert low * 31 / 32 - 1 <= of["rtt_median0"] <= high * 33 / 32 + 1


def test_the_handshake_is_a_sample_of_each_side():
    of = record(Conversation().handshake(rtt=20 * MS))
    assert (of["rtt_sum0"], of["rtt_sum1"], of["initial_rtt"]) == (10 * MS, 10 * MS, 20 * MS)


def test_data_sent_again_is_no_sample():                            # Karn's rule
    a = Conversation().c("PA", 1, 1, 100).c("PA", 1, 1, 100, dt=300 * MS).s("A", 1, 101)
    shown = rows(a)
    assert shown["ack_rtt"][2]              # AK-1 shows one all the same
    assert record(a)["rtt_samples0"] == 0


def test_data_after_what_was_sent_again_is_a_sample():
    a = Conversation().c("PA", 1, 1, 100).c("PA", 1, 1, 100, dt=300 * MS).s("A", 1, 101)
    a.c("PA", 101, 1, 100).s("A", 1, 201, dt=5 * MS)
    assert (record(a)["rtt_samples0"], record(a)["rtt_max0"]) == (1, 5 * MS)


def test_findings_count_for_the_direction_that_sends():
    a = Conversation().handshake().c("PA", 1, 1, 100).c("PA", 1, 1, 100, dt=300 * MS)
    for _ in range(3):
        a.s("A", 1, 1)
    a.s("A", 1, 101).c("PA", 1, 1, 100)
    of = record(a)
    assert (of["retransmissions0"], of["retransmissions1"]) == (2, 0)
    assert (of["spurious_retransmissions0"], of["spurious_retransmissions1"]) == (1, 0)
    assert (of["duplicate_acks0"], of["duplicate_acks1"]) == (0, 3)


def test_counts_are_those_of_the_rows():
    from conversations import random_capture
    from packets import pcap

    shown, records = run_analysis(pcap(random_capture(5), nano=True))
    names = ("retransmissions", "fast_retransmissions", "spurious_retransmissions", "out_of_order", "lost_segments",
             "ack_lost_segments", "duplicate_acks", "zero_windows", "zero_window_probes", "zero_window_probe_acks",
             "windows_full", "window_updates", "keep_alives", "keep_alive_acks")
    findings = list(Finding)[:len(names)]
    for name, finding in zip(names, findings, strict=True):
        for direction in (0, 1):
            of = shown[(shown["direction"] == direction) & (shown["analysis_present"] != 0)]
            expected = np.bincount(of["stream"][(of["findings"] & finding) != 0], minlength=len(records))
            assert records[f"{name}{direction}"].tolist() == expected.tolist(), name
    for direction in (0, 1):
        largest = np.zeros(len(records), int)
        of = shown[shown["direction"] == direction]
        np.maximum.at(largest, of["stream"], of["bytes_in_flight"])
        assert records[f"max_in_flight{direction}"].tolist() == largest.tolist()


def test_how_long_the_window_was_closed():
    a = Conversation().handshake().s("A", 1, 1, window=0).s("A", 1, 1, window=0, dt=70 * MS)
    a.s("A", 1, 1, window=100, dt=30 * MS)
    assert record(a)["zero_window_ns1"] == 100 * MS
    a.s("A", 1, 1, window=0).c("A", 1, 1, dt=5 * MS)                # still closed at the end
    assert record(a)["zero_window_ns1"] == 105 * MS


def test_bytes_in_flight():
    a = Conversation().handshake().c("A", 1, 1, 1000).c("PA", 1001, 1, 500).s("A", 1, 1501).c("A", 1501, 1, 100)
    assert (record(a)["max_in_flight0"], record(a)["max_in_flight1"]) == (1500, 0)


def test_completeness_and_scales_of_the_whole():
    a = Conversation().handshake(client_options=b"\x03\x03\x07\x00", server_options=b"\x03\x03\x02\x00")
    of = record(a.c("FA", 1, 1))
    assert of["completeness"] == 1 | 2 | 4 | 16                     # CP-1
    assert (of["window_shift0"], of["window_shift1"]) == (7, 2)     # WN-2
    assert record(Conversation().c("A", 1, 1))["window_shift0"] == -1
    assert record(Conversation().handshake())["window_shift1"] == -2


def test_records_match_those_of_the_flows():
    a = Conversation().handshake()
    Conversation(sport=50001, frames=a.frames, time=a.time).c("S", 0)
    a.c("S", 700)                                                   # ST-3: a third stream
    analysis = Analysis(summary=True)
    _, table = run_flows(a.pcap(nano=True), analysis=analysis)
    for start, stop in ((0, None), (1, 2), (2, 9), (3, None), (5, 7)):
        slots = table.slots(start, stop)
        assert analysis.records(table, slots)["stream"].tolist() == table.records(slots)["stream"].tolist() \
            == slots.tolist()
    with pytest.raises(ValueError, match="no such slot"):
        table.records(table.slots() + 1)


def test_records_need_a_summary():
    with pytest.raises(ValueError, match="without summary"):
        Analysis().records(FlowTable())


# -- limits

def test_what_a_limit_costs_is_counted():
    a = Conversation()
    for i in range(100):
        a.c("A", 1 + 10 * i, 1, 10)
    small, large = Analysis(flight_limit=24 * 16), Analysis()
    run_flows(a.pcap(nano=True), analysis=small)
    run_flows(a.pcap(nano=True), analysis=large)
    assert large.dropped == 0
    assert small.dropped == 100 - 7                                 # in a block of 8; one of 16 would be too much
    assert small.pools["segments in flight"][1] <= 24 * 16           # bytes held


def test_what_a_limit_costs_is_a_warning(monkeypatch):
    monkeypatch.setattr("tcpkit.trackers.Analysis", lambda **options: Analysis(**options | {"flight_limit": 24 * 16}))
    a = Conversation()
    for i in range(100):
        a.c("A", 1 + 10 * i, 1, 10)
    capture = tcpkit.open(io.BytesIO(a.pcap()))
    assert len(capture.packets) == 100
    assert ["in flight ran out 93 times" in str(warning) for warning in capture.warnings] == [True]
