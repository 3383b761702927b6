"""The truth about each packet at each capture point, from what the relay did."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from packet import SYN, Segment

KINDS = ("new", "reordered", "retransmission", "network_duplicate", "probe")
COLUMNS = ("frame", "kind", "needless", "lost", "scored", "cause")


@dataclass
class Sent:
    """One packet as its sender sent it, once."""

    index: int                                 # in the order of sending, per direction of a connection
    segment: Segment
    start: int                                 # in the unwrapped sequence space
    kind: str                                  # new, retransmission, probe; empty: takes no space
    since: float                               # sent between these, seconds on the monotonic clock
    when: float
    arrived: bool = False
    needless: bool = False                     # all of it had got through before
    captured_at: set[str] = field(default_factory=set)

    @property
    def end(self) -> int:
        return self.start + self.segment.takes


@dataclass
class Row:
    """One captured frame."""

    sent: Sent
    kind: str
    scored: bool


class Direction:
    """One direction of a connection: what was sent, and what passed each capture point."""

    def __init__(self, isn: int) -> None:
        self.isn = isn
        self.highest = isn                     # sent
        self.sent: list[Sent] = []
        self.ranges: list[tuple[int, int]] = []
        self.latest: dict[str, int] = defaultdict(lambda: -1)     # index of the latest sent that passed the point
        self.seen: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def unwrap(self, seq: int) -> int:
        return self.highest + ((seq - self.highest + 2**31) % 2**32 - 2**31)

    def find_needless(self) -> None:
        arrived: list[tuple[int, int]] = []
        for sent in self.sent:
            sent.needless = sent.kind == "retransmission" and covers(arrived, sent.start, sent.end)
            if sent.arrived and sent.end > sent.start:
                add(arrived, sent.start, sent.end)


def covers(ranges: list[tuple[int, int]], start: int, end: int) -> bool:
    for low, high in sorted(ranges):
        if low <= start < high:
            start = high
    return start >= end


def overlaps(ranges: list[tuple[int, int]], start: int, end: int) -> bool:
    return any(low < end and start < high for low, high in ranges)


def add(ranges: list[tuple[int, int]], start: int, end: int) -> None:
    """Join with the last range where they touch, which keeps the list short."""
    if ranges and ranges[-1][0] <= start <= ranges[-1][1]:
        ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
    else:
        ranges.append((start, end))


class Ledger:
    """Follows all connections on their way through the relay."""

    def __init__(self) -> None:
        self.directions: dict[tuple[bytes, bytes], Direction] = {}
        self.finished: list[Direction] = []    # connections whose ports were used again
        self.rows: dict[str, list[Row | None]] = defaultdict(list)     # by capture point, one a frame

    def send(self, segment: Segment | None, since: float, when: float) -> Sent | None:
        """The sender puts a packet on the path."""
        if segment is None:
            return None
        flow = self.directions.get(segment.ends)
        if flow is None or (segment.flags & SYN and segment.seq % 2**32 != flow.isn % 2**32):
            if flow is not None:
                self.finished.append(flow)
            flow = self.directions[segment.ends] = Direction(segment.seq)
        start = flow.unwrap(segment.seq)
        kind = self._kind(flow, segment, start)
        sent = Sent(len(flow.sent), segment, start, kind, since, when)
        flow.sent.append(sent)
        flow.highest = max(flow.highest, sent.end)
        if sent.end > start:
            add(flow.ranges, start, sent.end)
        return sent

    @staticmethod
    def _kind(flow: Direction, segment: Segment, start: int) -> str:
        if segment.takes:
            return "retransmission" if overlaps(flow.ranges, start, start + segment.takes) else "new"
        return "probe" if start < flow.highest and not segment.flags & 4 else ""

    def capture(self, point: str, sent: Sent | None) -> None:
        """The packet passes a capture point and becomes its next frame."""
        if sent is None:
            self.rows[point].append(None)
            return
        flow = self.directions[sent.segment.ends]
        kind, scored = sent.kind, True
        if kind and point in sent.captured_at:
            kind = "network_duplicate"
        elif kind == "retransmission":
            ahead = max((high for _, high in flow.seen[point]), default=sent.start)
            scored = overlaps(flow.seen[point], sent.start, sent.end) or sent.start < ahead
        elif kind == "new" and sent.index < flow.latest[point]:
            kind = "reordered"
        if sent.end > sent.start:
            add(flow.seen[point], sent.start, sent.end)
        sent.captured_at.add(point)
        flow.latest[point] = max(flow.latest[point], sent.index)
        self.rows[point].append(Row(sent, kind, scored))

    def table(self, point: str, cause: Callable[[Sent], str]) -> list[tuple[object, ...]]:
        """Rows of the truth file: segments that take sequence space, and probes."""
        for flow in [*self.finished, *self.directions.values()]:
            flow.find_needless()
        return [(frame, row.kind, int(row.sent.needless), int(not row.sent.arrived), int(row.scored),
                 cause(row.sent) if row.kind == "retransmission" else "")
                for frame, row in enumerate(self.rows[point], 1) if row is not None and row.kind]
