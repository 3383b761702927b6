"""Reorder density as RFC 5236 defines it, computed from all arrivals at once."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

THRESHOLD = 64
STEPS = (0, 1, 2, 3, 4, 8, 16, 32, 64)


def displacements(numbers: Iterable[int]) -> tuple[Counter[int], int]:
    """How many segments came at most so many places behind their own (negative: before it), and how many too late.

    ``numbers``: in the order of arrival, those of the first transmissions.  One that more than THRESHOLD others have
    overtaken counts as lost.  Places are those among the segments that are left: lost ones have none.
    """
    arrived: list[int] = []
    too_late = 0
    for number in numbers:
        if sum(other > number for other in arrived) > THRESHOLD:
            too_late += 1
        else:
            arrived.append(number)
    ordered = sorted(arrived)
    places = (at - ordered.index(number) for at, number in enumerate(arrived))
    return Counter(step(max(place, -THRESHOLD)) for place in places), too_late


def step(place: int) -> int:
    most = next(most for most in STEPS if abs(place) <= most)
    return -most if place < 0 else most
