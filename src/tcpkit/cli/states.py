"""``states``: which connections live, and in which states."""
from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tcpkit.budget import checked_duration, checked_msl
from tcpkit.cli.app import (
    MEMORY,
    CaptureFilterOption,
    ColumnsOption,
    Format,
    FormatOption,
    IdleTimeoutOption,
    MemoryLimitOption,
    OutputOption,
    WhereOption,
    app,
    checked_by,
)
from tcpkit.cli.output import named, write_pieces, write_table
from tcpkit.cli.reading import read_size, reading

if TYPE_CHECKING:
    from tcpkit.live_capture import LiveCapture
    from tcpkit.table import Table

SECONDS = 5.0                      # of looking at an interface where no end is given

FileArgument = Annotated[str, typer.Argument(metavar="[FILE]", show_default=False,
                                             help="A capture: the connections that live at its end.")]
InterfaceOption = Annotated[str, typer.Option("--interface", "-i", metavar="NAME", show_default=False,
                                              help="Look at an interface.")]
DurationOption = Annotated[float, typer.Option(
    metavar="SECONDS", callback=checked_by(checked_duration), show_default=False,
    help="Seconds to look at the interface; without it 5, on a terminal until Ctrl-C.")]
OnceOption = Annotated[bool, typer.Option("--once", help="Print once, when the time is over, on a terminal too.")]
MslOption = Annotated[float, typer.Option("--msl", metavar="SECONDS", callback=checked_by(checked_msl),
                                          help="How long a segment may live: TIME-WAIT lasts twice as long.")]


@app.command()
def states(file: FileArgument = "", interface: InterfaceOption = "", capture_filter: CaptureFilterOption = "",
           memory_limit: MemoryLimitOption = MEMORY, idle_timeout: IdleTimeoutOption = 0.0, where: WhereOption = "",
           duration: DurationOption = 0.0, once: OnceOption = False, msl: MslOption = 120.0,
           columns: ColumnsOption = "", form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """Connections that are not over: the states of both ends, ages, round trips, retransmissions."""
    from tcpkit.states import STATES

    if bool(file) == bool(interface):
        raise typer.BadParameter("name a capture or, with -i, an interface", param_hint="FILE")
    if file and duration:
        raise typer.BadParameter("is for an interface: a capture is read to its end", param_hint="--duration")
    names = named(columns, STATES)
    if file:
        with reading(file, output, capture_filter=capture_filter, memory_limit=memory_limit, idle_timeout=idle_timeout,
                     msl=msl) as capture:
            write_pieces(partial(capture.state_pieces, names, where=where), form, output, names)
        return
    from tcpkit.cli.capture import session
    from tcpkit.connection_tables import check_filter, rows_of

    check_filter(where, STATES)
    picture = sys.stdout.isatty() and form == Format.table and not (once or output or names)
    with session(interface, capture_filter=capture_filter, msl=msl, duration=duration or (0.0 if picture else SECONDS),
                 memory_limit=read_size(memory_limit), idle_timeout=idle_timeout) as live:
        if picture:
            watch_states(live, interface, where)
        else:
            live.pipeline.run()
            write_table(rows_of(live.states, where), form, output, names)


def watch_states(live: LiveCapture, interface: str, where: str) -> None:
    from tcpkit.live_cells import STATES
    from tcpkit.live_view import LiveView

    def connections(count: int) -> Table:
        return live.states.where(where) if where else live.latest_states(count)

    with LiveView(live, interface, STATES, connections=connections) as view:
        for batch in live.pipeline:
            view.update(batch)
