"""Parts of a capture that are read apart tell together what one pass tells, or that they cannot."""
from __future__ import annotations

import io
import random
from itertools import pairwise

import numpy as np
import pytest

import fragment_trains
import tcpkit
from conversations import random_capture
from fragment_trains import trains
from packets import pcap
from tcpkit.errors import CaptureError
from tcpkit.parts import TABLES, join_parts, read_part


def sources(frames, cuts):
    return [io.BytesIO(pcap(frames[start:end], nano=True)) for start, end in pairwise([0, *cuts, len(frames)])]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("capture_filter", ["", "tcp port 80 and ip"])
def test_parts_in_any_order(table, seed, capture_filter):
    frames = sorted(random_capture(seed, 12), key=lambda frame: frame.time)
    rng = random.Random(seed)
    apart = [read_part(source, capture_filter)
             for source in sources(frames, sorted(rng.sample(range(len(frames)), 4)))]
    rng.shuffle(apart)
    found = join_parts(apart, table)
    whole = tcpkit.open(io.BytesIO(pcap(frames, nano=True)), stages=["flows"], capture_filter=capture_filter)
    expected = getattr(whole, table)
    assert found is not None
    assert len(found) > 0
    for name in expected.array.dtype.names:
        np.testing.assert_array_equal(found.array[name], expected.array[name], err_msg=name)


def test_parts_that_overlap_in_time_cannot_be_joined():
    frames = sorted(random_capture(1), key=lambda frame: frame.time)
    one, other = (read_part(io.BytesIO(pcap(frames[start::2], nano=True))) for start in (0, 1))
    assert join_parts([one, other], "flows") is None


def test_a_datagram_across_a_seam_cannot_be_joined():
    frames = sorted(fragment_trains.frames(trains(1, 40)), key=lambda frame: frame.time)
    joined = [join_parts([read_part(source) for source in sources(frames, [cut])], "flows")
              for cut in range(len(frames))]
    assert any(found is None for found in joined)
    expected = tcpkit.open(io.BytesIO(pcap(frames, nano=True)), stages=["flows"]).flows.array
    for found in joined:
        if found is not None:
            for name in expected.dtype.names:
                np.testing.assert_array_equal(found.array[name], expected[name], err_msg=name)


def test_what_cannot_be_read_leaves_nothing_half_made():
    with pytest.raises(CaptureError, match="not a capture"):
        read_part(io.BytesIO(b"no capture"))


def test_nothing():
    assert len(join_parts([], "flows")) == len(join_parts([], "conversations")) == 0
