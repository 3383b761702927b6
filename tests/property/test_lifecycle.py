"""Inferred states: equal to the slow observer's for any segments, and never wrong for legal conversations."""
from __future__ import annotations

import io
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packets import Frame as Captured
from packets import ethernet, ip, pcap, tcp
from reference.lifecycle import Observer, Seen
from reference.path import MSL, Conversation, Frame, Impairment, conversation
from reference.truth import right_answers
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flags import TcpState
from tcpcore.flows import FlowTable
from tcpcore.lifecycle import Lifecycle

NAMES = [state.name for state in sorted(TcpState)]
T0 = 1_700_000_000_000_000_000
ENDS = (("10.0.0.1", 50000), ("10.0.0.2", 80))
PATHS = {
    "whole": Impairment(), "lossy path": Impairment(lost_before=0.15), "reordering path": Impairment(reordered=0.1),
    "lossy capture": Impairment(missed=0.2), "half a capture": Impairment(missed=0.5),
    "all of it": Impairment(lost_before=0.1, missed=0.2, reordered=0.05)}


def capture(segments: list[Seen]) -> bytes:
    """Direction 0 is the client by its port."""
    frames = []
    for seg in segments:
        (src, sport), (dst, dport) = ENDS[seg.direction], ENDS[1 - seg.direction]
        header = tcp(sport, dport, seg.seq, seg.ack, seg.flags, payload=bytes(seg.length))
        data = ethernet(ip(src, dst, header))
        frames.append(Captured(T0 + seg.time, data, len(data)))
    return pcap(frames, nano=True)


def inferred(segments: list[Seen], frames: int = 64) -> list[tuple[str, str]]:
    """States of the first sender and the other, after each segment."""
    reader, decoder, batch = Reader(io.BytesIO(capture(segments))), Decoder(), Batch(frames, states=True)
    flows, lifecycle = FlowTable(), Lifecycle(msl_ns=MSL)
    answers = []
    while reader.next(batch):
        decoder.process(batch)
        flows.process(batch)
        lifecycle.process(batch)
        rows = batch.array
        assert not rows["stream"].any()
        answers += zip(rows["client_state"].tolist(), rows["server_state"].tolist(), strict=True)
    first = segments[0].direction
    return [(NAMES[pair[client != first]], NAMES[pair[client == first]])
            for pair, client in zip(answers, clients(segments), strict=True)]


def clients(segments: list[Seen]) -> list[int]:
    """Which direction is the client's as far as each segment tells: by SYN, by SYN+ACK, by the higher port."""
    known, evidence, answers = 0, 0, []
    for seg in segments:
        if "S" in seg.flags and evidence < 2 - ("A" in seg.flags):
            known, evidence = (1 - seg.direction, 1) if "A" in seg.flags else (seg.direction, 2)
        answers.append(known)
    return answers


def watch(segments: list[Seen]) -> list[tuple[str, str]]:
    """The same from the reference; its directions count from the first sender."""
    observer, first = Observer(MSL), segments[0].direction
    return [observer.observe(Seen(seg.time, seg.direction ^ first, seg.flags, seg.seq, seg.ack, seg.length))
            for seg in segments]


def seen(frames: list[Frame]) -> list[Seen]:
    return [Seen(frame.time, frame.sender, frame.seg.flags, frame.seg.seq & 0xFFFFFFFF,
                 frame.seg.ack & 0xFFFFFFFF if "A" in frame.seg.flags else 0, frame.seg.length) for frame in frames]


def same_stream(segments: list[Seen]) -> list[Seen]:
    """Without SYNs that would use the ports again (ST-3)."""
    bases: dict[int, int] = {}
    kept = []
    for seg in segments:
        base = seg.seq - ("S" not in seg.flags)
        if "S" in seg.flags and "A" not in seg.flags and bases.get(seg.direction, seg.seq) != seg.seq:
            continue
        bases.setdefault(seg.direction, base & 0xFFFFFFFF)
        if "A" in seg.flags:
            bases.setdefault(1 - seg.direction, (seg.ack - 1) & 0xFFFFFFFF)
        if seg.flags == "SA":
            bases[seg.direction] = seg.seq
        kept.append(seg)
    return kept


numbers = st.integers(-4, 8).map(lambda number: number & 0xFFFFFFFF)
segments = st.builds(
    Seen, time=st.integers(0, 200).map(lambda n: n * 1_000_000_000), direction=st.integers(0, 1),
    flags=st.sampled_from(["S", "SA", "A", "A", "A", "FA", "R", "RA", "F", "SF", "SR", ""]),
    seq=numbers, ack=numbers, length=st.integers(0, 3))


@given(st.lists(segments, min_size=1, max_size=40), st.integers(1, 64))
def test_any_segments_give_the_states_of_the_reference(some, frames):
    some = sorted(some, key=lambda seg: seg.time)
    some = same_stream(some)
    assert inferred(some, frames) == watch(some)


@pytest.mark.parametrize("name", PATHS)
def test_legal_conversations_are_never_misjudged(name):
    wrong, known, total = [], 0, 0
    for seed in range(settings.default.max_examples):
        talk = conversation(Random(seed), PATHS[name])
        talk.run()
        captured = seen(talk.frames)
        if not captured or same_stream(captured) != captured:
            continue               # a SYN after a refusal sent with other numbers is another stream
        answers = inferred(captured)
        assert answers == watch(captured)
        wrong += [(seed, *case) for case in misjudged(talk, answers)]
        known += int(np.count_nonzero(np.array(answers) != "UNKNOWN"))
        total += 2 * len(answers)
    assert wrong == []
    # What the capture determines is told: everything where nothing is missing, most where little is.
    assert known / total > {"whole": 0.999, "reordering path": 0.98, "half a capture": 0.4}.get(name, 0.65)


def misjudged(talk: Conversation, answers: list[tuple[str, str]]) -> list[tuple[int, int, str]]:
    first = talk.frames[0].sender
    return [(at, end, pair[end ^ first]) for at, pair in enumerate(answers) for end in (0, 1)
            if pair[end ^ first] not in {"UNKNOWN", *right_answers(talk, talk.frames[:at + 1], end)}]
