"""``overlaps``: copies of the same bytes that differ."""
from __future__ import annotations

from itertools import takewhile
from typing import Annotated

import typer

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
from tcpkit.cli.reading import listing, reading

EvasionsOption = Annotated[bool, typer.Option("--evasions", help="Only those that hosts read differently.")]


@app.command()
def overlaps(file: CaptureArgument, evasions: EvasionsOption = False, capture_filter: CaptureFilterOption = "",
             where: WhereOption = "", columns: ChosenColumnsOption = "", form: FormatOption = Format.table,
             output: OutputOption = None) -> None:
    """List bytes that were sent twice with different content, and which hosts read which version."""
    from tcpkit.cli.records import write_records
    from tcpkit.overlap_columns import OVERLAPS
    from tcpkit.overlaps import differences, overlapping
    from tcpkit.record_filter import RecordFilter

    names, chosen = named(columns, OVERLAPS), RecordFilter(where, OVERLAPS)
    with reading(file, output, capture_filter=capture_filter) as capture:
        streams = capture.streams
        with listing() as goes_on:
            all_found = takewhile(goes_on, differences(takewhile(goes_on, overlapping(streams))))
            rows = (found.to_dict() for found in all_found if found.evades or not evasions)
            write_records(filter(chosen.selects, rows), OVERLAPS, form, output, names)
