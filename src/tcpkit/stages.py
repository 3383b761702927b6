"""The stages that a pass may go through, and what each builds on."""
from __future__ import annotations

from collections.abc import Iterable

from tcpkit.columns import Stage
from tcpkit.errors import refuse_one

NEEDS: dict[Stage, tuple[Stage, ...]] = {
    "decode": (), "flows": ("decode",), "analysis": ("decode", "flows"), "lifecycle": ("decode", "flows"),
    "verdicts": ("decode", "flows")}
ALL_STAGES: tuple[Stage, ...] = tuple(NEEDS)


def with_needs(stages: Iterable[Stage]) -> frozenset[Stage]:
    """The stages and those they build on; ValueError for one that does not exist, TypeError for what is no list."""
    refuse_one(stages, "stages")
    if not isinstance(stages, Iterable):
        raise TypeError(f"stages are a list of names, not {stages!r}")
    wanted = frozenset(stages)
    for stage in wanted - NEEDS.keys():
        raise ValueError(f'there is no stage "{stage}"; there are {", ".join(NEEDS)}')
    return wanted.union(*(NEEDS[stage] for stage in wanted))
