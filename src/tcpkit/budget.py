"""One limit for the memory of a pass, divided among all that grows with the capture; what was used, what it cost."""
from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from tcpcore.fragments import Fragments
    from tcpkit.columns import Stage

LIMIT = 4 << 30                  # bytes, unless another limit is given
# The interpreter and libraries, the batches of all threads, fragments, and records on their way out.
FIXED = 112 << 20
LEAST = FIXED + (16 << 20)
MOST = 1 << 62
LONGEST = 1e9                    # seconds of an idle time-out, or that a segment may live
POOLED = 4                       # one part of so many is for pools, the rest for connections
ADDED_UP = 8                     # ... for what a caller adds up of all connections
# Pools by the option that limits them: the stage, and their part of what the stages at work have together.
POOLS: dict[str, tuple[Stage, int]] = {
    "flight_limit": ("analysis", 4), "summary_limit": ("analysis", 2), "beyond_limit": ("lifecycle", 1),
    "history_limit": ("verdicts", 4)}
CONSEQUENCES = {
    "segments in flight": "some acknowledgements, round trips and bytes in flight are not told",
    "findings": "some findings are not counted",
    "round trips": "some medians leave round trips out",
    "ranges behind gaps": "some states after losses are not known",
    "ranges sent": "some segments sent again are taken for new or reordered ones",
    "packets sent again": "some copies made by the path are taken for retransmissions",
    "senders in trouble": "some causes of retransmissions are not found"}
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Worker(Protocol):
    """A stage that keeps something of each connection."""

    @property
    def slot_bytes(self) -> int: ...

    @property
    def pools(self) -> Mapping[str, tuple[int, int, int]]: ...


class Budget(NamedTuple):
    """What a pass might use, what it did use at most by stages (bytes), and what the limit cost."""

    limit: int
    used: dict[str, int]
    evicted_idle: int            # connections given up that were over, or silent for longer than the idle time-out
    evicted_pressure: int        # connections given up that may have gone on
    refused: dict[str, int]      # times that a pool was full, by what it is for

    @property
    def evicted(self) -> int:
        return self.evicted_idle + self.evicted_pressure

    def __repr__(self) -> str:
        used = ", ".join(f"{stage} {size_text(size)}" for stage, size in self.used.items())
        refused = "".join(f", {name} refused {count:,} times" for name, count in self.refused.items() if count)
        return (f"Budget({size_text(self.limit)}; used: {used or 'nothing'}; evicted: {self.evicted_idle:,} idle, "
                f"{self.evicted_pressure:,} by pressure{refused})")

    def costs(self) -> Iterator[str]:
        """What the limit has done to the results, in words."""
        if self.evicted_pressure:
            yield (f"the memory limit of {size_text(self.limit)} ended {self.evicted_pressure:,} connections early: "
                   "what they sent after that counts as other connections")
        for name, count in self.refused.items():
            if count:
                yield f"memory for {name} ran out {count:,} times: {CONSEQUENCES[name]}"


def fragment_costs(fragments: Fragments) -> Iterator[str]:
    """What the limits of IP fragments, which have memory of their own, have done to the results."""
    if fragments.evicted:
        yield (f"memory for IP fragments ran out: {fragments.evicted:,} datagrams were given up before they were "
               "complete")
    if fragments.refused:
        yield f"{fragments.refused:,} IP fragments were left out: their datagrams had too many"


def checked(limit: float) -> int:
    """ValueError for a limit too small to work with, TypeError for what is no number of bytes."""
    if not isinstance(limit, Real) or limit != limit // 1:
        raise TypeError(f"a memory limit is a whole number of bytes, not {limit!r}")
    if limit < LEAST:
        raise ValueError(f"a memory limit of {size_text(int(limit))} is too small: {size_text(LEAST)} is the least")
    return min(int(limit), MOST)


