"""The reordering table beside RFC 5236 worked out from all arrivals of a sender."""
from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tcpkit
from packets import MS, Conversation, timestamps
from reference.reordering import displacements
from stages import judged_batches
from tcpcore.flags import SegmentKind
from truth.score import CAPTURES

SIZE = 100
AGAIN = 1 << 16                  # packets sent again are counted and stamped from here on
FIRST = (SegmentKind.KIND_NEW, SegmentKind.KIND_REORDERED)
Density = dict[int, int]


def test_the_model_on_small_sequences() -> None:
    assert displacements([1, 2, 3]) == (Counter({0: 3}), 0)
    assert displacements([1, 2, 4, 5, 3]) == (Counter({0: 2, -1: 2, 2: 1}), 0)
    assert displacements([2, 1, 4, 3]) == (Counter({-1: 2, 1: 2}), 0)
    assert displacements([*range(2, 11), 1]) == (Counter({-1: 9, 16: 1}), 0)
    assert displacements([*range(2, 67), 1]) == (Counter({0: 65}), 1)
    assert displacements([101, *range(1, 101)]) == (Counter({-64: 1, 1: 100}), 0)


def told(table: tcpkit.Table) -> tuple[dict[tuple[int, int], Density], dict[tuple[int, int], int]]:
    """By (stream, direction): segments by displacement, and those too late."""
    found: dict[tuple[int, int], Density] = defaultdict(dict)
    late = {}
    for row in (table[i] for i in range(len(table))):
        key = row["stream"], row["direction"]
        found[key][row["at_most"]] = row["segments"]
        late[key] = row["too_late"]
    for key, density in found.items():
        whole = sum(density.values())
        rows = table[(table["stream"] == key[0]) & (table["direction"] == key[1])]
        assert rows["density"].tolist() == pytest.approx([n / whole for n in density.values()])
        assert list(density) == sorted(density)
    return dict(found), late


@given(delays=st.lists(st.sampled_from([*range(15), 40, 90]), min_size=2, max_size=90),
       lost=st.sets(st.integers(0, 89), max_size=6), seed=st.integers(0, 1000))
def test_delayed_segments(delays: list[int], lost: set[int], seed: int) -> None:
    """Some are lost before the capture point and come again later: not in order, unless nothing tells them from new."""
    random = Random(seed)
    order = sorted((n + delay, n) for n, delay in enumerate(delays) if n not in lost)
    order += [(n + random.randrange(20, 60), AGAIN + n) for n in sorted(lost)
              if n < len(delays) and random.random() < 0.7]
    arrivals = [n for _, n in sorted(order)]
    talk = Conversation().handshake(rtt=40 * MS)
    for stamp, n in enumerate(arrivals):
        sent = n if n < AGAIN else 5000 + stamp
        talk.c("A", 1 + n % AGAIN * SIZE, 1, SIZE, dt=MS, options=timestamps(1000 + sent, 1),
               ip_fields={"ident": 100 + sent})
    found, late = told(tcpkit.open(io.BytesIO(talk.pcap(nano=True))).reordering)
    numbers = [-1]               # the SYN
    for n in arrivals:
        if n < AGAIN or n - AGAIN > max(numbers):
            numbers.append(n % AGAIN)
    density, too_late = displacements(numbers)
    if set(density) == {0} and not too_late:
        assert found == {}
    else:
        assert found == {(0, 0): dict(density)}
        assert late == {(0, 0): too_late}


def first_arrivals(capture: bytes) -> Iterator[tuple[tuple[int, int], int]]:
    """((stream, direction), number) of the segments that were not sent again, and not overtaken by what was."""
    seen: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for batch in judged_batches(capture, 2048):
        for row in batch.array:
            key = int(row["stream"]), int(row["direction"])
            start = int(row["seq64"])
            end = start + int(row["payload_len"]) + bool(row["flags"] & 2) + bool(row["flags"] & 1)
            if row["kind"] in FIRST and not any(left <= start < right for left, right in seen[key]):
                yield key, start
            if row["kind"] not in (SegmentKind.KIND_NONE, SegmentKind.KIND_PROBE):
                seen[key].append((start, end))


@pytest.mark.parametrize("name", ["heavy-reorder.rcv", "bulk-reorder.rcv", "parallel.rcv", "v6-middle.mid1"])
def test_recorded_captures(name: str) -> None:
    path = CAPTURES / f"{name}.pcap"
    arrivals = defaultdict(list)
    for key, number in first_arrivals(path.read_bytes()):
        arrivals[key].append(number)
    expected = {key: dict(displacements(numbers)[0]) for key, numbers in arrivals.items()}
    found, late = told(tcpkit.open(path).reordering)
    affected = {key for key, density in expected.items() if set(density) != {0}} | {key for key in late if late[key]}
    assert affected
    assert found == {key: expected[key] for key in affected}
