"""Streams that give up their slots: against the model of the table, and against a table that has room for all."""
from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import random_capture
from packets import MS, Conversation, pcap
from reference.flows import Streams
from tcpcore.analysis import Analysis
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flags import Damage, Eviction, Present
from tcpcore.flows import FlowTable
from tcpcore.lifecycle import Lifecycle
from tcpcore.verdicts import Verdicts

SEED = bytes(range(24))
KINDS = ("flows", "analysis", "lifecycle", "verdicts")
NUMBERED = {"stream", "evicted"}
SECOND = 1_000_000_000


@dataclass
class Run:
    """Rows of all batches, streams released before each of them, and the records of all streams by their numbers."""

    rows: list[np.ndarray] = field(default_factory=list)
    released: list[list[int]] = field(default_factory=list)
    records: dict[str, dict[int, np.void]] = field(default_factory=lambda: defaultdict(dict))
    stages: tuple = ()

    def collect(self, kind, records):
        for record in records:
            assert int(record["stream"]) not in self.records[kind]
            self.records[kind][int(record["stream"])] = record


def run(capture: bytes, batch_frames: int, **limits) -> Run:
    reader, decoder = Reader(io.BytesIO(capture)), Decoder()
    batch = Batch(batch_frames, analysis=True, states=True, verdicts=True)
    flows = FlowTable(seed=SEED, **limits)
    later = {"analysis": Analysis(summary=True), "lifecycle": Lifecycle(), "verdicts": Verdicts()}
    done = Run(stages=(flows, *later.values()))
    while reader.next(batch):
        decoder.process(batch)
        for stage in done.stages:
            stage.process(batch)
        released = batch.released or {}
        done.released.append([int(number) for number in released.get("flows", {"stream": ()})["stream"]])
        for kind in KINDS if released else ():
            done.collect(kind, released[kind])
        done.rows.append(batch.array)
    flows.end_silent()
    done.collect("flows", flows.records())
    for kind, stage in later.items():
        done.collect(kind, stage.records(flows))
    return done


def check_against_model(done: Run, idle_ns: int = 0) -> None:
    """Streams that give up their places are over from then on; those that the time-out ends are over before."""
    model = Streams(idle_ns)
    for rows, released in zip(done.rows, done.released, strict=True):
        for number in released:
            model.forget(number)
        for row in rows:
            place = model.place(SimpleNamespace(**dict(zip(row.dtype.names, row.tolist(), strict=True))))
            assert bool(row["present"] & Present.HAS_STREAM) == (place is not None)
            if place:
                assert (row["stream"], row["direction"]) == (place.stream.number, place.direction), row["frame"]
                assert (row["time_relative"], row["time_delta"]) == (place.time_relative, place.time_delta)
    for kind in KINDS:
        assert sorted(done.records[kind]) == list(range(len(model.all)))
    for stream in model.all:
        record = done.records["flows"][stream.number]
        assert [record["packets0"], record["packets1"]] == stream.packets
        assert [record["payload_bytes0"], record["payload_bytes1"]] == stream.payload_bytes
        assert record["first_frame"] == stream.first_frame
        assert not model.is_silent(stream) or record["evicted"]
    if idle_ns and not any(record["evicted"] == Eviction.EVICTED_PRESSURE for record in done.records["flows"].values()):
        silent = sum(model.is_silent(stream) for stream in model.all)
        assert silent <= done.stages[0].evicted[0] == sum(
            record["evicted"] == Eviction.EVICTED_IDLE for record in done.records["flows"].values())


def check_against_whole(done: Run, whole: Run) -> None:
    """A stream that was not cut in two is told of in the same words, whoever had its slot before."""
    parts, counterpart, events = defaultdict(set), {}, defaultdict(list)
    for one, other in zip(np.concatenate(done.rows), np.concatenate(whole.rows), strict=True):
        if one["present"] & Present.HAS_STREAM:
            parts[int(other["stream"])].add(int(one["stream"]))
            counterpart[int(one["stream"])] = int(other["stream"])
            events[int(other["stream"])].append(one["events"] == other["events"])
    for number, twin in counterpart.items():
        if len(parts[twin]) > 1 or not all(events[twin]):
            continue
        evicted = bool(done.records["flows"][number]["evicted"])
        # What becomes of TIME-WAIT depends on when the record is written.
        for kind in KINDS if not evicted else ("flows", "analysis", "verdicts"):
            one, other = done.records[kind][number], whole.records[kind][twin]
            assert one.dtype.names
            for name in set(one.dtype.names) - NUMBERED:
                assert np.array_equal(one[name], other[name]), (kind, name)


def check(frames, batch_frames: int, max_flows: int) -> Run:
    capture = pcap(frames, nano=True)
    done = run(capture, batch_frames, max_flows=max_flows)
    check_against_model(done)
    check_against_whole(done, run(capture, batch_frames))
    rows = np.concatenate(done.rows)
    counted = (rows["present"] & Present.HAS_STREAM != 0) & (rows["damage"] & Damage.QUOTED == 0)
    flows = done.records["flows"].values()
    assert sum(int(flow["packets0"]) + int(flow["packets1"]) for flow in flows) == counted.sum()
    assert done.stages[0].n_slots <= max(max_flows, batch_frames)
    return done


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("max_flows", [1, 3, 8])
def test_random_conversations(seed, max_flows):
    check(random_capture(seed), 5, max_flows)


