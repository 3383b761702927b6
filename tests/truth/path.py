"""A path between two hosts that loses, delays, reorders and duplicates packets, decided by a seed."""
from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

MS = 1_000_000


@dataclass(frozen=True)
class Path:
    """One direction.  Times in milliseconds, probabilities from 0 to 1, numbers count data segments from 1."""

    delay: float = 0.0
    jitter: float = 0.0                        # uniform, keeps the order
    rate: float = 0.0                          # Mbit/s; 0: unlimited
    limit: int = 1 << 30                       # bytes queued in front of the rate, the rest is dropped
    loss: float = 0.0                          # of segments that take sequence space
    ack_loss: float = 0.0                      # of pure ACKs
    burst: tuple[float, float] = (0.0, 1.0)    # into and out of a state in which all is lost
    reorder: float = 0.0
    reorder_delay: float = 0.0
    duplicate: float = 0.0
    duplicate_delay: float = 0.0
    outages: tuple[tuple[float, float], ...] = ()    # since the first packet
    drop: tuple[int, ...] = ()                 # these data segments
    hold: tuple[tuple[int, float], ...] = ()   # (data segment, extra delay)
    mtu: int = 0                               # larger packets are dropped; 0: none


@dataclass
class PathState:
    """Where packets are dropped and when they come out."""

    path: Path
    seed: str
    start: int | None = None
    n_data: int = 0
    free_at: int = 0                           # when the queue will be empty
    last_out: int = 0
    in_burst: bool = False
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def send(self, now: int, size: int, takes_space: bool, has_data: bool) -> Iterator[int]:
        """The times at which copies of the packet come out: none, one or two."""
        if self.start is None:
            self.start = now
        self.n_data += has_data
        draw = [self.rng.random() for _ in range(6)]     # as many for each packet: a change moves no other packet
        if self._dropped(now, size, takes_space, has_data, draw):
            return
        path = self.path
        if path.rate:
            self.free_at = max(now, self.free_at) + int(size * 8000 / path.rate)
            now = self.free_at
        out = now + int((path.delay + path.jitter * draw[3]) * MS)
        held = dict(path.hold).get(self.n_data, 0.0) if has_data else 0.0
        if draw[4] < path.reorder:
            held += path.reorder_delay
        if held:
            out += int(held * MS)
        else:
            self.last_out = out = max(out, self.last_out + 1)
        yield out
        if draw[5] < path.duplicate:
            yield out + int(path.duplicate_delay * MS)

    def _dropped(self, now: int, size: int, takes_space: bool, has_data: bool, draw: list[float]) -> bool:
        path = self.path
        into, out_of = path.burst
        self.in_burst = draw[0] >= out_of if self.in_burst else draw[0] < into
        elapsed = (now - (self.start or now)) / MS
        queued = max(0, self.free_at - now) * path.rate / 8000
        return ((self.in_burst and takes_space)
                or draw[1] < (path.loss if takes_space else path.ack_loss)
                or any(begin <= elapsed < end for begin, end in path.outages)
                or (has_data and self.n_data in path.drop)
                or (path.rate > 0 and queued + size > path.limit)
                or 0 < path.mtu < size - 14)
