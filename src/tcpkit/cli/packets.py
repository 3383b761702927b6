"""``packets``: the list of segments."""
from __future__ import annotations

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
from tcpkit.cli.output import named, opened, write_tables
from tcpkit.cli.reading import reading


@app.command()
def packets(file: CaptureArgument, capture_filter: CaptureFilterOption = "", memory_limit: MemoryLimitOption = MEMORY,
            idle_timeout: IdleTimeoutOption = 0.0, where: WhereOption = "", columns: ColumnsOption = "",
            follow: FollowOption = False, form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """One line for each TCP segment: number, time, ends, length, and what it says."""
    from tcpkit.listing import packet_lines
    from tcpkit.packet_columns import SCHEMA
    from tcpkit.table import lines_as_they_come

    names = named(columns, SCHEMA)
    with reading(file, output, streaming=True, follow=follow, capture_filter=capture_filter,
                 memory_limit=memory_limit, idle_timeout=idle_timeout) as capture:
        pieces = capture.batches(names, where=where, settled=True)
        if form != Format.table:
            write_tables(pieces, form, output, names)
        else:
            with opened(output) as out:
                for lines in lines_as_they_come(pieces, names) if names else packet_lines(capture, where):
                    out.write(lines)
