"""Why the kernel sent a segment again, from its own trace points; empty answers where there are none.

``tcp_retransmit_skb`` says that a segment was sent again, ``tcp_cong_state_set`` in which state of
congestion control its connection is: recovery (fast), loss (timeout) or neither (tail loss probe).
"""
from __future__ import annotations

import os
import re
import struct
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path

INSTANCE = Path("/sys/kernel/tracing/instances/tcpkit-truth")
EVENTS = ("tcp_retransmit_skb", "tcp_cong_state_set", "tcp_retransmit_synack")
LINE = re.compile(r"([0-9.]+): (tcp_\w+):.*sport=(\d+) dport=(\d+)")
OPEN, DISORDER, CWR, RECOVERY, LOSS = range(5)


class KernelTrace:
    """A context: the kernel traces inside it; ``causes`` afterwards."""

    def __init__(self) -> None:
        self.available = INSTANCE.parent.is_dir() and os.access(INSTANCE.parent, os.W_OK)

    def __enter__(self) -> KernelTrace:
        if self.available:
            INSTANCE.mkdir(exist_ok=True)
            (INSTANCE / "trace_clock").write_text("mono")
            (INSTANCE / "buffer_size_kb").write_text("16384")
            for event in EVENTS:
                (INSTANCE / "events" / "tcp" / event / "enable").write_text("1")
        return self

    def __exit__(self, *_: object) -> None:
        if self.available:
            for event in EVENTS:
                (INSTANCE / "events" / "tcp" / event / "enable").write_text("0")
            INSTANCE.rmdir()

    def causes(self) -> dict[tuple[int, int], tuple[list[float], list[str]]]:
        """By source and destination port: when segments were sent again (seconds, monotonic clock), and why."""
        states: dict[tuple[int, int], int] = {}
        found: dict[tuple[int, int], tuple[list[float], list[str]]] = defaultdict(lambda: ([], []))
        text = (INSTANCE / "trace").read_text() if self.available else ""
        for line in text.splitlines():
            if match := LINE.search(line):
                when, event, ports = float(match[1]), match[2], (int(match[3]), int(match[4]))
                if event == "tcp_cong_state_set":
                    states[ports] = int(line.rsplit("cong_state=", 1)[1])
                else:
                    found[ports][0].append(when)
                    found[ports][1].append(self._cause(line, event, states.get(ports, OPEN)))
        return found

    @staticmethod
    def _cause(line: str, event: str, state: int) -> str:
        if event == "tcp_retransmit_synack" or "TCP_SYN" in line:
            return "syn"
        return {RECOVERY: "fast", LOSS: "timeout"}.get(state, "tail_loss_probe")


def cause_at(causes: dict[tuple[int, int], tuple[list[float], list[str]]], ends: tuple[bytes, bytes],
             since: float, when: float) -> str:
    """The cause of what was sent again between the two times, or last before them; empty if there were several."""
    ports = tuple(struct.unpack(">H", end[-2:])[0] for end in ends)
    times, names = causes.get(ports, ([], []))          # type: ignore[call-overload]
    end = bisect_right(times, when)
    found = set(names[bisect_right(times, since):end] or names[max(end - 1, 0):end])
    return found.pop() if len(found) == 1 else ""