def checked_timeout(seconds: float) -> float:
    """ValueError or TypeError for what is no idle time-out."""
    return checked_seconds(seconds, "idle time-out: 0 (never)")


def checked_msl(seconds: float) -> float:
    """ValueError or TypeError for what is no time that a segment may live."""
    return checked_seconds(seconds, "maximum segment lifetime: 0")


def checked_seconds(seconds: float, what: str) -> float:
    """ValueError for a time that is none, or beyond what nanoseconds can hold, TypeError for what is no number."""
    if not isinstance(seconds, Real):
        raise TypeError(f"{seconds!r} is no {what} to {LONGEST:g} seconds")
    if not 0 <= seconds <= LONGEST:
        raise ValueError(f"{seconds:g} seconds are no {what} to {LONGEST:g}")
    return seconds


def checked_duration(seconds: float) -> float:
    """ValueError or TypeError for what is no time to capture."""
    return checked_seconds(seconds, "duration: 0 (until it is stopped)")


def checked_number(number: int, what: str, least: int, most: int) -> int:
    """ValueError for a number out of its bounds, TypeError for what is no whole number."""
    if not isinstance(number, Integral):
        raise TypeError(f"{what} is a whole number, not {number!r}")
    if not least <= number <= most:
        raise ValueError(f"{what} is {least:,} to {most:,}, not {number:,}")
    return int(number)


def checked_threads(threads: int) -> int:
    """ValueError for fewer than none, TypeError for what is no number."""
    if not isinstance(threads, Integral):
        raise TypeError(f"threads are a whole number, not {threads!r}")
    if threads < 0:
        raise ValueError(f"{threads} threads cannot work: 1 or more, or 0 for as many as help")
    return threads


def added_up(limit: int) -> int:
    """Bytes for what a caller adds up of all connections, beside some of those that are always there."""
    return (limit - FIXED) // ADDED_UP


def pool_limits(limit: int, stages: Collection[Stage]) -> dict[str, int]:
    """The limits of the pools of the stages at work, by option."""
    weights = {option: weight for option, (stage, weight) in POOLS.items() if stage in stages}
    return {option: (limit - FIXED) // POOLED * weight // sum(weights.values()) for option, weight in weights.items()}


def max_flows(limit: int, bytes_each: int) -> int:
    """Connections that may be held at a time."""
    return min((limit - FIXED) * (POOLED - 1) // POOLED // bytes_each, (1 << 32) - 2)


def account(limit: int, workers: Mapping[Stage, Worker], n_slots: int, evicted: tuple[int, int],
            beside: int = 0) -> Budget:
    """What a pass has used by now, which never becomes less; ``beside``: what its caller keeps."""
    used = {stage: worker.slot_bytes * n_slots + sum(held for _, held, _ in worker.pools.values())
            for stage, worker in workers.items()}
    refused = {name: refused for worker in workers.values() for name, (_, _, refused) in worker.pools.items()}
    kept = {"beside": beside} if beside else {}
    return Budget(limit, {**{str(stage): size for stage, size in used.items()}, **kept}, *evicted, refused)


def size_text(size: int) -> str:
    """With a suffix that ``parse_size`` knows."""
    unit = max((unit for unit, worth in UNITS.items() if worth <= max(size, 1)), key=UNITS.__getitem__)
    number = f"{size / UNITS[unit]:.1f}".removesuffix(".0")
    return f"{number} {unit}iB" if unit else f"{size} bytes"


def parse_size(text: str) -> int:
    """Bytes: 123456, 500M, 2G, 1.5 GiB.  ValueError for anything else."""
    short = text.strip().upper().removesuffix("B").removesuffix("I").strip()
    unit = short[-1:] if short[-1:] in UNITS else ""
    try:
        return int(float(short.removesuffix(unit)) * UNITS[unit])
    except (ValueError, OverflowError):
        raise ValueError(f'"{text}" is no size in bytes such as 500M or 2G') from None
