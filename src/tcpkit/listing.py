"""Packets as text, batch by batch: the ``fields`` contract and the packet list."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from tcpcore.fieldtext import Formatter
from tcpcore.fieldtext import TextKind as Kind
from tcpkit.capture import Capture
from tcpkit.columns import Column
from tcpkit.corrections import Changes, correction_table
from tcpkit.errors import FieldError
from tcpkit.fields import build_formatter, find_column, find_columns, header, stages_of
from tcpkit.grid import grid
from tcpkit.packet_columns import PACKETS, PAYLOAD
from tcpkit.pipeline import Pipeline
from tcpkit.values import Array

FIELDS = {column.wireshark: column for column in (*PACKETS, PAYLOAD)}
# The packet list: columns, their titles, and their widths (negative: to the left; 0: to the end of the line).
LISTED = (("frame", "No.", 7), ("time_since_start", "Time", 14), ("src", "Source", -15), ("dst", "Destination", -15),
          ("frame_len", "Length", 6), ("info", "Info", 0), ("verdict_text", "", 0))
IPV6_WIDTH = -39


def field_list() -> bytes:
    """Every field that can be chosen, and what it means."""
    rows = [[name, column.name, printed_unit(column), column.doc] for name, column in sorted(FIELDS.items())]
    return f"{grid(['field', 'Python name', 'unit', 'meaning'], rows)}\n".encode()


def printed_unit(column: Column) -> str:
    """That of the text, which has seconds where arrays have nanoseconds."""
    return column.unit.replace("ns", "s", 1) if column.kind in (Kind.SECONDS, Kind.SINCE_START) else column.unit


def write_fields(capture: Capture, names: Sequence[str], out: BinaryIO, where: str = "") -> None:
    """A header line, then one tab-separated row for each frame with TCP; FieldError for an unknown name."""
    columns = [_field(name) for name in names]
    pipeline = capture.pipeline(stages_of(columns), where, payload=PAYLOAD in columns)
    settled = "verdicts" in pipeline.stages and PAYLOAD not in columns and not capture.follow
    head = header(names, "fields")
    for text in _field_lines(pipeline, build_formatter(columns, pipeline.batch.dtype), settled):
        out.write(head + text)
        head = b""
    out.write(head)


def _field(name: str) -> Column:
    """By Wireshark's names alone: some of the others, such as frame, are fields of tshark that mean something else."""
    for column in FIELDS.values() if name not in FIELDS else ():
        if column.name == name:
            raise FieldError(name, column.wireshark)
    return find_column(name, FIELDS)


def _field_lines(pipeline: Pipeline, formatter: Formatter, settled: bool) -> Iterator[bytes]:
    if settled:
        for rows, tunnels, _ in pipeline.pieces(settled=True):
            formatter.start_ns = pipeline.start_ns
            yield formatter.rows(rows, tunnels)
    else:
        for batch in pipeline:
            formatter.start_ns = pipeline.start_ns
            yield formatter.batch(batch)


def packet_lines(capture: Capture, where: str = "") -> Iterator[bytes]:
    """The packet list, batch by batch: number, time, ends, length, what the segment says, and what it really was.

    Verdicts are settled, but not those of what may be slow in coming: its lines must not wait.
    """
    at_once = capture.follow or capture.piped
    return lines_of(capture.pipeline(stages_of(_listed_columns()), where), settled=not at_once)


def lines_of(pipeline: Pipeline, *, settled: bool) -> Iterator[bytes]:
    """The packet list of a pass through all stages that it needs.

    If not ``settled``, verdicts are the first ones, and below a segment that changes one stands what it is now.
    """
    columns = _listed_columns()
    widths = [width for _, _, width in LISTED]
    formatter = build_formatter(columns, pipeline.batch.dtype, widths=widths)
    told = False
    for rows, tunnels, changes in pipeline.pieces(settled=settled):
        if IPV6_WIDTH not in widths and np.any(rows["ip_version"] == 6):
            widths[2] = widths[3] = IPV6_WIDTH
            formatter = build_formatter(columns, rows.dtype, widths=widths)
        formatter.start_ns = pipeline.start_ns
        text = formatter.rows(rows, tunnels)
        yield (b"" if told else _titles(widths)) + (_with_changes(text, rows, changes) if changes else text)
        told = True
    if not told:
        yield _titles(widths)


def _titles(widths: Sequence[int]) -> bytes:
    """The line above the packet list."""
    titles = (title.rjust(width) if width > 0 else title.ljust(-width)
              for (_, title, _), width in zip(LISTED, widths, strict=True))
    return ("  ".join(titles).rstrip() + "\n").encode()


def _with_changes(text: bytes, rows: Array, changes: Changes) -> bytes:
    """The lines of ``rows``, and below those that change verdicts what these are now."""
    table = correction_table(changes)
    below: dict[int, dict[int, str]] = {}
    for by, frame, words in zip(*(table[name].tolist() for name in ("changed_by", "frame", "verdict_text")),
                                strict=True):
        below.setdefault(by, {})[frame] = f"{'->':>7}  #{frame}: {words}\n"
    lines = text.splitlines(keepends=True)
    return b"".join(line + "".join(below.get(frame, {}).values()).encode()
                    for line, frame in zip(lines, rows["frame"].tolist(), strict=True))


def _listed_columns() -> list[Column]:
    return list(find_columns((name for name, _, _ in LISTED), PACKETS))
