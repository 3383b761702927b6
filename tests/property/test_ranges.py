"""RangeSet against a dict of bytes, for every overlap rule."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.streams import Sent, favours_new
from tcpcore.overlap import OverlapRule
from tcpcore.ranges import RangeSet

NAMES = {"first": OverlapRule.FIRST, "last": OverlapRule.LAST, "bsd": OverlapRule.BSD,
         "bsd-right": OverlapRule.BSD_RIGHT, "linux": OverlapRule.LINUX, "old-linux": OverlapRule.OLD_LINUX,
         "solaris": OverlapRule.SOLARIS}
PIECES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 25)), max_size=60)


def owners(ranges):
    """Byte -> order of arrival of the segment that has it; ranges must be sorted, disjoint, not empty."""
    out, last = {}, None
    for start, end, order in ranges:
        assert start < end
        assert last is None or start >= last
        last = end
        out.update(dict.fromkeys(range(start, end), order))
    return out


def model(name, pieces):
    held: dict[int, Sent] = {}
    for order, (start, length) in enumerate(pieces):
        new = Sent(start, start + length, order)
        for byte in range(new.start, new.end):
            if byte not in held or favours_new(name, held[byte], new):
                held[byte] = new
    return {byte: sent.order for byte, sent in sorted(held.items())}


@pytest.mark.parametrize("name", NAMES)
@given(pieces=PIECES, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=150)
def test_the_owner_of_each_byte_is_the_models(name, pieces, seed):
    ranges = RangeSet(NAMES[name], seed=seed)
    for order, (start, length) in enumerate(pieces):
        assert ranges.add(start, start + length, order) == 0
    expected = model(name, pieces)
    assert owners(ranges) == expected
    covered = {byte for start, end in ranges.gaps(0, 100) for byte in range(start, end)}
    assert covered == set(range(100)) - set(expected)
    count = len(ranges)
    popped = [ranges.pop() for _ in range(count)]
    assert owners(popped) == expected
    assert len(ranges) == 0
    assert list(ranges) == []


@given(pieces=PIECES, capacity=st.integers(1, 6))
def test_a_full_pool_loses_only_what_it_says(pieces, capacity):
    ranges = RangeSet(OverlapRule.FIRST, capacity)
    lost = 0
    for order, (start, length) in enumerate(pieces):
        lost += ranges.add(start, start + length, order)
        assert len(ranges) <= capacity
    kept = owners(ranges)
    expected = model("first", pieces)
    assert set(kept) <= set(expected)
    assert len(expected) - len(kept) <= lost


def test_many_ranges_in_bad_order_stay_fast():
    ranges = RangeSet(OverlapRule.LINUX, 200_000)
    for i in range(100_000):
        ranges.add(2 * (i * 7919 % 100_000), 2 * (i * 7919 % 100_000) + 1, i)
    assert len(ranges) == 100_000
    for start in range(0, 200_000, 2):
        assert ranges.pop()[0] == start
