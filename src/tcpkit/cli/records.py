"""Writes rows that hold texts of any length, as dicts of the columns of a table, in the format asked for."""
from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from tcpkit.cli.app import Format
from tcpkit.cli.output import json_array, need_output_for, opened
from tcpkit.columns import Schema
from tcpkit.text import one_line

Row = dict[str, Any]
WIDEST = 80                      # letters of a cell


def write_records(rows: Iterable[Row], schema: Schema, form: Format, output: Path | None,
                  columns: Sequence[str] | None = None) -> None:
    """Each when it comes; as a table or Parquet when all have come."""
    shown = schema.summary if form == Format.table else tuple(column.name for column in schema.columns)
    names = tuple(columns or shown)
    chosen = ({name: row[name] for name in names} for row in rows)
    need_output_for(form, output)
    with opened(output) as out:
        if form == Format.parquet:
            write_parquet(chosen, schema, names, out)
        else:
            for text in WRITERS[form](chosen, names):
                out.write(text)


def write_parquet(rows: Iterable[Row], schema: Schema, names: Sequence[str], out: BinaryIO) -> None:
    from tcpcore.fieldtext import TextKind as Kind
    from tcpkit import convert

    pa = convert.need("pyarrow", "arrow")
    types = {Kind.LETTERS: pa.string(), Kind.REAL: pa.float64(), Kind.BITS: pa.bool_()}
    kinds = {column.name: column.kind for column in schema.columns}
    fields = pa.schema([(name, types.get(kinds[name], pa.int64())) for name in names])
    convert.write_parquet(iter([pa.Table.from_pylist(list(rows), schema=fields)]), out)


def as_grid(rows: Iterable[Row], names: Sequence[str]) -> Iterator[bytes]:
    from tcpkit.grid import grid

    yield f"{grid(names, [[cell(value) for value in row.values()] for row in rows])}\n".encode()


def plain(value: Any) -> Any:
    """Text in one line; what is so is 1, as in every table, and what is not is left out."""
    if value is None or isinstance(value, bool):
        return "1" if value else ""
    return one_line(value) if isinstance(value, str) else value


def cell(value: Any) -> str:
    text = f"{value:.6f}" if isinstance(value, float) else str(plain(value))
    return text if len(text) <= WIDEST else text[:WIDEST - 1] + "…"


def as_csv(rows: Iterable[Row], names: Sequence[str]) -> Iterator[bytes]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([plain(value) for value in row.values()])
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()
    yield line.getvalue().encode()           # the names, if there was no row


def as_json(rows: Iterable[Row], names: Sequence[str]) -> Iterator[bytes]:
    return json_array(json.dumps(row).encode() for row in rows)


def as_json_lines(rows: Iterable[Row], names: Sequence[str]) -> Iterator[bytes]:
    return ((json.dumps(row) + "\n").encode() for row in rows)


WRITERS: dict[Format, Callable[[Iterable[Row], Sequence[str]], Iterator[bytes]]] = {
    Format.table: as_grid, Format.csv: as_csv, Format.json: as_json, Format.jsonl: as_json_lines}
