"""Joins two TAP devices by a path in each direction, captures on both sides and keeps the ledger."""
from __future__ import annotations

import fcntl
import heapq
import os
import select
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from ledger import Ledger, Sent
from packet import parse, too_big
from path import Path, PathState

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
SNAP = 114                             # Ethernet, IPv6 and TCP headers at their longest


def open_tap(name: str) -> int:
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


class CaptureFile:
    """Classic pcap, headers only."""

    def __init__(self, path: os.PathLike[str], snap: int = SNAP) -> None:
        self.file = open(path, "wb")           # noqa: SIM115 - closed by close()
        self.snap = snap
        self.file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snap, 1))

    def write(self, now: int, frame: bytes) -> None:
        seconds, rest = divmod(now, 10**9)
        cut = frame[:self.snap]
        self.file.write(struct.pack("<IIII", seconds, rest, len(cut), len(frame)) + cut)

    def close(self) -> None:
        self.file.close()


@dataclass
class Stage:
    """A path, and the capture point behind it: the name of the point at either end of its two directions."""

    forth: Path
    back: Path
    near: str
    far: str


class Relay:
    """Packets from host 0 pass the stages first to last, those from host 1 last to first."""

    def __init__(self, taps: tuple[int, int], stages: list[Stage], seed: str,
                 captures: dict[str, CaptureFile]) -> None:
        self.taps = taps
        self.points = [stages[0].near, *(stage.far for stage in stages)]
        self.states = ([PathState(stage.forth, f"{seed}/{i}/forth") for i, stage in enumerate(stages)],
                       [PathState(stage.back, f"{seed}/{i}/back") for i, stage in enumerate(stages)])
        self.captures = captures
        self.ledger = Ledger()
        self.queue: list[tuple[int, int, int, int, bytes, Sent | None]] = []     # time, tie, host, hops, frame, sent
        self.ties = 0
        self.emptied = [time.monotonic()] * 2  # when a host had nothing more to send

    def run(self, done: Callable[[], bool]) -> None:
        """Until ``done`` and nothing is on its way."""
        poll = select.poll()
        for tap in self.taps:
            poll.register(tap, select.POLLIN)
        while not done() or self.queue:
            wait = (self.queue[0][0] - time.time_ns()) / 1e6 if self.queue else 20.0
            poll.poll(max(0.0, min(wait, 20.0)))
            self._deliver(time.time_ns())
            for host, tap in enumerate(self.taps):
                self._read(host, tap)

    def _read(self, host: int, tap: int) -> None:
        for _ in range(64):
            asked = time.monotonic()
            try:
                frame = os.read(tap, 65536)
            except BlockingIOError:
                self.emptied[host] = asked
                return
            now = time.time_ns()
            sent = self.ledger.send(parse(frame), self.emptied[host], time.monotonic())
            self._capture(host, 0, frame, sent, now)
            self._forward(host, 0, frame, sent, now)

    def _point(self, host: int, hops: int) -> str:
        return self.points[hops if host == 0 else len(self.points) - 1 - hops]

    def _capture(self, host: int, hops: int, frame: bytes, sent: Sent | None, now: int) -> None:
        point = self._point(host, hops)
        self.captures[point].write(now, frame)
        self.ledger.capture(point, sent)

    def _forward(self, host: int, hops: int, frame: bytes, sent: Sent | None, now: int) -> None:
        """Onto the next stage; behind the last one lies the other host."""
        stages = self.states[host]
        state = stages[hops if host == 0 else len(stages) - 1 - hops]
        takes = bool(sent and sent.segment.takes)
        out = list(state.send(now, len(frame), takes, bool(sent and sent.segment.payload)))
        for when in out:
            self.ties += 1
            heapq.heappush(self.queue, (when, self.ties, host, hops + 1, frame, sent))
        if not out and 0 < state.path.mtu < len(frame) - 14:
            self.ties += 1
            answer = too_big(frame, state.path.mtu)
            heapq.heappush(self.queue, (now, self.ties, 1 - host, len(stages) - hops, answer, None))

    def _deliver(self, now: int) -> None:
        while self.queue and self.queue[0][0] <= now:
            _, _, host, hops, frame, sent = heapq.heappop(self.queue)
            self._capture(host, hops, frame, sent, now := time.time_ns())
            if hops == len(self.states[host]):
                if sent is not None:
                    sent.arrived = True
                os.write(self.taps[1 - host], frame)
            else:
                self._forward(host, hops, frame, sent, now)
