"""``http``: requests and their responses."""
from __future__ import annotations

from tcpkit.cli.app import (
    CaptureArgument,
    CaptureFilterOption,
    ChosenColumnsOption,
    Format,
    FormatOption,
    OutputOption,
    WhereOption,
    app,
)
from tcpkit.cli.output import named
from tcpkit.cli.reading import reading


@app.command()
def http(file: CaptureArgument, capture_filter: CaptureFilterOption = "", where: WhereOption = "",
         columns: ChosenColumnsOption = "", form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """One line for each HTTP/1.x request with its response: frames, sizes, times."""
    from tcpkit.cli.records import write_records
    from tcpkit.http import exchanges
    from tcpkit.http_columns import HTTP
    from tcpkit.record_filter import RecordFilter

    names, chosen = named(columns, HTTP), RecordFilter(where, HTTP)
    with reading(file, output, capture_filter=capture_filter, stages=("flows",)) as capture:
        rows = (exchange.to_dict() for exchange in exchanges(capture))
        write_records(filter(chosen.selects, rows), HTTP, form, output, names)
