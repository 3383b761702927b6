"""Fragments joined as the slow model joins them, within time and memory."""
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fragment_trains
from fragment_trains import Fragment, trains
from packets import T0, Frame, tcp
from reference.fragments import TIMEOUT_NS, Fragments
from stages import run_decode
from tcpcore.flags import DecodeStatus

SECOND = 1_000_000_000
SEGMENT = tcp(50000, 80, 1, payload=bytes(range(100)))             # 120 bytes
DONE, HELD = DecodeStatus.STATUS_TCP, DecodeStatus.STATUS_IP_FRAGMENT


def expected(fragments, times):
    """A fragment that is the first and the last is whole, and no fragment."""
    model = Fragments()
    return model, [model.add(time, (each.ident, each.version), each.offset, each.more, each.data)
                   if each.offset or each.more else each.data for each, time in zip(fragments, times, strict=True)]


def agrees(fragments, times):
    model, whole = expected(fragments, times)
    done = run_decode([each.frame(time) for each, time in zip(fragments, times, strict=True)], size=8)
    joined = {i: data[(data[12] >> 4) * 4:] for i, data in enumerate(whole, 1) if data is not None and len(data) >= 16}
    payloads = dict(zip(done.rows["frame"].tolist(), done.payloads, strict=True))
    assert {frame: payloads.get(frame) for frame in joined} == joined
    counts = done.decoder.fragments
    assert (counts.fragments, counts.joined, counts.timed_out) == (model.fragments, model.joined, model.timed_out)
    assert counts.incomplete == len(model.waiting)
    assert counts.evicted == 0


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_agrees_with_the_model(seed, datagrams):
    fragments = trains(seed, datagrams)
    agrees(fragments, [T0 + 1000 * i for i in range(len(fragments))])


@given(st.integers(0, 2**32), st.lists(st.integers(-10 * SECOND, TIMEOUT_NS), min_size=60, max_size=60))
def test_agrees_with_the_model_as_time_goes_by(seed, steps):
    fragments = trains(seed, 8)[:60]
    time, times = T0, []
    for step in steps[:len(fragments)]:
        time += step // 8
        times.append(time)
    agrees(fragments, times)


def pieces(size=40, ident=7, version=4):
    return [Fragment(ident, version, at, at + size < len(SEGMENT), SEGMENT[at:at + size])
            for at in range(0, len(SEGMENT), size)]


@pytest.mark.parametrize("version", [4, 6])
def test_the_segment_belongs_to_the_frame_that_completes_it(version):
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 0, 2, 2, 1]):                  # ST-8
        chosen = pieces(version=version)
        done = run_decode(fragment_trains.frames([chosen[i] for i in order]))
        assert done.statuses == [HELD] * (len(order) - 1) + [DONE]
        assert done.rows["frame"].tolist() == [len(order)]
        assert done.payloads == [SEGMENT[20:]]


def test_fragments_of_other_packets_are_not_mixed():
    a, b, c = pieces(), pieces(ident=8), pieces(version=6)
    done = run_decode(fragment_trains.frames([*a[:2], *b[:1], *c[:2], b[1], a[2], c[2]]))
    assert done.rows["frame"].tolist() == [7, 8]
    assert done.decoder.fragments.incomplete == 1


@pytest.mark.parametrize(("vlans", "joined"), [((5, 5, 5), 1), ((5, 6, 5), 0), ((5, 5, None), 0), ((0, None, 0), 1)])
def test_fragments_of_other_vlans_are_not_mixed(vlans, joined):                                    # ST-8
    tagged = []
    for part, vlan in zip(pieces(), vlans, strict=True):
        frame = part.frame(T0)
        tag = b"" if vlan is None else struct.pack(">HH", 0x8100, 3 << 13 | vlan)
        tagged.append(Frame(T0, frame.data[:12] + tag + frame.data[12:], len(frame.data) + len(tag)))
    assert len(run_decode(tagged).rows) == joined


@pytest.mark.parametrize(("wait", "joined"), [(TIMEOUT_NS, 1), (TIMEOUT_NS + 1, 0)])
def test_what_stays_incomplete_is_given_up(wait, joined):
    a, b, c = (each.frame(T0) for each in pieces())
    c.time += wait
    done = run_decode([a, b, c])
    assert (len(done.rows), done.decoder.fragments.timed_out) == (joined, 1 - joined)


def test_memory_for_one_datagram_is_bounded():
    """Fragments that overlap again and again."""
    train = [Fragment(7, 4, 0, True, bytes(60_000)) for _ in range(1000)]
    counts = run_decode(fragment_trains.frames(train)).decoder.fragments
    assert counts.memory <= counts.memory_limit
    assert counts.evicted == 3


def test_memory_is_bounded():
    """More first fragments than fit: the oldest go, the newest can still be joined."""
    dice = random.Random(1)
    flood = [Fragment(ident, 6, 0, True, dice.randbytes(8000)) for ident in range(3000)]
    last = Fragment(2999, 6, 8000, False, b"end")
    done = run_decode(fragment_trains.frames([*flood, last]))
    counts = done.decoder.fragments
    assert counts.memory <= counts.memory_limit
    assert counts.evicted > 500
    assert counts.evicted + counts.joined + counts.incomplete == 3000
    assert done.statuses[-1] == DONE


def test_a_fragment_cut_by_the_capture_is_not_joined():
    a, b, c = (each.frame(T0) for each in pieces())
    b.data = b.data[:-1]
    done = run_decode([a, b, c])
    assert done.statuses == [HELD, HELD, HELD]


def test_a_first_fragment_cut_by_the_capture_is_read_alone():
    first = pieces()[0].frame(T0)
    first.data = first.data[:-1]
    done = run_decode([first])
    assert done.statuses == [DONE]
    assert done.rows["src_port"].tolist() == [50000]
