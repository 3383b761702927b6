"""Two simulated endpoints, the path between them, and an observer somewhere on it.

What the observer captures is compared with what the endpoints went through: ``Conversation.cut``
says how far each endpoint had come when it had sent and received all that was captured so far.
"""
from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random

from reference.endpoint import Endpoint, Facts, Segment

MS = 1_000_000
MSL = 30_000 * MS
RTO = 400 * MS                    # more than any round trip here: nothing is repeated needlessly


@dataclass(eq=False)
class Frame:
    """One segment on the path; times in ns, positions count the events of an endpoint's log."""

    seg: Segment
    sender: int
    sent_at: int
    time: int = 0                  # when it passed the observer
    captured: bool = False
    arrived_at: int | None = None  # None: lost on the way


@dataclass
class Impairment:
    lost_before: float = 0.0       # between the sender and the observer
    missed: float = 0.0            # by the observer alone
    lost_after: float = 0.0        # between the observer and the receiver
    reordered: float = 0.0


@dataclass
class Conversation:
    """``run`` plays the script; then ``frames`` is what the observer captured, in its order."""

    ends: tuple[Endpoint, Endpoint]
    random: Random
    impairment: Impairment = field(default_factory=Impairment)
    observer: float = 0.5          # where on the path: 0 at end 0, 1 at end 1
    delay: int = 20 * MS
    sent: list[Frame] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = self._count = 0
        self._agenda: list = []
        self._last = [[0, 0], [0, 0]]
        self._timer = [0, 0]
        self.given_up = False

    def at(self, time: int, end: int, action: str, *args) -> None:
        heapq.heappush(self._agenda, (time, self._count, end, action, args))
        self._count += 1

    def run(self, until: int = 400_000 * MS) -> None:
        while self._agenda and self._agenda[0][0] <= until and not self.given_up:
            self.now, _, end, action, args = heapq.heappop(self._agenda)
            self._event(end, action, args)
        self.frames = sorted((frame for frame in self.sent if frame.captured), key=lambda frame: frame.time)

    def _event(self, end: int, action: str, args: tuple) -> None:
        endpoint = self.ends[end]
        waits = endpoint.waits
        if action == "arrive":
            args[0].arrived_at = len(endpoint.log)
            endpoint.receive(args[0].seg)
        elif action == "timer":
            if args[0] != self._timer[end] or not endpoint.unacked:
                return
            self._backoff[end] += 1
            self.given_up = self._backoff[end] > 12
            endpoint.retransmit(self.random.random() < 0.3)
        elif action == "time_wait_over":
            if args[0] == endpoint.waits:
                endpoint.time_wait_over()
        else:
            getattr(endpoint, action)(*args)
        endpoint.done()
        if endpoint.waits != waits:
            self.at(self.now + 2 * MSL, end, "time_wait_over", endpoint.waits)
        if endpoint.ack_due:
            self.at(self.now + 5 * MS, end, "acknowledge_late")
        self._send(end)

    _backoff = property(lambda self: self.__dict__.setdefault("_tries", [0, 0]))

    def _send(self, end: int) -> None:
        endpoint = self.ends[end]
        for seg in endpoint.out:
            self._carry(Frame(seg, end, len(endpoint.log) - 1))
        endpoint.out.clear()
        if endpoint.unacked:
            self._timer[end] += 1
            self.at(self.now + RTO, end, "timer", self._timer[end])
        else:
            self._backoff[end] = 0

    def _carry(self, frame: Frame) -> None:
        chance, dice = self.impairment, self.random.random
        near = self.observer if frame.sender == 0 else 1 - self.observer
        self.sent.append(frame)
        if dice() < chance.lost_before:
            return
        frame.time = self._pass(frame, 0, self.now + int(self.delay * near))
        frame.captured = dice() >= chance.missed
        if dice() >= chance.lost_after:
            arrival = self._pass(frame, 1, frame.time + int(self.delay * (1 - near)))
            self.at(arrival, 1 - frame.sender, "arrive", frame)

    def _pass(self, frame: Frame, leg: int, time: int) -> int:
        """Segments of one direction keep their order on each leg, unless they are reordered before the observer."""
        if leg == 0 and self.random.random() < self.impairment.reordered:
            return time + self.random.randrange(1, 30) * MS
        time += self.random.randrange(0, MS)
        self._last[leg][frame.sender] = time = max(time, self._last[leg][frame.sender] + 1)
        return time

    # The truth

    def cut(self, seen: list[Frame], end: int) -> Facts:
        """The facts of an endpoint once it had sent and received the frames ``seen``."""
        log = self.ends[end].log
        last = 0
        for frame in seen:
            at = frame.sent_at if frame.sender == end else frame.arrived_at
            if at is not None:
                last = max(last, at)
        return log[last]


def conversation(random: Random, impairment: Impairment | None = None, **options) -> Conversation:
    """A random legal conversation: how it opens, what is sent, how it ends."""
    opening = random.choices(["normal", "simultaneous", "refused", "fast"], [12, 2, 1, 2])[0]
    fast = opening == "fast"
    near_wrap = random.random() < 0.2
    isn = [(1 << 32) - random.randrange(1, 2000) if near_wrap else random.randrange(1 << 31) for _ in range(2)]
    ends = (Endpoint(isn[0], fast_open=fast, closes_on_fin=random.random() < 0.3),
            Endpoint(isn[1], listens=opening in ("normal", "fast"), fast_open=fast and random.random() < 0.7,
                     closes_on_fin=random.random() < 0.3))
    talk = Conversation(ends, random, impairment or Impairment(), random.choice([0.0, 0.1, 0.5, 0.9, 1.0]), **options)
    if fast:
        talk.at(0, 0, "write", random.randrange(1, 300))
    talk.at(1 * MS, 0, "connect")
    if opening == "simultaneous":
        talk.at(random.randrange(0, 25) * MS, 1, "connect")
    for end in (0, 1):
        time = random.choice([1, 40, 100]) * MS
        for _ in range(random.randrange(0, 6)):
            time += random.choice([0, 0, 3, 30, 200]) * MS
            talk.at(time, end, "write", random.randrange(1, 400))
        ending = random.choices(["close", "abort", "stay"], [8, 2, 2])[0]
        if ending != "stay":
            talk.at(random.choice([time + random.randrange(0, 300) * MS, 300 * MS]), end, ending)
    return talk
