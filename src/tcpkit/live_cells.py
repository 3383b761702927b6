"""The cells of a live picture: what is shown of one connection, column by column."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from tcpcore.flags import TcpState
from tcpkit.endings import STATE_WORDS
from tcpkit.text import duration_text

if TYPE_CHECKING:
    from numpy import void

COLOURS = {TcpState.ESTABLISHED: "green", TcpState.SYN_SENT: "yellow", TcpState.SYN_RECEIVED: "yellow",
           TcpState.CLOSED: "dim", TcpState.LISTEN: "dim", TcpState.TIME_WAIT: "dim", TcpState.UNKNOWN: "dim"}
CLOSING = "cyan"                   # the states not named above
LOSSY = 0.01                       # share of segments sent again that is told in red


class Moment(NamedTuple):
    """A connection at the time of a picture: its row of the flows table, its ends as text, and how it moves."""

    flow: void
    client: str
    server: str
    rate: float                    # bytes of payload per second, smoothed
    now: int                       # ns


class Heading(NamedTuple):
    """A column of the picture."""

    title: str
    cell: Callable[[Moment], str | Text]
    left: bool = False
    least: int = 0                 # letters, so that columns do not jump
    rank: int = 0                  # on a narrow screen the column with the highest is left out first; 0: never


class Column(NamedTuple):
    """A heading and its cells, those of all lines."""

    heading: Heading
    cells: list[Text]

    @property
    def width(self) -> int:
        """Letters, with the space on both sides."""
        return max(self.heading.least, len(self.heading.title), *(cell.cell_len for cell in self.cells), 0) + 2


def fitting(headings: Sequence[Heading], moments: Sequence[Moment], width: int) -> list[Column]:
    """The columns for which a screen is wide enough."""
    columns = [Column(heading, [as_text(heading.cell(moment)) for moment in moments]) for heading in headings]
    while sum(column.width for column in columns) > width:
        least = max(columns, key=lambda column: column.heading.rank)
        if not least.heading.rank:
            break
        columns.remove(least)
    return columns


def as_text(cell: str | Text) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def state(end: str) -> Callable[[Moment], Text]:
    def cell(moment: Moment) -> Text:
        code = int(moment.flow[f"{end}_state"])
        return Text(STATE_WORDS[code], COLOURS.get(TcpState(code), CLOSING))

    return cell


def both_states(moment: Moment) -> Text:
    """Once if they are the same."""
    client, server = state("client")(moment), state("server")(moment)
    return client if client.plain == server.plain else Text.assemble(client, (" / ", "dim"), server)


def both(moment: Moment, figure: str) -> int:
    """What both ends sent."""
    return int(moment.flow[f"{figure}_client"]) + int(moment.flow[f"{figure}_server"])


def handshake(moment: Moment) -> str:
    return duration_text(moment.flow["initial_rtt"]) if moment.flow["initial_rtt"] else ""


def round_trip(end: str) -> Callable[[Moment], str]:
    """Mean of the data that the end sends."""
    def cell(moment: Moment) -> str:
        return duration_text(moment.flow[f"rtt_mean_{end}"]) if moment.flow[f"rtt_samples_{end}"] else ""

    return cell


def sent_again(moment: Moment) -> Text:
    count = both(moment, "retransmissions")
    return Text(f"{count:,}" if count else "", "bold red" if count > LOSSY * both(moment, "packets") else "")


def age(moment: Moment) -> str:
    return clock(moment.now - int(moment.flow["first_ns"]))


def idle(moment: Moment) -> str:
    silent = moment.now - int(max(moment.flow["latest_ns"], moment.flow["first_ns"]))
    return clock(silent) if silent >= 1e9 else ""


def rate(moment: Moment) -> str:
    return f"{amount(moment.rate)}/s" if moment.rate >= 1 else ""


ENDS = (Heading("Client", lambda moment: moment.client, left=True, least=15),
        Heading("Server", lambda moment: moment.server, left=True, least=15))
TRAFFIC = (*ENDS, Heading("State", both_states, left=True, least=11, rank=3),
           Heading("Handshake", handshake, least=9, rank=5),
           Heading("Packets", lambda moment: f"{both(moment, 'packets'):,}", least=7, rank=6),
           Heading("Bytes", lambda moment: amount(both(moment, "payload_bytes")), least=7, rank=4),
           Heading("Rate", rate, least=9, rank=1), Heading("Retrans.", sent_again, rank=2),
           Heading("Idle", idle, least=6, rank=7))
STATES = (*ENDS, Heading("Client is", state("client"), left=True, least=12, rank=1),
          Heading("Server is", state("server"), left=True, least=12, rank=2), Heading("Age", age, least=6, rank=3),
          Heading("Idle", idle, least=6, rank=5), Heading("Handshake", handshake, least=9, rank=8),
          Heading("RTT client", round_trip("client"), rank=7), Heading("RTT server", round_trip("server"), rank=6),
          Heading("Retrans.", sent_again, rank=4))


def clock(nanoseconds: float) -> str:
    """How long, as a person says it."""
    seconds = int(nanoseconds / 1e9)
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60}:{seconds % 60:02}" if seconds < 3600 else f"{seconds // 3600}:{seconds // 60 % 60:02} h"


def amount(size: float) -> str:
    """Bytes with three digits and a decimal unit."""
    steps = 0
    while size >= 999.5 and steps < 4:
        size, steps = size / 1000, steps + 1
    return f"{size:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[steps]}"
