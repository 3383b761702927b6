"""Counts by key over any number of rows in bounded memory: what has the least is dropped when keys are too many.

Rows come in pieces, in any order.  How many different values a key goes with is exact up to EXACT; beyond, it is
estimated from the least of their hashes (standard error 3 %).  Where that takes too much memory of all keys together,
it is exact up to half as many, and so on.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tcpkit.values import Array

EXACT = 1024
ODD = np.uint64(0x9E3779B97F4A7C15)
MIXERS = ((30, np.uint64(0xBF58476D1CE4E5B9)), (27, np.uint64(0x94D049BB133111EB)), (31, np.uint64(1)))


def mixed(rows: Array, names: Sequence[str]) -> Array:
    """A 64-bit number for each row that is practically another for other values of these fields."""
    number = np.zeros(len(rows), np.uint64)
    for name in names:
        number = (number ^ rows[name].astype(np.uint64)) + ODD
        for shift, factor in MIXERS:
            number = (number ^ (number >> np.uint64(shift))) * factor
    return number


def first_of_runs(*columns: Array) -> Array:
    """Where in sorted columns a new value, or pair of values, begins."""
    new = np.ones(len(columns[0]), bool)
    new[1:] = False
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new)


class Tally:
    """``rows``: one for each key, with its fields, sums, earliest and latest time.

    ``keys`` are the fields that make the key, ``sums`` are added up, ``others`` are the fields whose different values
    are counted; at most ``limit`` keys are kept, those with the highest first sum, and ``room`` values of all of them.
    """

    def __init__(self, keys: Sequence[str], sums: Sequence[str], others: Sequence[str], limit: int, room: int) -> None:
        self._keys, self._sums, self._others = keys, tuple(sums), others
        self._limit, self._room = limit, room
        self._exact = EXACT
        self.rows: Array = np.empty(0, [("key", np.uint64)])
        self._members = np.empty(0, [("key", np.uint64), ("value", np.uint64)])

    def add(self, attempts: Array) -> None:
        """Rows with fields ``start_ns``, ``last_ns`` and ``key`` beside those named; ``key`` is written to."""
        attempts["key"] = mixed(attempts, self._keys)
        likely = self._likely(attempts["key"])
        attempts = attempts if likely.all() else attempts[likely]
        members = np.empty(len(attempts), self._members.dtype)
        members["key"], members["value"] = attempts["key"], mixed(attempts, self._others)
        rows = np.concatenate([self.rows, attempts]) if len(self.rows) else attempts
        self.rows = self._most(self._reduced(rows[np.argsort(rows["key"], kind="stable")]))
        self._members = self._least(np.concatenate([self._members, members]))

    def distinct(self) -> Array:
        """How many different values of ``others`` each key has."""
        starts = np.searchsorted(self._members["key"], self.rows["key"])
        counts = np.searchsorted(self._members["key"], self.rows["key"], "right") - starts
        full, last = counts == self._exact, self._exact - 1
        counts[full] = np.rint(last / (self._members["value"][starts[full] + last] / 2.0**64))
        return counts

    def _likely(self, keys: Array) -> Array:
        """All but those that come once and would be dropped at once."""
        known = self.rows["key"]
        unique, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
        if len(unique) + len(known) <= self._limit:
            return np.ones(len(keys), bool)
        keep = (counts > 1) | np.isin(unique, known)
        keep[np.flatnonzero(~keep)[:max(self._limit - len(known), 0)]] = True
        return keep[which]

    def _reduced(self, rows: Array) -> Array:
        """One row for each key; ``rows`` are sorted by key."""
        starts = first_of_runs(rows["key"])
        out = rows[starts]
        if len(starts):
            for name in self._sums:
                out[name] = np.add.reduceat(rows[name], starts)
            out["start_ns"] = np.minimum.reduceat(rows["start_ns"], starts)
            out["last_ns"] = np.maximum.reduceat(rows["last_ns"], starts)
        return out

    def _most(self, rows: Array) -> Array:
        """As many as may be kept, sorted by key."""
        if len(rows) <= self._limit:
            return rows
        return rows[np.sort(np.argsort(rows[self._sums[0]], kind="stable")[-self._limit:])]

    def _least(self, members: Array) -> Array:
        """Of the keys that are left, each value once, and no more of each, the least, than there is room for."""
        members = members[np.isin(members["key"], self.rows["key"])]
        members = members[np.lexsort((members["value"], members["key"]))]
        members = members[first_of_runs(members["key"], members["value"])]
        starts = first_of_runs(members["key"])
        rank = np.arange(len(members)) - np.repeat(starts, np.diff(starts, append=len(members)))
        while np.count_nonzero(rank < self._exact) > self._room:
            self._exact //= 2
        least: Array = members[rank < self._exact]
        return least