STEPS = st.lists(st.tuples(
    st.integers(1, 9), st.booleans(), st.sampled_from(("S", "SA", "A", "A", "PA", "PA", "FA", "R", "RA")),
    st.integers(0, 20), st.integers(0, 20), st.sampled_from((0, 0, 3, 9)),
    st.sampled_from((0, 1, MS, SECOND, 7 * SECOND, -SECOND)),
    st.sampled_from((0, 0, 0, 10**6))), min_size=1, max_size=80)


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 6), st.integers(1, 10))
def test_any_segments_of_many_streams(steps, batch_frames, max_flows):
    check(frames_of(steps), batch_frames, max_flows)


def frames_of(steps) -> list:
    frames: list = []
    talks = {port: Conversation(sport=port, frames=frames) for port in range(1, 10)}
    for port, from_client, flags, seq, ack, size, gap, jump in steps:
        talk = talks[port]
        talk.time = frames[-1].time if frames else talk.time
        talk.client_isn = 1_000_000 + jump
        (talk.c if from_client else talk.s)(flags, seq, ack, size, dt=gap)
    return frames


IDLE = st.sampled_from((1, MS, 3 * MS, 2 * SECOND, 20 * SECOND))


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 6), IDLE)
def test_the_time_out_ends_streams_wherever_batches_end(steps, batch_frames, idle_ns):
    capture = pcap(frames_of(steps), nano=True)
    done, other = (run(capture, size, idle_ns=idle_ns) for size in (batch_frames, 64))
    check_against_model(done, idle_ns)
    assert np.concatenate(done.rows).tobytes() == np.concatenate(other.rows).tobytes()
    for kind in set(KINDS) - {"lifecycle"}:      # what becomes of TIME-WAIT depends on when the record is written
        assert {number: record.tobytes() for number, record in done.records[kind].items()} == {
            number: record.tobytes() for number, record in other.records[kind].items()}


@settings(max_examples=40, deadline=None)
@given(STEPS, st.integers(1, 6), IDLE, st.integers(1, 10))
def test_the_time_out_beside_the_limit(steps, batch_frames, idle_ns, max_flows):
    done = run(pcap(frames_of(steps), nano=True), batch_frames, idle_ns=idle_ns, max_flows=max_flows)
    check_against_model(done, idle_ns)
    assert done.stages[0].n_slots <= max(max_flows, batch_frames)


def test_silent_streams_make_room():
    """A thousand at a time, of many thousands one after the other."""
    done = run(pcap(flood(6_000), nano=True), 256, idle_ns=SECOND)
    assert done.stages[0].n_slots < 3000
    assert done.stages[0].evicted == (6_000 - 1001, 0)
    check_against_model(done, SECOND)


def test_a_time_far_in_the_future_ends_streams_once():
    frames = flood(4)
    frames += [replace(frame, time=frame.time + i) for i in range(3) for frame in frames[:4]]
    frames[3] = replace(frames[3], time=frames[3].time + 10**6 * SECOND)
    done = run(pcap(frames, nano=True), 3, idle_ns=SECOND)
    check_against_model(done, SECOND)
    assert len(done.records["flows"]) == 4 + 3


def flood(n: int, dt: int = MS):
    frames: list = []
    for i in range(n):
        talk = Conversation(client=f"10.1.{i >> 8 & 255}.{i & 255}", sport=1024 + i % 60000, frames=frames)
        talk.time = frames[-1].time if frames else talk.time
        talk.c("S", 0, dt=dt)
    return frames


def test_a_flood_passes_through_few_slots():
    done = check(flood(1500), 64, 256)
    flows = done.records["flows"]
    assert len(flows) == 1500
    assert done.stages[0].evicted == (0, 1500 - sum(not flow["evicted"] for flow in flows.values()))


def test_streams_that_are_over_go_first_then_the_most_silent():
    over, silent, busy = Conversation(sport=1), Conversation(sport=2), Conversation(sport=3)
    frames = over.frames
    silent.frames = busy.frames = frames
    over.handshake()
    over.c("FA", 1, 1).s("FA", 1, 2).c("A", 2, 2)
    silent.time = over.time
    silent.handshake()
    for i in range(20):
        busy.time = frames[-1].time
        busy.c("PA", 1 + i, 1, 1, dt=SECOND)
    frames += flood(3)
    for place, frame in enumerate(frames[-3:]):
        frame.time = frames[-4].time + place
    done = check(frames, 1, 4)
    assert [number for released in done.released for number in released][:2] == [0, 1]
    evicted = {number: int(flow["evicted"]) for number, flow in done.records["flows"].items()}
    assert evicted[0] == Eviction.EVICTED_IDLE
    assert evicted[1] == Eviction.EVICTED_PRESSURE


def test_nothing_of_released_streams_is_kept():
    """Every block of the pools comes back: acknowledgements without data push all else out, and hold nothing."""
    frames = random_capture(1) + random_capture(2)
    for i in range(200):
        talk = Conversation(client=f"10.2.0.{i}", frames=frames)
        talk.time = frames[-1].time
        talk.c("A", 1, 1, dt=SECOND)
    done = run(pcap(frames, nano=True), 8, max_flows=20)
    accounts = [account for stage in done.stages[1:] for account in stage.pools.items()]
    assert [(name, taken) for name, (taken, _, _) in accounts] == [(name, 0) for name, _ in accounts]
    assert all(held > 0 for _, (_, held, _) in accounts)
