"""Connections: ``flows`` and ``conversations``."""
from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from tcpkit.cli.app import (
    MEMORY,
    CaptureArgument,
    CaptureFilterOption,
    ColumnsOption,
    FollowOption,
    Format,
    FormatOption,
    IdleTimeoutOption,
    MemoryLimitOption,
    OutputOption,
    WhereOption,
    app,
)
from tcpkit.cli.output import named, write_pieces
from tcpkit.cli.reading import reading

VerdictsOption = Annotated[bool, typer.Option(
    "--verdicts", help="Also loss, reordering and duplication as the verdicts tell them, which takes longer.")]


@app.command()
def flows(file: CaptureArgument, capture_filter: CaptureFilterOption = "", memory_limit: MemoryLimitOption = MEMORY,
          idle_timeout: IdleTimeoutOption = 0.0, where: WhereOption = "", verdicts: VerdictsOption = False,
          columns: ColumnsOption = "", follow: FollowOption = False, form: FormatOption = Format.table,
          output: OutputOption = None) -> None:
    """One line for each TCP connection."""
    from tcpkit.flow_columns import FLOWS

    names = named(columns, FLOWS)
    with reading(file, output, follow=follow, capture_filter=capture_filter, memory_limit=memory_limit,
                 idle_timeout=idle_timeout) as capture:
        write_pieces(partial(capture.flow_pieces, names, where=where, verdicts=verdicts), form, output, names)


@app.command()
def conversations(file: CaptureArgument, capture_filter: CaptureFilterOption = "",
                  memory_limit: MemoryLimitOption = MEMORY, idle_timeout: IdleTimeoutOption = 0.0,
                  where: WhereOption = "", columns: ColumnsOption = "", follow: FollowOption = False,
                  form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """TCP conversations as `tshark -q -z conv,tcp` counts them, with exact figures."""
    from tcpkit.flow_columns import CONVERSATIONS

    names = named(columns, CONVERSATIONS)
    with reading(file, output, follow=follow, capture_filter=capture_filter, memory_limit=memory_limit,
                 idle_timeout=idle_timeout) as capture:
        write_pieces(partial(capture.conversation_pieces, where=where), form, output, names)
