"""``retransmissions``: what was sent again."""
from __future__ import annotations

from tcpkit.cli.app import (
    CaptureArgument,
    CaptureFilterOption,
    Format,
    FormatOption,
    OutputOption,
    WhereOption,
    app,
)
from tcpkit.cli.output import write_table
from tcpkit.cli.reading import reading


@app.command()
def retransmissions(file: CaptureArgument, capture_filter: CaptureFilterOption = "", where: WhereOption = "",
                    form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """One line for each segment that was sent again."""
    with reading(file, capture_filter=capture_filter) as capture:
        table = capture.retransmissions
        write_table(table.where(where) if where else table, form, output)
