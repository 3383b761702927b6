"""The terminal's picture of a live capture: totals, rates, and the connections that moved last."""
from __future__ import annotations

from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from tcpkit.live_capture import LiveCapture
    from tcpkit.table import Table as Flows

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
        self._moved = np.zeros(0, np.int64)    # payload of each connection, at the last picture
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
        picture = Group(self._totals(len(flows), passed), Text(), self._connections(flows, passed))
        self._live.update(picture, refresh=True)

    def _totals(self, connections: int, passed: float) -> Text:
        frames, dropped = self._capture.n_frames, self._capture.statistics.dropped
        rate, self._frames = (frames - self._frames) / max(passed, 1e-3), frames
        text = Text.assemble((f" {self._interface} ", "bold reverse"), f"  {monotonic() - self._started:,.0f} s    ",
                             (f"{connections:,}", "bold"), " connections    ", (f"{frames:,}", "bold"),
                             f" frames    {rate:,.0f}/s    ")
        return text.append(f"{dropped:,} dropped", "bold red" if dropped else "dim")

    def _connections(self, flows: Flows, passed: float) -> Table:
        """As many as the screen has lines for, those that moved last first."""
        table = Table(box=None, header_style="bold", expand=True, padding=(0, 1))
        for place, heading in enumerate(HEADINGS):
            table.add_column(heading, justify="left" if place < LEFT else "right", no_wrap=True)
        moved = both(flows, "payload_bytes")
        rates = moved.astype(float)
        rates[:len(self._moved)] -= self._moved
        self._moved = moved
        last = flows.array["latest_ns"]
        shown = flows[np.argsort(-last, kind="stable")[:max(1, self._console.height - 5)]]
        now = last.max(initial=0)
        for row, rate in enumerate(rates[shown["stream"]] / max(passed, 1e-3)):
            table.add_row(*cells(shown[row:row + 1], rate, now))
        return table


def cells(flow: Flows, rate: float, now: int) -> list[str]:
    """What is shown of the one connection in ``flow``."""
    figures = flow.array[0]
    sent_again, idle = both(flow, "retransmissions")[0], (now - figures["latest_ns"]) / 1e9
    return [end(flow, "client"), end(flow, "server"), states(flow),
            duration(figures["initial_rtt"] / 1e9) if figures["initial_rtt"] else "", f"{both(flow, 'packets')[0]:,}",
            amount(both(flow, "payload_bytes")[0]), f"{amount(rate)}/s" if rate else "",
            f"{sent_again:,}" if sent_again else "", f"{idle:,.0f} s" if idle >= 1 else ""]


def both(flows: Flows, figure: str) -> NDArray[np.int64]:
    """What both ends sent."""
    rows = flows.array
    return rows[f"{figure}_client"].astype(np.int64) + rows[f"{figure}_server"].astype(np.int64)


def end(flow: Flows, side: str) -> str:
    address, port = str(flow[side][0]), flow[f"{side}_port"][0]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def states(flow: Flows) -> str:
    """The states of both ends, once if they are the same."""
    client, server = str(flow["client_state"][0]), str(flow["server_state"][0])
    return client if client == server else f"{client} / {server}"


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    scale, unit = (1e6, "µs") if seconds < 1e-3 else (1e3, "ms") if seconds < 1 else (1, "s")
    return f"{seconds * scale:.3g} {unit}"


def amount(size: float) -> str:
    """Bytes with three digits and a decimal unit."""
    steps = 0
    while size >= 999.5 and steps < 3:
        size, steps = size / 1000, steps + 1
    return f"{size:.3g} {('B', 'kB', 'MB', 'GB')[steps]}"
