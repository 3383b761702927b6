"""Flows read in parts and joined are those of one pass, wherever the capture is cut."""
from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import random_capture
from packets import Conversation, pcap
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flow_merge import FlowMerger
from tcpcore.flows import FlowTable
from tcpcore.records import FLOW

ONLY_OF_PIECES = {"seam", "synack0", "synack1", "opening", "opening_len"}
KEPT = [name for name in FLOW.names if name not in ONLY_OF_PIECES]


def records(frames, *, pieces=False, batch_frames=64, **limits):
    """In the order of their first frames; with ``limits`` those too that gave up their places."""
    reader, decoder, batch = Reader(io.BytesIO(pcap(frames, nano=True))), Decoder(), Batch(batch_frames)
    table, found = FlowTable(pieces=pieces, **limits), []
    while reader.next(batch):
        decoder.process(batch)
        table.process(batch)
        found += [batch.released["flows"]] if batch.released else []
    found = np.concatenate([*found, table.records()])
    return found[np.argsort(found["first_frame"])]


def joined(frames, cuts, **limits):
    merger = FlowMerger()
    for start, end in pairwise([0, *cuts, len(frames)]):
        merger.add(records(frames[start:end], pieces=True, **limits), start)
    return merger.records()


def assert_same(frames, cuts, **limits):
    whole, found = records(frames), joined(frames, cuts, **limits)
    for name in KEPT:
        np.testing.assert_array_equal(found[name], whole[name], err_msg=name)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), conversations=st.sampled_from([1, 2, 8]), steps=st.sampled_from([10, 40, 120]),
       places=st.lists(st.floats(0, 1), max_size=12))
def test_any_cuts(seed, conversations, steps, places):
    frames = random_capture(seed, conversations, steps)
    assert_same(frames, sorted(int(place * len(frames)) for place in places))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), places=st.lists(st.floats(0, 1), max_size=3), max_flows=st.integers(1, 6),
       batch_frames=st.integers(1, 8))
def test_any_cuts_with_room_for_few_streams(seed, places, max_flows, batch_frames):
    """What a stream does after it gave up its place is joined to what it did before."""
    frames = random_capture(seed, 8, 60)
    assert_same(frames, sorted(int(place * len(frames)) for place in places), batch_frames=batch_frames,
                max_flows=max_flows)


@pytest.mark.parametrize("seed", range(20))
def test_a_part_for_each_frame(seed):
    frames = random_capture(seed, 3, 60)
    assert_same(frames, range(1, len(frames)))


def test_a_syn_across_the_cut_is_the_same_or_another_connection():
    talk = Conversation().handshake().c("PA", 1, 1, 10)
    again = talk.c("S", 0).frames[-1]
    talk.client_isn += 1000
    other = talk.c("S", 0).frames[-1]
    start = talk.frames[:4]
    for frames, streams in (([*start, again], 1), ([*start, other], 2), ([*start, again, other, again], 3)):
        assert len(records(frames)) == streams
        for cut in range(len(frames) + 1):
            assert_same(frames, [cut])


def test_a_broken_sack_is_whole_or_not_by_a_base_before_the_cut():
    broken = b"\x05\x06" + bytes(4)
    talk = Conversation(server_isn=1000).handshake()
    talk.c("A", 1, 2**31 + 5, options=broken).c("A", 1, 5, options=broken).c("A", 1, 2**31 + 9, options=broken)
    whole = records(talk.frames)
    assert list(whole["conversation_packets0"]) == [4]
    for cut in range(len(talk.frames) + 1):
        assert_same(talk.frames, [cut])


def test_only_flows_are_joined():
    with pytest.raises(ValueError, match="FLOW"):
        FlowMerger().add(np.zeros(1), 0)
