"""The terminal's picture of a live capture: totals, rates, and the connections that moved last."""
from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from tcpkit.live import LiveCapture

EVERY = 0.5                    # seconds from picture to picture
HEADINGS = ("Client", "Server", "State", "Handshake", "Packets", "Bytes", "Rate", "Retrans.", "Idle")
LEFT = 3                       # so many of them to the left


class LiveView:
    """Redraws on a terminal while the capture runs; the last picture stays when it ends."""

    def __init__(self, capture: LiveCapture, interface: str, console: Console | None = None) -> None:
        self._capture = capture
        self._interface = interface
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._started = self._drawn = monotonic()
        self._bytes = np.zeros(0, np.int64)    # of each connection, at the last picture
        self._frames = 0

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._draw(monotonic() - self._drawn)
        self._live.stop()

    def update(self) -> None:
        """Draw again if it is time."""
        now = monotonic()
        if now - self._drawn >= EVERY:
            self._draw(now - self._drawn)
            self._drawn = now

    def _draw(self, passed: float) -> None:
        flows = self._capture.flows
        columns = {name: flows[name] for name in flows.columns}
        picture = Group(self._totals(len(flows), passed), Text(), self._connections(columns, passed))
        self._live.update(picture, refresh=True)

    def _totals(self, connections: int, passed: float) -> Text:
        frames, dropped = self._capture.n_frames, self._capture.statistics.dropped
        rate, self._frames = (frames - self._frames) / max(passed, 1e-3), frames
        text = Text.assemble((f" {self._interface} ", "bold reverse"), f"  {monotonic() - self._started:,.0f} s    ",
                             (f"{connections:,}", "bold"), " connections    ", (f"{frames:,}", "bold"),
                             f" frames    {rate:,.0f}/s    ")
        return text.append(f"{dropped:,} dropped", "bold red" if dropped else "dim")

    def _connections(self, columns: Mapping[str, Any], passed: float) -> Table:
        """As many as the screen has lines for, those that moved last first."""
        table = Table(box=None, header_style="bold", expand=True, padding=(0, 1))
        for place, heading in enumerate(HEADINGS):
            table.add_column(heading, justify="left" if place < LEFT else "right", no_wrap=True)
        now = total(columns, "payload_bytes")
        rates = now.copy()
        rates[:len(self._bytes)] -= self._bytes
        self._bytes = now
        last = columns["start"] + np.ma.filled(columns["duration"], 0)
        for flow in np.argsort(-last, kind="stable")[:max(1, self._console.height - 5)]:
            table.add_row(*self._cells(columns, flow, rates[flow] / max(passed, 1e-3), last.max() - last[flow]))
        return table

    def _cells(self, columns: Mapping[str, Any], flow: int, rate: float, idle: float) -> list[str]:
        sent_again = total(columns, "retransmissions")[flow]
        return [end(columns, "client", flow), end(columns, "server", flow), state(columns, flow),
                duration(columns["initial_rtt"][flow]), f"{total(columns, 'packets')[flow]:,}",
                amount(self._bytes[flow]), f"{amount(rate)}/s" if rate else "",
                f"{sent_again:,}" if sent_again else "", f"{idle:,.0f} s" if idle >= 1 else ""]


def total(columns: Mapping[str, Any], figure: str) -> Any:
    """Both directions together."""
    return sum(np.ma.filled(columns[f"{figure}_{side}"], 0).astype(np.int64) for side in ("client", "server"))


def end(columns: Mapping[str, Any], side: str, flow: int) -> str:
    address = str(columns[side][flow])
    return f"[{address}]:{columns[f'{side}_port'][flow]}" if ":" in address else \
        f"{address}:{columns[f'{side}_port'][flow]}"


def state(columns: Mapping[str, Any], flow: int) -> str:
    """The states of both ends, once if they are the same."""
    both = [str(columns[f"{side}_state"][flow]) for side in ("client", "server")]
    return both[0] if both[0] == both[1] else " / ".join(both)


def duration(seconds: Any) -> str:
    """Three digits and a unit; nothing if not known."""
    if seconds is np.ma.masked:
        return ""
    scale, unit = next(step for step in ((1e6, "µs"), (1e3, "ms"), (1, "s")) if seconds * step[0] < 1000 or
                       step[1] == "s")
    return f"{seconds * scale:.3g} {unit}"


def amount(size: float) -> str:
    """Bytes with three digits and a decimal unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            break
        size /= 1000
    return f"{size:.3g} {unit}"
