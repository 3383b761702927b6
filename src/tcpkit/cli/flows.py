"""Connections: ``flows`` and ``conversations``."""
from __future__ import annotations

from tcpkit.cli.app import CaptureArgument, Format, FormatOption, OutputOption, app
from tcpkit.cli.output import write_table
from tcpkit.cli.reading import reading


@app.command()
def flows(file: CaptureArgument, form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """One line for each TCP connection."""
    with reading(file) as capture:
        write_table(capture.flows, form, output)


@app.command()
def conversations(file: CaptureArgument, form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """TCP conversations as `tshark -q -z conv,tcp` counts them, with exact figures."""
    with reading(file) as capture:
        write_table(capture.conversations, form, output)
