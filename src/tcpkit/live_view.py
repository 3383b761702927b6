"""The terminal's picture of a live capture: totals, rates, and the connections that move most."""
from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tcpcore.flags import Finding
from tcpkit.columns import ENDS
from tcpkit.live_cells import LOSSY, TRAFFIC, Heading, Moment, amount, fitting
from tcpkit.text import duration_text, endpoint, one_line

if TYPE_CHECKING:
    from tcpcore.batch import Batch
    from tcpkit.live_capture import LiveCapture
    from tcpkit.table import Table as Flows

EVERY = 0.5                    # seconds from picture to picture
WEIGHT = 0.3                   # of the last picture's rate in the smoothed one
CANDIDATES = 4                 # connections looked at for each line there is
CURVE = 30                     # pictures in the curve of the rate
BARS = " ▁▂▃▄▅▆▇█"


class LiveView:
    """Redraws on a terminal while the capture runs; the last picture stays when it ends.

    ``connections`` gives the table of so many connections, or fewer, that had a segment last.
    """

    def __init__(self, capture: LiveCapture, interface: str, headings: Sequence[Heading] = TRAFFIC, *,
                 connections: Callable[[int], Flows] | None = None, console: Console | None = None) -> None:
        self._capture = capture
        self._chosen = connections or capture.latest_flows
        self._interface = one_line(interface)
        self._headings = headings
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._started = self._drawn = time.monotonic()
        self._moved: dict[int, tuple[int, float]] = {}     # payload and smoothed rate by stream, at the last picture
        self._curve: deque[float] = deque([0.0] * CURVE, CURVE)
        self._frames = self._bytes = self._ended = self._segments = self._sent_again = 0

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._draw(time.monotonic() - self._drawn)
        self._live.stop()

    def update(self, batch: Batch) -> None:
        """Count the batch, and draw again if it is time."""
        if batch.n_rows:
            findings = batch.array["findings"]
            self._segments += len(findings)
            self._sent_again += int(np.count_nonzero(findings & Finding.RETRANSMISSION))
            self._ended += self._capture.n_finished
        now = time.monotonic()
        if now - self._drawn >= EVERY:
            self._draw(now - self._drawn)
            self._drawn = now

    def _draw(self, passed: float) -> None:
        flows = self._chosen(CANDIDATES * self._lines)
        picture = Group(self._rates(max(passed, 1e-3)), self._totals(flows), Text(), self._connections(flows, passed))
        self._live.update(picture, refresh=True)

    @property
    def _lines(self) -> int:
        return max(1, self._console.height - 6)

    def _rates(self, passed: float) -> Text:
        frames, size = self._capture.n_frames, self._capture.n_bytes
        frame_rate, rate = (frames - self._frames) / passed, (size - self._bytes) / passed
        self._frames, self._bytes = frames, size
        self._curve.append(rate)
        seconds, figures = f"  {time.monotonic() - self._started:,.0f} s  ", Text.assemble(
            f"  {amount(rate)}/s  {frame_rate:,.0f} frames/s  ", (f"{frames:,}", "bold"), " frames  ", self._dropped())
        room = self._console.width - len(self._interface) - 2 - len(seconds) - figures.cell_len
        return Text.assemble((f" {self._interface} ", "bold reverse"), seconds, (self._bars(room), "cyan"), figures)

    def _bars(self, room: int) -> str:
        """The rates of late, as many as there is room for."""
        latest = list(self._curve)[-room:] if room > 0 else []
        most = max(latest, default=0) or 1
        return "".join(BARS[round(value / most * (len(BARS) - 1))] for value in latest)

    def _dropped(self) -> Text:
        counts = self._capture.statistics
        dropped = counts.dropped + counts.dropped_by_interface
        return Text(f"{dropped:,} dropped", "bold red" if dropped else "dim")

    def _totals(self, flows: Flows) -> Text:
        opened = self._capture.n_flows
        times = flows.array["initial_rtt"][flows.array["initial_rtt"] > 0]
        share = self._sent_again / max(self._segments, 1)
        text = Text.assemble("  ", (f"{opened:,}", "bold"), " connections, ", (f"{opened - self._ended:,}", "bold"),
                             " not ended  ")
        if len(times):
            text.append(f"handshakes take {duration_text(np.median(times))}  ")
        text.append(f"{self._sent_again:,} retransmissions", "bold red" if share > LOSSY else "")
        return text.append(f" ({share:.2%})" if share else "", "bold red" if share > LOSSY else "")

    def _connections(self, flows: Flows, passed: float) -> Table:
        """As many as the screen has lines for, those that move most first."""
        rates = self._rates_of(flows, passed)
        order = np.lexsort((-flows.array["latest_ns"], -np.round(rates)))[:self._lines]
        now = time.time_ns()
        shown = flows[order]
        clients, servers = (map(endpoint, shown[side], shown[f"{side}_port"]) for side in ENDS)
        moments = [Moment(row, client, server, rate, now) for row, client, server, rate
                   in zip(shown.array, clients, servers, rates[order], strict=True)]
        columns = fitting(self._headings, moments, self._console.width)
        table = Table(box=None, header_style="bold", expand=True, padding=(0, 1))
        for heading, _ in columns:
            table.add_column(heading.title, justify="left" if heading.left else "right", no_wrap=True,
                             min_width=heading.least)
        for cells in zip(*(column.cells for column in columns), strict=True):
            table.add_row(*cells)
        return table

    def _rates_of(self, flows: Flows, passed: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Smoothed, so that lines do not change places at every picture."""
        rows, since = flows.array, time.time_ns() - passed * 1e9
        seen: dict[int, tuple[int, float]] = {}
        sizes = rows["payload_bytes_client"] + rows["payload_bytes_server"]
        for stream, size, first in zip(rows["stream"].tolist(), sizes.tolist(), rows["first_ns"].tolist(), strict=True):
            before, rate = self._moved.get(stream, (0 if first >= since else size, 0.0))
            seen[stream] = size, rate + WEIGHT * ((size - before) / max(passed, 1e-3) - rate)
        self._moved = seen
        return np.array([rate for _, rate in seen.values()])
