"""``http``: requests and their responses."""
from __future__ import annotations

from tcpkit.cli.app import (
    CaptureArgument,
    CaptureFilterOption,
    ChosenColumnsOption,
    Format,
    FormatOption,
    OutputOption,
    app,
)
from tcpkit.cli.output import named
from tcpkit.cli.reading import reading


@app.command()
def http(file: CaptureArgument, capture_filter: CaptureFilterOption = "", columns: ChosenColumnsOption = "",
         form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """One line for each HTTP/1.x request with its response: frames, sizes, times."""
    from tcpkit.cli.records import write_records
    from tcpkit.http import exchanges
    from tcpkit.http_columns import HTTP

    names = named(columns, HTTP)
    with reading(file, capture_filter=capture_filter, stages=("flows",)) as capture:
        write_records((exchange.to_dict() for exchange in exchanges(capture)), HTTP, form, output, names)
