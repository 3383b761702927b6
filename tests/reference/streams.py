"""A slow, obvious model of stream reassembly: a dict of bytes, one byte at a time."""
from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sent:
    """A segment as it was sent: [start, end), and when it arrived."""

    start: int
    end: int
    order: int


def favours_new(policy: str, old: Sent, new: Sent) -> bool:
    """Whether a byte that both segments carry is taken from the later arrival, in the words of the papers."""
    before = new.start < old.start
    same_start = new.start == old.start
    match policy:
        case "first" | "vista":
            return False
        case "last":
            return True
        case "bsd" | "macos" | "windows" | "windows2003" | "irix" | "hpux10":
            return before
        case "bsd-right":
            return not before
        case "linux":
            return before or (same_start and new.end > old.end)
        case "old-linux":
            return before or (same_start and new.end >= old.end)
        case "solaris" | "hpux11":
            return not (old.end > new.end or (old.start < new.start and old.end >= new.end))
    raise ValueError(policy)


@dataclass
class Receiver:
    """One direction of a stream as its receiver sees it.

    ``captured`` bytes of a segment are known, the rest was cut off by the snap length: ``None``.
    Bytes that are in order are the application's at once; later copies of them come too late.
    """

    policy: str
    front: int = 0
    waiting: dict[int, tuple[Sent, int | None]] = field(default_factory=dict)
    delivered: list[int | None] = field(default_factory=list)
    order: int = 0

    def arrive(self, start: int, data: bytes, length: int | None = None) -> None:
        sent = Sent(start, start + (len(data) if length is None else length), self.order)
        self.order += 1
        for offset in range(max(sent.start, self.front), sent.end):
            value = data[offset - start] if offset - start < len(data) else None
            self._offer(offset, sent, value)
        self._deliver()

    def _offer(self, offset: int, sent: Sent, value: int | None) -> None:
        if offset not in self.waiting:
            self.waiting[offset] = sent, value
            return
        old, old_value = self.waiting[offset]
        takes = favours_new(self.policy, old, sent) if (old_value is None) == (value is None) else old_value is None
        if takes:
            self.waiting[offset] = sent, value

    def _deliver(self) -> None:
        while self.front in self.waiting:
            self.delivered.append(self.waiting.pop(self.front)[1])
            self.front += 1

    def finish(self) -> dict[int, tuple[Sent, int | None]]:
        """What still waits behind holes."""
        return self.waiting
