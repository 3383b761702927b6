"""``export``: many captures as files for other tools."""
from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tcpkit.cli import status_after
from tcpkit.cli.app import MEMORY, CaptureFilterOption, IdleTimeoutOption, MemoryLimitOption, app
from tcpkit.cli.reading import Watch, read_size
from tcpkit.text import counted, one_line

if TYPE_CHECKING:
    from tcpkit.export import Exported


class ExportFormat(StrEnum):
    """How the files are written."""

    parquet = "parquet"
    arrow = "arrow"
    csv = "csv"


def directory(path: str) -> Path:
    if path == "-":
        raise typer.BadParameter("captures are written to files below a directory, not to standard output")
    return Path(path)


TablesOption = Annotated[str, typer.Option(
    metavar="NAME,…", help="Tables to write; there are also directions, conversations, retransmissions.")]
PacketsWhereOption = Annotated[str, typer.Option(
    "--where", "-Y", metavar="FILTER", help="Only packets this display filter selects; other tables are whole.")]


@app.command()
def export(files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Capture files, or directories of "
                                                                              "files that are one capture.")],
           output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", parser=directory,
                                                    help="Directory to write below.")],
           tables: TablesOption = "packets,flows",
           form: Annotated[ExportFormat, typer.Option("--format", help="How to write them.")] = ExportFormat.parquet,
           capture_filter: CaptureFilterOption = "", where: PacketsWhereOption = "",
           memory_limit: MemoryLimitOption = MEMORY, idle_timeout: IdleTimeoutOption = 0.0,
           threads: Annotated[int, typer.Option(metavar="N", min=0,
                                                help="Captures at a time; 0: one per core.")] = 0) -> None:
    """Write tables of captures as files; an interrupted export goes on where it was."""
    from tcpkit.export import TABLES, export

    chosen = [name.strip() for name in tables.split(",")]
    for name in chosen:
        if name not in TABLES:
            raise typer.BadParameter(f'there is no table "{name}"; there are {", ".join(TABLES)}',
                                     param_hint="--tables")
    failed = False
    with Watch(bar=False) as watch:
        for done in export(files, output, tables=chosen, form=form.value, capture_filter=capture_filter, where=where,
                           threads=threads or None, memory_limit=read_size(memory_limit), idle_timeout=idle_timeout,
                           stopped=lambda: bool(watch.interrupted)):
            tell(done)
            failed |= bool(done.error or done.warnings)
    if watch.interrupted:
        print("tcpkit: interrupted: the next export goes on where this one ended", file=sys.stderr)
        raise typer.Exit(status_after(watch.interrupted))
    if failed:
        raise typer.Exit(1)


def tell(done: Exported) -> None:
    if done.error:
        print(f"tcpkit: {one_line(f'{done.capture}: {done.error}')}", file=sys.stderr)
        return
    rows = ", ".join(counted(count, table.removesuffix("s")) for table, count in done.rows.items())
    print(one_line(f"{done.capture}: {rows}{' (done before)' if done.was_done else ''}"), flush=True)
    for warning in done.warnings:
        print(f"tcpkit: {one_line(warning)}", file=sys.stderr)
