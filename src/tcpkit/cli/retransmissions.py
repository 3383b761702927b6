"""``retransmissions``: what was sent again, segment by segment and as figures of each direction."""
from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tcpkit.cli.app import (
    MEMORY,
    CaptureArgument,
    CaptureFilterOption,
    ColumnsOption,
    Format,
    FormatOption,
    IdleTimeoutOption,
    MemoryLimitOption,
    OutputOption,
    WhereOption,
    app,
)
from tcpkit.cli.output import named, opened, write_pieces
from tcpkit.cli.reading import reading

if TYPE_CHECKING:
    from tcpkit.columns import Schema


class View(StrEnum):
    """What a line is about."""

    segments = "segments"
    directions = "directions"
    reordering = "reordering"


ViewOption = Annotated[View | None, typer.Option(
    "--view", metavar="VIEW", help="segments: only what was sent again; directions: only the figures of each "
    "direction; reordering: how far from their places segments came; without: the first two as a table, segments in "
    "the other formats and with --columns or -Y.")]


@app.command()
def retransmissions(file: CaptureArgument, view: ViewOption = None, capture_filter: CaptureFilterOption = "",
                    memory_limit: MemoryLimitOption = MEMORY, idle_timeout: IdleTimeoutOption = 0.0,
                    where: WhereOption = "", columns: ColumnsOption = "", form: FormatOption = Format.table,
                    output: OutputOption = None) -> None:
    """What was sent again: one line for each such segment, then the figures of each direction that has any."""
    from tcpkit.direction_columns import DIRECTIONS
    from tcpkit.reordering_columns import REORDERING
    from tcpkit.retransmission_columns import RETRANSMISSIONS
    from tcpkit.table import write_grid

    schemas: dict[View | None, Schema] = {View.directions: DIRECTIONS, View.reordering: REORDERING}
    names = named(columns, schemas.get(view, RETRANSMISSIONS))
    with reading(file, output, capture_filter=capture_filter, memory_limit=memory_limit,
                 idle_timeout=idle_timeout) as capture:
        if view == View.directions:
            write_pieces(partial(capture.direction_pieces, names, where=where), form, output, names)
            return
        if view == View.reordering:
            write_pieces(partial(capture.reordering_pieces, where=where), form, output, names)
            return
        if view == View.segments or form != Format.table or names or where:
            write_pieces(partial(capture.retransmission_pieces, names, where=where), form, output, names)
            return
        with opened(output) as out:
            write_grid(capture.retransmission_pieces(), out)
            out.write(b"\n")
            write_grid((table[(table["retransmissions"] > 0) | (table["sent_again"] > 0)]
                        for table in capture.direction_pieces()), out)
