"""A capture on one page: what it is, how its connections fared, and which of them deserve a look."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from tcpkit.columns import ENDS, Column, Schema
from tcpkit.fields import find_columns
from tcpkit.flow_columns import FLOWS
from tcpkit.handshake_columns import HANDSHAKES
from tcpkit.ladder import build_ladder
from tcpkit.ladder_svg import ladder_svg
from tcpkit.listing import printed_unit
from tcpkit.table import Table, joined
from tcpkit.text import counted, duration_text, one_line
from tcpkit.threat_columns import THREATS
from tcpkit.values import Array

if TYPE_CHECKING:
    from tcpkit.capture import Capture
    from tcpkit.info import CaptureInfo

TOP = 10                         # rows of a list of the most remarkable
LISTED = 100                     # files and flaws, of a hostile capture
WHO = ("stream", "client", "client_port", "server", "server_port")
BUSY = (*WHO, "duration", "payload_bytes_client", "payload_bytes_server", "initial_rtt", "outcome", "teardown")
AGAIN = (*WHO, *(f"{count}_{end}" for end in ENDS for count in ("sent_again", "sent_needlessly", "timeouts")),
         *(f"true_loss_rate_{end}" for end in ENDS))
SLOW = (*WHO, "setup_time", "initial_rtt", "server_rtt", "client_rtt", "syn_retransmissions")
SHOWN = ("kind", "target", "target_port", "source", "attempts", "completed", "refused", "half_open", "span", "rate")
SAID = ("bytes", "ratio")        # units that the columns' names tell
SUMS = ("payload_bytes", "judged_segments", "sent_again", "sent_needlessly", "reordered", "network_duplicates")
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1160px;margin:2em auto;padding:0 1em;color:#0f172a}
table{border-collapse:collapse;font-size:13px}td,th{padding:2px 10px;border-bottom:1px solid #e2e8f0;text-align:right}
th{color:#475569}div{overflow-x:auto}svg{max-width:100%;height:auto}"""


class Leaders:
    """The rows with the highest values so far."""

    def __init__(self, *columns: str) -> None:
        self._columns = columns
        self.table: Table | None = None

    def add(self, piece: Table) -> None:
        """Look through more rows; those whose values add up to 0 do not count."""
        rows = piece if self.table is None else joined([self.table, self._highest(piece)])
        self.table = self._highest(rows)

    def _highest(self, rows: Table) -> Table:
        values = np.sum([np.ma.filled(rows[name], 0).astype(np.int64) for name in self._columns], axis=0)
        order = np.argsort(-values, kind="stable")[:TOP]
        highest: Table = rows[order[values[order] > 0]]
        return highest


class Account:
    """What all connections add up to."""

    def __init__(self) -> None:
        self.connections = 0
        self.sums: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.busiest = Leaders("payload_bytes_client", "payload_bytes_server")
        self.repeating = Leaders("sent_again_client", "sent_again_server")

    def add(self, flows: Table) -> None:
        """Some rows of the flows table."""
        self.connections += len(flows)
        for name in SUMS:
            self.sums[name] += sum(int(np.ma.filled(flows[f"{name}_{end}"], 0).sum()) for end in ENDS)
        self.outcomes.update(dict(zip(*np.unique(flows["outcome"], return_counts=True), strict=True)))
        self.busiest.add(flows)
        self.repeating.add(flows)


