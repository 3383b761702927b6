"""``threats``: SYN floods, scans, dead servers."""
from __future__ import annotations

from tcpkit.cli.app import (
    MEMORY,
    CaptureArgument,
    CaptureFilterOption,
    Format,
    FormatOption,
    MemoryLimitOption,
    OutputOption,
    app,
)
from tcpkit.cli.output import write_table
from tcpkit.cli.reading import reading


@app.command()
def threats(file: CaptureArgument, capture_filter: CaptureFilterOption = "", memory_limit: MemoryLimitOption = MEMORY,
            form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """SYN floods, port and host scans, and dead servers, each with its evidence."""
    with reading(file, capture_filter=capture_filter, memory_limit=memory_limit) as capture:
        write_table(capture.threats, form, output)
