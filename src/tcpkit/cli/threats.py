"""``threats``: SYN floods, scans, dead servers."""
from __future__ import annotations

from enum import StrEnum
from typing import Annotated

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
from tcpkit.cli.output import named, write_table
from tcpkit.cli.reading import reading


class View(StrEnum):
    """What a line is about."""

    threats = "threats"
    half_open = "half-open"


ViewOption = Annotated[View, typer.Option(
    "--view", metavar="VIEW", help="threats; or half-open: handshakes under way at each server and port over time.")]


@app.command()
def threats(file: CaptureArgument, view: ViewOption = View.threats, capture_filter: CaptureFilterOption = "",
            memory_limit: MemoryLimitOption = MEMORY, idle_timeout: IdleTimeoutOption = 0.0, where: WhereOption = "",
            columns: ColumnsOption = "", form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """SYN floods, port and host scans, and dead servers, each with its evidence."""
    from tcpkit.connection_tables import check_filter, rows_of
    from tcpkit.threat_columns import HALF_OPEN, THREATS

    schema = HALF_OPEN if view == View.half_open else THREATS
    names = named(columns, schema)
    check_filter(where, schema)
    with reading(file, output, capture_filter=capture_filter, memory_limit=memory_limit,
                 idle_timeout=idle_timeout) as capture:
        table = capture.half_open if view == View.half_open else capture.threats
        write_table(rows_of(table, where), form, output, names)
