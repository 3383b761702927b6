"""``handshakes``: how connections were set up."""
from __future__ import annotations

from functools import partial

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
from tcpkit.cli.output import named, write_pieces
from tcpkit.cli.reading import reading


@app.command()
def handshakes(file: CaptureArgument, capture_filter: CaptureFilterOption = "",
               memory_limit: MemoryLimitOption = MEMORY, idle_timeout: IdleTimeoutOption = 0.0, where: WhereOption = "",
               columns: ColumnsOption = "", form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """How long each connection took to set up, what was offered and agreed, and what came of it."""
    from tcpkit.handshake_columns import HANDSHAKES

    names = named(columns, HANDSHAKES)
    with reading(file, output, capture_filter=capture_filter, memory_limit=memory_limit,
                 idle_timeout=idle_timeout) as capture:
        write_pieces(partial(capture.handshake_pieces, where=where), form, output, names)
