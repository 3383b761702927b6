"""The application that commands register with, and the options they share."""
from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tcpkit import __version__
from tcpkit.budget import checked_timeout
from tcpkit.output_file import STANDARD_OUTPUT, named_errors


class Commands(TyperGroup):
    """Whose help says of each command all that its own help begins with, not only what a line has room for."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            tell_of_patterns(error)
            raise

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, (command.help or "").partition("\n\n")[0].replace("\n", " "))
                                for name, command in self.commands.items()])


def tell_of_patterns(error: Any) -> None:
    """What is too much behind the only FILE are often the others that the shell makes of *.pcap."""
    if "extra argument" in getattr(error, "message", ""):
        arguments = [each.name for each in error.ctx.command.params if each.param_type_name == "argument"]
        if arguments == ["file"]:
            error.message += "; several files are read as one if a directory or a quoted pattern names them"


app = typer.Typer(cls=Commands, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]})


MEMORY = "4G"                    # tcpkit.budget.LIMIT


class Format(StrEnum):
    """How a table is written."""

    table = "table"
    csv = "csv"
    json = "json"
    jsonl = "jsonl"
    parquet = "parquet"


def checked_by(check: Callable[[float], float]) -> Callable[[float], float]:
    """What this function refuses is told as a wrong value of the option."""
    def callback(seconds: float) -> float:
        try:
            return check(seconds)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return callback


def destination(path: str) -> Path | None:
    """What is written; None for standard output."""
    return None if path == "-" else Path(path)


SEVERAL_TIMES = "Capture file; a directory or quoted pattern of captures; a URL"      # may be read so
CAPTURE = f"{SEVERAL_TIMES}; - for standard input."
CaptureArgument = Annotated[str, typer.Argument(metavar="FILE", help=CAPTURE)]
LAST_STREAM = (1 << 32) - 1        # tcpkit.connection.LAST
STREAM = typer.Argument(metavar="STREAM", min=0, max=LAST_STREAM, show_default=False,
                         help="Number of the connection (tcp.stream).")
FormatOption = Annotated[Format, typer.Option("--format", metavar="FORMAT",
                                              help="table, csv, json (one array), jsonl or parquet.")]
CaptureFilterOption = Annotated[
    str, typer.Option("--capture-filter", "-f", metavar="FILTER", help="Only frames libpcap's filter accepts.")]
WhereOption = Annotated[
    str, typer.Option("--where", "-Y", metavar="FILTER", help="Only rows this display filter selects.")]
ColumnsOption = Annotated[str, typer.Option(
    "--columns", metavar="NAME,…", help="Only these columns, in this order; what only others need is not computed.")]
ChosenColumnsOption = Annotated[str, typer.Option(
    "--columns", metavar="NAME,…", help="Only these columns, in this order.")]
MemoryLimitOption = Annotated[str, typer.Option(
    "--memory-limit", metavar="SIZE", help="Memory to use at most, such as 500M or 2G; when it runs out, old "
    "connections are given up.")]
IdleTimeoutOption = Annotated[float, typer.Option(
    "--idle-timeout", metavar="SECONDS", callback=checked_by(checked_timeout), show_default=False,
    help="Silence after which what comes is another connection; without it, any may go on.")]
FollowOption = Annotated[
    bool, typer.Option("--follow", help="Go on reading as the file grows, until Ctrl-C.", show_default=False)]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", metavar="PATH", parser=destination,
                                                    help="Write here, not to standard output (-).")]


@app.callback(invoke_without_command=True)
def tcpkit(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    """TCP captures analysed: packets, connections, handshakes, retransmissions, streams."""
    if version:
        with named_errors(STANDARD_OUTPUT):
            print(f"tcpkit {__version__}")
        raise typer.Exit
