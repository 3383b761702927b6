"""Writes tables in the format asked for."""
from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tcpkit.cli.app import Format
from tcpkit.cli.stdout import STANDARD_OUTPUT, named_errors

if TYPE_CHECKING:
    from tcpkit.columns import Schema
    from tcpkit.table import Table


class OutputFile(io.FileIO):
    """A file that keeps what it holds, or is gone again if it is new, when an error comes before the first byte.

    It is opened at once, so that a place that cannot be written is told before a long capture is read.
    """

    _begun = True

    def __init__(self, path: Path) -> None:
        self._path = None if path.exists() else path.resolve()
        super().__init__(path, "ab")
        self._begun = False

    def begin(self) -> None:
        """From now on the file is what is written."""
        if not self._begun and stat.S_ISREG(os.fstat(self.fileno()).st_mode):
            self.truncate(0)
        self._begun = True

    def write(self, data: Any) -> int:
        self.begin()
        return super().write(data)

    def close(self) -> None:
        super().close()
        if self._path and not self._begun:
            self._path.unlink(missing_ok=True)


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
