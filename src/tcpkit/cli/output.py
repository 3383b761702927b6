"""Writes tables in the format asked for."""
from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

from tcpkit.cli.app import Format
from tcpkit.cli.stdout import need_no_terminal
from tcpkit.output_file import STANDARD_OUTPUT, OutputFile, named_errors

if TYPE_CHECKING:
    from tcpkit.columns import Schema
    from tcpkit.table import Table


@contextmanager
def opened(output: Path | None) -> Iterator[BinaryIO]:
    """The file to write to, or standard output; an error before the first byte leaves the file as it was."""
    with named_errors(output or STANDARD_OUTPUT):
        if output is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            raw = OutputFile(output)
            with io.BufferedWriter(raw) as file:
                yield file
                raw.begin()


def need_output_for(form: Format, output: Path | None) -> None:
    """See that Parquet does not go to a terminal."""
    if form == Format.parquet and output is None:
        need_no_terminal("the bytes of Parquet", "--format")


def named(columns: str, schema: Schema) -> list[str] | None:
    """The columns that --columns names, each once; None without it, FieldError if the table has no such column."""
    from tcpkit.fields import find_columns

    names = [name.strip() for name in columns.split(",")]
    if columns and "" in names:
        raise typer.BadParameter(f'"{columns}" leaves a name empty', param_hint="--columns")
    return list(dict.fromkeys(column.name for column in find_columns(names, schema.columns))) if columns else None


def write_table(table: Table, form: Format, output: Path | None, columns: Sequence[str] | None = None) -> None:
    """A table whose rows are all there."""
    write_pieces(lambda: [table], form, output, columns)


def write_pieces(tables: Callable[[], Iterable[Table]], form: Format, output: Path | None,
                 columns: Sequence[str] | None = None) -> None:
    """A table that comes piece by piece, at least one."""
    if form == Format.table:
        from tcpkit.table import write_grid

        with opened(output) as file:
            write_grid(tables(), file, columns)
    else:
        write_tables(tables(), form, output, columns)


def write_tables(tables: Iterable[Table], form: Format, output: Path | None,
                 columns: Sequence[str] | None = None) -> None:
    """The rows of tables of one kind, one after the other."""
    need_output_for(form, output)
    with opened(output) as file:
        if form == Format.parquet:
            from tcpkit.convert import write_parquet

            write_parquet((table.to_arrow(columns) for table in tables), file)
        elif form == Format.json:
            for text in json_array(objects(table, columns) for table in tables if len(table)):
                file.write(text)
        else:
            for i, table in enumerate(tables):
                file.write(table.to_text("csv" if form == Format.csv else "json", columns, head=i == 0))


def write_as_they_come(tables: Iterable[Table], form: Format, columns: Sequence[str] | None = None) -> None:
    """The rows of tables of one kind on standard output, each table when it comes."""
    if form == Format.table:
        from tcpkit.table import lines_as_they_come

        for piece in lines_as_they_come(tables, columns):
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    else:
        write_tables(flushed(tables), form, None, columns)


def flushed(tables: Iterable[Table]) -> Iterator[Table]:
    """What was written of one table is there before the next is waited for."""
    for table in tables:
        yield table
        sys.stdout.buffer.flush()


def objects(table: Table, columns: Sequence[str] | None) -> bytes:
    """The rows as they stand in an array of JSON."""
    return table.to_text("json", columns).removesuffix(b"\n").replace(b"\n", b",\n")


def json_array(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """One array of pieces that hold one object or more; it ends properly where reading fails behind the first."""
    before = b"[\n"
    try:
        for piece in pieces:
            yield before + piece
            before = b",\n"
    except Exception:
        if before == b",\n":
            yield b"\n]\n"
        raise
    yield b"\n]\n" if before == b",\n" else b"[]\n"
