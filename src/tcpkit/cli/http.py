"""``http``: requests and their responses."""
from __future__ import annotations

import csv
import io
import json
from typing import Any

from tcpkit.cli.app import CaptureArgument, CaptureFilterOption, Format, FormatOption, OutputOption, app
from tcpkit.cli.output import opened
from tcpkit.cli.reading import reading
from tcpkit.cli.text import one_line

SHOWN = ("stream", "request_frame", "response_frame", "response_last_frame", "method", "host", "target", "status",
         "response_bytes", "content_type", "wait", "transfer")
WIDEST = 60                      # letters of a cell


@app.command()
def http(file: CaptureArgument, capture_filter: CaptureFilterOption = "", form: FormatOption = Format.table,
         output: OutputOption = None) -> None:
    """One line for each HTTP/1.x request with its response: frames, sizes, times."""
    from tcpkit.http import exchanges

    with reading(file, capture_filter=capture_filter, stages=("flows",)) as capture:
        rows = [exchange.to_dict() for exchange in exchanges(capture)]
        with opened(output) as out:
            if form == Format.parquet:
                import pyarrow

                from tcpkit.convert import write_parquet

                write_parquet(iter([pyarrow.Table.from_pylist(rows)]), out)
            else:
                out.write(WRITERS[form](rows).encode())


def as_grid(rows: list[dict[str, Any]]) -> str:
    from tcpkit.grid import grid

    return grid(SHOWN, [[cell(row[name]) for name in SHOWN] for row in rows]) + "\n"


def cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.6f}" if isinstance(value, float) else one_line(str(value))
    return text if len(text) <= WIDEST else text[:WIDEST - 1] + "…"


def as_csv(rows: list[dict[str, Any]]) -> str:
    from tcpkit.http import COLUMNS

    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, indent=1) + "\n"


def as_json_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


WRITERS = {Format.table: as_grid, Format.csv: as_csv, Format.json: as_json, Format.jsonl: as_json_lines}
