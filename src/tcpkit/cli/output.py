"""Writes tables in the format asked for."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tcpkit.cli.app import Format

if TYPE_CHECKING:
    from tcpkit.columns import Schema
    from tcpkit.table import Table


@contextmanager
def opened(output: Path | None) -> Iterator[BinaryIO]:
    """The file to write to, or standard output."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with output.open("wb") as file:
            yield file


def named(columns: str, schema: Schema) -> list[str] | None:
    """The columns that --columns names, each once; None without it, FieldError if the table has no such column."""
    from tcpkit.fields import find_columns

    names = (name.strip() for name in columns.split(","))
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
    with opened(output) as file:
        if form == Format.parquet:
            from tcpkit.convert import write_parquet

            write_parquet((table.to_arrow(columns) for table in tables), file)
        elif form == Format.json:
            write_json(tables, file, columns)
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


def write_json(tables: Iterable[Table], file: BinaryIO, columns: Sequence[str] | None) -> None:
    """One array of objects."""
    file.write(b"[")
    before = b"\n"
    for table in tables:
        if len(table):
            file.write(before + table.to_text("json", columns).removesuffix(b"\n").replace(b"\n", b",\n"))
            before = b",\n"
    file.write(b"\n]\n")