def report_html(capture: Capture) -> str:
    """An HTML page that needs nothing else; whatever comes from the capture is escaped.

    The capture is read three times, and more often if its connections do not all find room, so it must not be a pipe.
    Memory grows with the connections, not the packets.
    """
    found = capture.info
    # All tables below come of it.
    capture.pipeline(("analysis", "lifecycle", "verdicts"), rows=False, detail="all").run()
    account = Account()
    for piece in capture.flow_pieces(verdicts=True):
        account.add(piece)
    slowest, trips = Leaders("setup_time"), []
    for piece in capture.handshake_pieces():
        slowest.add(piece)
        trips.append(np.ma.compressed(piece["initial_rtt"]).astype(np.int64))
    name = PurePath(found.files[0].name).name + (f" and {len(found.files) - 1:,} more" * (len(found.files) > 1))
    body = [f"<h1>{_safe(name)}</h1>", *_facts(found), *_figures(account, np.concatenate(trips)),
            *_listing("Busiest connections", account.busiest.table, FLOWS, BUSY),
            *_listing("Most sent again", account.repeating.table, FLOWS, AGAIN),
            *_listing("Slowest handshakes", slowest.table, HANDSHAKES, SLOW),
            *_listing("Floods, scans and dead servers", capture.threats[:TOP], THREATS, SHOWN),
            *_ladder(capture, account)]
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{_safe(name)}</title>'
            f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n")


def _safe(text: object) -> str:
    return escape(one_line(str(text)))


def _lines(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{_safe(item)}</li>" for item in items) + "</ul>"


def _facts(found: CaptureInfo) -> Iterator[str]:
    """What was captured, and what would mislead."""
    start = "" if found.first_ns is None else f", from {np.datetime64(found.first_ns, 'ns')} UTC"
    lasted = duration_text(int(found.duration * 1e9))
    yield (f"<p>{counted(found.packets, 'packet')}, {counted(found.wire_bytes, 'byte')} in {lasted}{start}; "
           f"{counted(found.segments, 'TCP segment')}</p>")
    flaws = [file.damage for file in found.files if file.damage]
    flaws += [f"{flaw.kind}: {flaw.count:,} of {flaw.total:,} {flaw.unit}; {flaw.what}; {flaw.consequence}"
              for flaw in found.quality]
    if flaws:
        yield "<h2>What would mislead</h2>" + _lines(flaws[:LISTED])


def _figures(account: Account, trips: Array) -> Iterator[str]:
    """The account of all connections."""
    sums, judged = account.sums, account.sums["judged_segments"]
    outcomes = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in account.outcomes.most_common())
    figures = [f"{counted(account.connections, 'connection')}; handshakes: {outcomes}" if outcomes else
               "no connections", f"{counted(sums['payload_bytes'], 'byte')} of payload"]
    if len(trips):
        middle, slow = (duration_text(int(value)) for value in np.percentile(trips, (50, 95)))
        figures.append(f"initial round trip: median {middle}, 95 of 100 below {slow}")
    figures += [f"{words}: {sums[name]:,} of {judged:,} segments ({sums[name] / judged:.2%})"
                for name, words in (("sent_again", "sent again"), ("sent_needlessly", "of them needlessly"),
                                    ("reordered", "reordered"), ("network_duplicates", "duplicated by the network"))
                if judged]
    yield "<h2>Connections</h2>" + _lines(figures)


def _listing(title: str, table: Table | None, schema: Schema, columns: Sequence[str]) -> Iterator[str]:
    if table is None or len(table) == 0:
        return
    cells = [line.split("\t") for line in table.to_text("fields", columns, head=False).decode().splitlines()]
    rows = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in cells)
    head = "".join(f"<th>{_heading(column)}</th>" for column in find_columns(columns, schema.columns))
    yield f"<h2>{title}</h2><div><table><tr>{head}</tr>{rows}</table></div>"


def _heading(column: Column) -> str:
    unit = printed_unit(column)
    return column.name.replace("_", " ") + (f", {unit}" if unit and unit not in SAID else "")


def _ladder(capture: Capture, account: Account) -> Iterator[str]:
    """Of the connection that sent most again, or of the busiest."""
    for leaders in (account.repeating.table, account.busiest.table):
        if leaders is not None and len(leaders):
            yield f"<h2>Stream {leaders[0]['stream']}</h2>" + ladder_svg(build_ladder(capture, leaders[0]["stream"]))
            return
