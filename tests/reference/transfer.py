"""One sender, one receiver, a path that loses, delays and copies, and a capture point on it: what really happened.

The sender repeats by timeout and after three duplicate ACKs; ``Transfer.captured`` is what the capture point saw, each
packet with its truth.
"""
from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random

MS = 1_000_000


@dataclass(eq=False)
class Packet:
    """Times in ns; ``repeats``: its sender had sent these bytes before."""

    from_client: bool
    flags: str
    seq: int                       # from the first byte after the SYN, which is 1
    ack: int
    length: int
    sent: int
    ident: int
    stamp: int
    echo: int
    repeats: bool = False
    blocks: tuple[tuple[int, int], ...] = ()


@dataclass
class Path:
    """Chances for each packet with data, and the delays to the capture point and from there to the receiver.

    What goes wrong before the capture point takes as long as the way there, more or less.
    """

    lost_before: float = 0.0
    lost_after: float = 0.0
    late: float = 0.0              # before the capture point: up to twice the delay to there, or a third of the trip
    copied: float = 0.0            # likewise, the copy up to half that delay later, or a tenth of the trip
    before: int = 10 * MS
    after: int = 10 * MS


@dataclass
class Transfer:
    """The client sends segments of the lengths ``sizes``, at most ``window`` of them unacknowledged."""

    random: Random
    path: Path
    sizes: list[int]
    window: int = 8
    sacks: bool = True
    captured: list[tuple[int, Packet]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trip = 2 * (self.path.before + self.path.after)
        self.starts = [1]
        for size in self.sizes:
            self.starts.append(self.starts[-1] + size)
        self._agenda: list = []
        self._count = self._sent = self._acked = self._timer = self._tries = self._dup_acks = 0
        self._idents, self._echo = [100, 7000], [1, 1]
        self._next, self._held, self._last = 1, [], [[0, 0], [0, 0]]

    def run(self) -> list[tuple[int, Packet]]:
        """Everything captured, in order of time."""
        self._carry(0, Packet(True, "S", 0, 0, 0, 0, *self._marks(0, 0)))
        self._carry(self.trip // 2, Packet(False, "SA", 0, 1, 0, self.trip // 2, *self._marks(1, self.trip // 2)))
        self._at(self.trip, self._send_more, self.trip)
        while self._agenda:
            time, _, action, args = heapq.heappop(self._agenda)
            action(time, *args[1:])
        self.captured.sort(key=lambda seen: seen[0])
        return self.captured

    def _at(self, time: int, action, *args) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (time, self._count, action, args))

    def _marks(self, end: int, time: int) -> tuple[int, int, int]:
        self._idents[end] += 1
        return self._idents[end], 1000 + time // MS, self._echo[end]

    # The sender

    def _send_more(self, time: int) -> None:
        while self._sent < len(self.sizes) and self._sent < self._acked + self.window:
            self._transmit(time, self._sent, repeats=False)
            self._sent += 1
            time += self.random.randrange(20_000, 400_000)

    def _transmit(self, time: int, index: int, *, repeats: bool) -> None:
        self._carry(time, Packet(True, "A", self.starts[index], 1, self.sizes[index], time, *self._marks(0, time),
                                 repeats))
        self._timer += 1
        self._at(time + (self.trip * 2 + 200 * MS) * 2 ** min(self._tries, 6), self._timeout, time, self._timer)

    def _timeout(self, time: int, timer: int) -> None:
        if timer == self._timer and self._acked < self._sent:
            self._tries += 1
            self._transmit(time, self._acked, repeats=True)

    def _answered(self, time: int, packet: Packet) -> None:
        self._echo[0] = packet.stamp
        index = self.starts.index(packet.ack)
        if index > self._acked:
            self._acked, self._dup_acks, self._tries = index, 0, 0
            self._timer += 1
            if index < self._sent:
                self._at(time + self.trip * 2 + 200 * MS, self._timeout, time, self._timer)
            self._send_more(time)
        elif self._acked < self._sent:
            self._dup_acks += 1
            if self._dup_acks == 3:
                self._transmit(time, self._acked, repeats=True)

    # The receiver

    def _arrive(self, time: int, packet: Packet) -> None:
        if packet.seq <= self._next:
            self._echo[1] = max(self._echo[1], packet.stamp)
        self._held.append((packet.seq, packet.seq + packet.length))
        for start, end in sorted(self._held):
            if start <= self._next:
                self._next = max(self._next, end)
        self._held = [piece for piece in self._held if piece[1] > self._next]
        blocks = tuple(dict.fromkeys(reversed(self._held)))[:3] if self.sacks else ()
        self._carry(time, Packet(False, "A", 1, self._next, 0, time, *self._marks(1, time), False, blocks))

    # The path

    def _carry(self, time: int, packet: Packet) -> None:
        path, dice = self.path, self.random.random
        harmed = packet.length > 0
        seen = time + (path.before if packet.from_client else path.after)
        if harmed and dice() < path.lost_before:
            return
        if harmed and dice() < path.late:
            seen += self.random.randrange(1_000, min(2 * path.before, self.trip // 3))
        else:
            seen = self._in_turn(packet, 0, seen)
        self._pass(packet, seen)
        if harmed and dice() < path.copied:
            self._pass(packet, seen + self.random.randrange(1_000, min(path.before // 2, self.trip // 10)))

    def _in_turn(self, packet: Packet, leg: int, time: int) -> int:
        last = self._last[leg]
        last[packet.from_client] = time = max(time + self.random.randrange(0, 50_000), last[packet.from_client] + 1_000)
        return time

    def _pass(self, packet: Packet, seen: int) -> None:
        self.captured.append((seen, packet))
        if packet.flags != "A" or (packet.length and self.random.random() < self.path.lost_after):
            return
        arrival = self._in_turn(packet, 1, seen + (self.path.after if packet.from_client else self.path.before))
        self._at(arrival, self._arrive if packet.from_client else self._answered, arrival, packet)


def truth(captured: list[tuple[int, Packet]]) -> list[str]:
    """What each packet was; empty for one without data."""
    kinds, seen, latest = [], set(), 0
    for _, packet in captured:
        if not packet.length:
            kinds.append("")
        elif packet in seen:
            kinds.append("network_duplicate")
        elif packet.repeats:
            kinds.append("retransmission")
        else:
            kinds.append("reordered" if packet.sent < latest else "new")
        if packet.length:
            latest = max(latest, packet.sent)
            seen.add(packet)
    return kinds
