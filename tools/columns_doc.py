"""Writes docs/columns.md from the column definitions: ``python tools/columns_doc.py``."""
from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import tcpkit
from tcpcore.fieldtext import TextKind as Kind
from tcpkit.columns import EPOCH, Column, Schema
from tcpkit.direction_columns import DIRECTIONS
from tcpkit.flow_columns import CONVERSATIONS, FLOWS
from tcpkit.handshake_columns import HANDSHAKES
from tcpkit.packet_columns import PAYLOAD, SCHEMA
from tcpkit.retransmission_columns import RETRANSMISSIONS
from tcpkit.states import STATES
from tcpkit.stream_columns import CHUNKS
from tcpkit.threat_columns import HALF_OPEN, THREATS
from tcpkit.values import TEXTS

TARGET = Path(__file__).parents[1] / "docs" / "columns.md"
TABLES = (
    (SCHEMA, "`Capture.packets`, `tcpkit.scan`, `tcpkit packets`, `tcpkit fields`: one row for each frame with TCP."),
    (FLOWS, "`Capture.flows`, `tcpkit flows`: one row for each connection."),
    (DIRECTIONS, "`Capture.directions`, `tcpkit retransmissions --view directions`: two rows for each connection, what "
     "either end sent and how it fared."),
    (RETRANSMISSIONS, "`Capture.retransmissions`, `tcpkit retransmissions`: one row for each segment that was sent "
     "again. `kind` is tshark's word here; in the packets it is the verdict, which is `verdict` here. What is "
     "`since_original` there is `delay` here. The Wireshark names mean the same in both."),
    (STATES, "`Capture.states`, `tcpkit states`: one row for each connection that is not over."),
    (CONVERSATIONS, "`Capture.conversations`, `tcpkit conversations`: one row for each connection with a whole "
     "segment."),
    (HANDSHAKES, "`Capture.handshakes`, `tcpkit handshakes`: one row for each connection of which a SYN or SYN+ACK was "
     "captured."),
    (THREATS, "`Capture.threats`, `tcpkit threats`: one row for each flood, scan and dead server."),
    (HALF_OPEN, "`Capture.half_open`, `tcpkit threats --view half-open`: one row for each server and port, and step of "
     "time."),
    (CHUNKS, "`chunks` of either side of a stream of `Capture.streams`: one row for each part of its bytes."),
)
INTRODUCTION = """\
# Columns

Written by `tools/columns_doc.py` from the definitions; not to be edited by hand.

Every column has a Python name; those with a Wireshark name can be asked for by either. Display filters know both
names, `tcpkit fields` Wireshark's alone. Names that begin with `tcpkit.` are tcpkit's own, all others mean what they
mean in tshark 4.0. A value that a row does not have is masked in NumPy, null in Arrow, pandas and Polars, empty in
text. Text but JSON has 1 for true and 0 for false, or nothing where a column only marks rows, such as those with a
finding. Letters with numbers (ST-1, RL-1 …) are the [rules](semantics.md) by which a value is found. Times and
durations are nanoseconds in arrays, Arrow and data frames, which is the unit named here; text (tables, CSV, JSON,
`tcpkit fields`) and display filters have them in seconds. *Stage* is how far the work must go to know it.
"""


def main() -> None:
    TARGET.write_text(document())


def document() -> str:
    parts = [INTRODUCTION]
    for schema, meaning in (*TABLES, *other_tables()):
        name = schema.name.replace("_", "-")
        parts.append(f"\n## {name[0].upper()}{name[1:]}\n\n{meaning}\n\n{table(schema)}")
    parts.append(f"\n`{PAYLOAD.wireshark}` is known to `tcpkit fields` alone: {PAYLOAD.doc}.\n")
    return "".join(parts)


def other_tables() -> Iterator[tuple[Schema, str]]:
    """Those of modules named ..._columns that TABLES does not name."""
    known = [schema.name for schema, _ in TABLES]
    for module in sorted(info.name for info in pkgutil.iter_modules(tcpkit.__path__)):
        if module.endswith("_columns"):
            columns = importlib.import_module(f"tcpkit.{module}")
            for schema in vars(columns).values():
                if isinstance(schema, Schema) and schema.name not in known:
                    known.append(schema.name)
                    yield schema, (columns.__doc__ or "").partition("\n")[0]


def table(schema: Schema) -> str:
    staged = len({column.stage for column in schema.columns}) > 1
    head = ["Python name", "Wireshark name", "type", "unit", "meaning", *(["stage"] if staged else [])]
    rows = [[f"`{column.name}`", f"`{column.wireshark}`" if column.wireshark else "", type_of(column), column.unit,
             meaning_of(column), *([column.stage] if staged else [])] for column in schema.columns]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, ["---"] * len(head), *rows])


def type_of(column: Column) -> str:
    if column.kind == Kind.SECONDS and column.unit == EPOCH:
        return "time"
    if column.kind in (Kind.SECONDS, Kind.SINCE_START):
        return "duration"
    if column.kind == Kind.BITS:
        return "boolean"
    if column.kind == Kind.REAL:
        return "real"
    return "text" if column.kind in TEXTS or column.words else "integer"


def meaning_of(column: Column) -> str:
    """With the words that an enumerated column may hold."""
    words = [f"`{word}`" for word in column.words if word] if column.kind not in (Kind.BITS,) else []
    return column.doc.replace("|", "\\|") + (f" ({', '.join(words)})" if words else "")


if __name__ == "__main__":
    main()
