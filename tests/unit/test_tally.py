"""Counts in bounded memory: exact while there is room, and what counts most stays when there is not."""
from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpkit.half_open import SHORTEST, STEPS, HalfOpen
from tcpkit.tally import EXACT, Tally

DTYPE = [("start_ns", np.int64), ("last_ns", np.int64), ("end_ns", np.int64), ("key", np.uint64),
         *((name, np.int64) for name in ("attempts", "completed", "open", "again")), ("server_hi", np.uint64),
         ("server_lo", np.uint64), ("client", np.uint64), ("server_port", np.uint16), ("ip_version", np.uint8)]


def attempts(rows: list[tuple[int, int, int]]) -> np.ndarray:
    """Rows (port, client, time)."""
    out = np.zeros(len(rows), DTYPE)
    out["attempts"] = out["open"] = 1
    for name, values in zip(("server_port", "client", "start_ns"), zip(*rows, strict=True), strict=False):
        out[name] = values
    out["last_ns"] = out["start_ns"]
    return out


def tally(limit: int = 100, room: int = 1 << 20) -> Tally:
    return Tally(("server_port",), ("attempts", "open"), ("client",), limit, room)


PIECES = st.lists(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 30), st.integers(0, 10**12)), max_size=40),
                  min_size=1, max_size=6)


@given(PIECES)
def test_counts_are_exact_while_there_is_room(pieces):
    counts = tally()
    for piece in pieces:
        counts.add(attempts(piece))
    everything = [row for piece in pieces for row in piece]
    clients = defaultdict(set)
    for port, client, _ in everything:
        clients[port].add(client)
    ports = counts.rows["server_port"].tolist() if len(counts.rows) else []
    assert dict(zip(ports, counts.rows["attempts"].tolist() if ports else [], strict=True)) == Counter(
        port for port, _, _ in everything)
    assert dict(zip(ports, counts.distinct().tolist(), strict=True)) == {port: len(clients[port]) for port in ports}
    for row in counts.rows:
        times = [time for port, _, time in everything if port == row["server_port"]]
        assert (row["start_ns"], row["last_ns"]) == (min(times), max(times))


def test_what_counts_most_is_kept():
    counts = tally(limit=50)
    random = np.random.default_rng(1)
    for _ in range(20):
        noise = [(int(port), 1, 0) for port in random.integers(1000, 65536, 500)]
        counts.add(attempts(noise + [(80, 2, 0)] * 3 + [(443, 3, 0)] * 2))
    assert len(counts.rows) == 50
    found = dict(zip(counts.rows["server_port"].tolist(), counts.rows["attempts"].tolist(), strict=True))
    assert (found[80], found[443]) == (60, 40)


@pytest.mark.parametrize("n", [EXACT - 1, EXACT, 5_000, 200_000])
def test_many_different_values_are_estimated(n):
    counts = tally()
    for start in range(0, n, 50_000):
        counts.add(attempts([(80, client, 0) for client in range(start, min(n, start + 50_000))]))
    assert counts.distinct()[0] == pytest.approx(n, rel=0 if n < EXACT else 0.1)


def test_many_values_of_many_keys_are_estimated_in_the_room_of_all():
    counts, clients, random = tally(room=2_000), 500, np.random.default_rng(1)
    for _ in range(4):
        counts.add(attempts([(port, int(client), 0) for port in range(20) for client in random.permutation(clients)]
                            + [(99, client, 0) for client in range(30)]))
    assert len(counts._members) <= 2_000
    assert counts.rows["server_port"].tolist().count(99) == 1
    found = dict(zip(counts.rows["server_port"].tolist(), counts.distinct().tolist(), strict=True))
    assert found.pop(99) == 30
    assert all(number == pytest.approx(clients, rel=0.5) for number in found.values())


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 3_000), st.integers(-1, 2_000)), min_size=1, max_size=60),
       st.integers(1, 60))
def test_half_open_is_what_began_and_has_not_ended(some, size):
    """Whatever the pieces; steps are as short as the span allows."""
    counts = HalfOpen(1 << 18)
    rows = attempts([(port, 1, start * SHORTEST) for port, start, _ in some])
    rows["end_ns"] = [(start + lasts) * SHORTEST if lasts >= 0 and start + lasts else 0 for _, start, lasts in some]
    for at in range(0, len(rows), size):
        counts.add(rows[at:at + size])
    assert np.ptp(counts.rows["step"]) < STEPS
    for row, half_open in zip(counts.rows, counts.totals(), strict=True):
        end = (row["step"] + 1) * counts.width
        mine = rows[rows["server_port"] == row["server_port"]]
        ended = (mine["end_ns"] != 0) & (mine["end_ns"] < end)
        assert half_open == np.count_nonzero(mine["start_ns"] < end) - np.count_nonzero(ended)
