"""Streams and analysis against the models of tests/reference, on conversations of every kind."""
from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import random_capture
from packets import MS, NOP, Conversation, pcap, sack, wscale
from reference.analysis import COLUMNS, Talk, Turn
from reference.flows import Streams
from stages import run_analysis
from tcpcore.flags import FlowEvent, Present

FLOW_COLUMNS = ("stream", "direction", "seq", "ack", "nxtseq", "time_relative", "time_delta")


class Model:
    """The models run over the decoded columns of the rows."""

    def __init__(self, rows):
        self.streams, self.talks, self.turns = Streams(), [], []
        for row in rows:
            row = SimpleNamespace(**dict(zip(row.dtype.names, row.tolist(), strict=True)))
            place = self.streams.place(row)
            if place is None:
                self.turns.append(None)
                continue
            if place.created:
                self.talks.append(Talk())
            turn = Turn(self.talks[place.stream.number], row, place)
            turn.run()
            self.turns.append(turn)


def check_flows(rows, model):
    for row, turn in zip(rows, model.turns, strict=True):
        assert bool(row["present"] & Present.HAS_STREAM) == (turn is not None)
        if turn is None:
            continue
        place = turn.place
        known = bool(row["present"] & Present.HAS_LEN)
        expected = (place.stream.number, place.direction, place.seq * known, place.ack * known, place.next,
                    place.time_relative, place.time_delta)
        assert tuple(row[name] for name in FLOW_COLUMNS) == expected, (row["frame"], FLOW_COLUMNS)
        events = {event: bool(row["events"] & event) for event in FlowEvent}
        assert events[FlowEvent.STREAM_CREATED] == place.created
        assert events[FlowEvent.PORTS_REUSED] == place.reused_ports
        assert events[FlowEvent.SYN_REPEATED] == place.syn_again


def check_analysis(rows, model):
    for row, turn in zip(rows, model.turns, strict=True):
        if turn is not None:
            shown = {name: int(row["analysis_present" if name == "present" else name]) for name in COLUMNS}
            assert shown == turn.out, row["frame"]


def check_records(records, model):
    assert len(records) == len(model.talks)
    for record, talk in zip(records, model.talks, strict=True):
        assert (record["initial_rtt"], record["completeness"]) == (talk.irtt, talk.completeness)
        for d, side in enumerate(talk.sides):
            trips = side.round_trips
            assert record[f"rtt_samples{d}"] == len(trips)
            assert record[f"max_in_flight{d}"] == side.max_in_flight
            assert record[f"window_shift{d}"] == side.scale
            if trips:
                assert (record[f"rtt_min{d}"], record[f"rtt_max{d}"]) == (min(trips), max(trips))
                assert record[f"rtt_sum{d}"] == sum(trips)
                assert record[f"rtt_squares{d}"] == pytest.approx(np.var(trips) * len(trips), rel=1e-6, abs=1)
                low, high = (np.percentile(trips, 50, method=method) for method in ("lower", "higher"))
                assert low * 31 / 32 - 1 <= record[f"rtt_median{d}"] <= high * 33 / 32 + 1


def check(frames, batch=64):
    rows, records = run_analysis(pcap(frames, nano=True), frames=batch)
    model = Model(rows)
    check_flows(rows, model)
    check_analysis(rows, model)
    check_records(records, model)


@pytest.mark.parametrize("seed", range(8))
def test_random_conversations(seed):
    check(random_capture(seed))


# -- small steps around what would come next, so that numbers meet often

ISNS = st.sampled_from((0, 1, 1000, 2**31 - 3, 2**32 - 4, 2**32 - 1))
STEPS = st.sampled_from((0,) * 12 + (-1, -1, -2, -3, -5, 1, 4, 2**31 - 1, 2**31))
FLAGS = st.sampled_from(("A", "A", "A", "A", "A", "PA", "PA", "S", "SA", "FA", "F", "R", "RA", "", "SF", "SFA"))
OPTIONS = st.sampled_from((b"",) * 6 + (NOP + wscale(1), NOP + wscale(15), sack((1005, 1007)), sack((4, 9), (12, 14)),
                                        b"\x05\x02", b"\x22\x04\1\2", b"\x1e\x03\x20"))
GAPS = st.sampled_from((0, 1, MS, 3 * MS - 1, 3 * MS, 20 * MS - 1, 20 * MS, 250 * MS, -MS))
SNAPS = st.sampled_from((None,) * 12 + (54, 57, 60))
SEGMENTS = st.lists(st.tuples(
    st.booleans(), FLAGS, STEPS, STEPS, st.sampled_from((0, 0, 0, 1, 1, 2, 5)), st.sampled_from((0, 3, 5, 5, 5, 65535)),
    OPTIONS, GAPS, SNAPS, st.integers(1, 3), st.sampled_from((0, 0, 0, 0, 1))), max_size=60)


@settings(max_examples=200)
@given(SEGMENTS, ISNS, ISNS, st.integers(1, 7))
def test_any_segments(segments, client_isn, server_isn, batch):
    frames = []
    talks = [Conversation(sport=port, client_isn=client_isn, server_isn=server_isn, frames=frames) for port in (1, 2)]
    reached = [{True: 1, False: 1} for _ in talks]
    for from_client, flags, seq, ack, size, window, options, gap, snap, times, which in segments:
        talk, following = talks[which], reached[which]
        talk.time = frames[-1].time if frames else talk.time
        seq += 0 if "S" in flags else following[from_client]
        ack += following[not from_client]
        for _ in range(times):
            send = talk.c if from_client else talk.s
            send(flags, seq, ack, size, window=window, options=options, dt=gap, snap=snap)
        if seq + size < 2**20:
            following[from_client] = max(following[from_client], seq + size + ("F" in flags))
    check(frames, batch)
