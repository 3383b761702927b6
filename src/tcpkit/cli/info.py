"""``info``: what a capture is, and what would mislead its reader."""
from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from tcpkit.cli.app import (
    MEMORY,
    CaptureArgument,
    CaptureFilterOption,
    FollowOption,
    IdleTimeoutOption,
    MemoryLimitOption,
    OutputOption,
    app,
)
from tcpkit.cli.output import opened
from tcpkit.cli.reading import reading


class InfoFormat(StrEnum):
    """How the description is written."""

    table = "table"
    json = "json"


InfoFormatOption = Annotated[InfoFormat, typer.Option("--format", metavar="FORMAT", help="table (text) or json.")]


@app.command()
def info(file: CaptureArgument, capture_filter: CaptureFilterOption = "", memory_limit: MemoryLimitOption = MEMORY,
         idle_timeout: IdleTimeoutOption = 0.0, follow: FollowOption = False, form: InfoFormatOption = InfoFormat.table,
         output: OutputOption = None) -> None:
    """What a capture is: files, interfaces, times, counts; and what in it would mislead."""
    with reading(file, output, follow=follow, capture_filter=capture_filter, memory_limit=memory_limit,
                 idle_timeout=idle_timeout) as capture:
        text = json.dumps(capture.info.to_dict(), indent=2) if form == InfoFormat.json else str(capture.info)
        with opened(output) as out:
            out.write(f"{text}\n".encode())
