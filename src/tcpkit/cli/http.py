"""``http``: requests and their responses."""
from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from tcpkit.cli.app import CaptureArgument, CaptureFilterOption, Format, FormatOption, OutputOption, app
from tcpkit.cli.output import opened
from tcpkit.cli.reading import reading
from tcpkit.cli.text import one_line

Row = dict[str, Any]
SHOWN = ("stream", "request_frame", "response_frame", "response_last_frame", "method", "host", "target", "status",
         "response_bytes", "content_type", "wait", "transfer")
WIDEST = 60                      # letters of a cell


@app.command()
def http(file: CaptureArgument, capture_filter: CaptureFilterOption = "", form: FormatOption = Format.table,
         output: OutputOption = None) -> None:
    """One line for each HTTP/1.x request with its response: frames, sizes, times."""
    from tcpkit.http import exchanges

    with reading(file, capture_filter=capture_filter, stages=("flows",)) as capture:
        rows = (exchange.to_dict() for exchange in exchanges(capture))
        with opened(output) as out:
            if form == Format.parquet:
                import pyarrow

                from tcpkit.convert import write_parquet

                write_parquet(iter([pyarrow.Table.from_pylist(list(rows))]), out)
            else:
                for text in WRITERS[form](rows):
                    out.write(text.encode())


def as_grid(rows: Iterable[Row]) -> Iterator[str]:
    from tcpkit.grid import grid

    yield grid(SHOWN, [[cell(row[name]) for name in SHOWN] for row in rows]) + "\n"


def cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.6f}" if isinstance(value, float) else one_line(str(value))
    return text if len(text) <= WIDEST else text[:WIDEST - 1] + "…"


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    from tcpkit.http import COLUMNS

    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    for values in itertools.chain([COLUMNS], (row.values() for row in rows)):
        writer.writerow([one_line(value) if isinstance(value, str) else value for value in values])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def as_json(rows: Iterable[Row]) -> Iterator[str]:
    yield json.dumps(list(rows), indent=1) + "\n"


def as_json_lines(rows: Iterable[Row]) -> Iterator[str]:
    return (json.dumps(row) + "\n" for row in rows)


WRITERS = {Format.table: as_grid, Format.csv: as_csv, Format.json: as_json, Format.jsonl: as_json_lines}
