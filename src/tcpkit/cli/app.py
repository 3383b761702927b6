"""The application that commands register with, and the options they share."""
from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tcpkit import __version__

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
                  context_settings={"help_option_names": ["-h", "--help"]})


MEMORY = "4G"                    # tcpkit.budget.LIMIT


class Format(StrEnum):
    """How a table is written."""

    table = "table"
    csv = "csv"
    json = "json"
    jsonl = "jsonl"
    parquet = "parquet"


CaptureArgument = Annotated[str, typer.Argument(
    metavar="FILE", help="Capture file; a directory or quoted pattern of captures; a URL; - for standard input.")]
FormatOption = Annotated[Format, typer.Option("--format", metavar="FORMAT",
                                              help="table, csv, json (one array), jsonl or parquet.")]
CaptureFilterOption = Annotated[
    str, typer.Option("--capture-filter", "-f", metavar="FILTER", help="Only frames libpcap's filter accepts.")]
WhereOption = Annotated[
    str, typer.Option("--where", "-Y", metavar="FILTER", help="Only rows this display filter selects.")]
ColumnsOption = Annotated[str, typer.Option(
    "--columns", metavar="NAME,…", help="Only these columns, in this order; what only others need is not computed.")]
MemoryLimitOption = Annotated[str, typer.Option(
    "--memory-limit", metavar="SIZE", help="Memory to use at most; when it runs out, old connections are given up.")]
IdleTimeoutOption = Annotated[float, typer.Option(
    "--idle-timeout", metavar="SECONDS", min=0, max=1e9, show_default=False,
    help="Silence after which what comes is another connection; without it, any may go on.")]
FollowOption = Annotated[
    bool, typer.Option("--follow", help="Go on reading as the file grows, until Ctrl-C.", show_default=False)]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", metavar="PATH",
                                                    help="Write here, not to standard output.")]


@app.callback(invoke_without_command=True)
def tcpkit(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    """TCP captures analysed: packets, connections, handshakes, retransmissions, streams."""
    if version:
        print(f"tcpkit {__version__}")
        raise typer.Exit
