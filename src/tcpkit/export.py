"""Captures as directories of table files for DuckDB, Polars, pandas and Dask; an interrupted export goes on.

``DIR/TABLE/capture=NAME/TABLE.FORMAT`` holds one table of one capture: readers that know Hive partitions get a
column ``capture``.  A file has its name only when it is complete, and a capture is done when
``DIR/done/NAME.json`` says so, which also tells what it was made from.
"""
from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import tcpkit
from tcpkit.budget import LEAST, LIMIT, checked, checked_timeout
from tcpkit.capture_filter import build_filter
from tcpkit.capture_names import named, names_of, owner_of, place_of, record_of
from tcpkit.completed_file import completed, kept_from_others
from tcpkit.convert import need, write_arrow, write_parquet
from tcpkit.errors import refuse_one
from tcpkit.rotated import files_of
from tcpkit.row_filter import RowFilter
from tcpkit.table import Table
from tcpkit.text import cause_of

FORMATS = ("parquet", "arrow", "csv")
TABLES = ("packets", "flows", "directions", "conversations", "retransmissions")
SORTED_BY = {"packets": "frame", "retransmissions": "frame"}     # the others by stream, if none was evicted


@dataclass(frozen=True)
class Exported:
    """What became of one capture: rows written by table, damage met, or why nothing could be written."""

    capture: str
    rows: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    was_done: bool = False                       # by an earlier export


@dataclass(frozen=True)
class Job:
    """What makes two exports of a capture the same."""

    place: str                                   # of the capture, absolute
    size: int                                    # of all its files
    modified_ns: int                             # the latest of them
    tables: tuple[str, ...]
    form: str
    capture_filter: str
    where: str
    idle_timeout: float
    version: str = tcpkit.__version__


class Abandoned(Exception):
    """Nobody waits for the capture any more."""


def export(captures: Sequence[str | os.PathLike[str]], directory: str | os.PathLike[str], *,
           tables: Iterable[str] = ("packets", "flows"), form: str = "parquet", capture_filter: str = "",
           where: str = "", threads: int | None = None, memory_limit: int = LIMIT,
           idle_timeout: float = 0.0, stopped: Callable[[], bool] = lambda: False) -> Iterator[Exported]:
    """Write ``tables`` of each capture below ``directory``; yields an account of each capture when it is finished.

    ``form``: "parquet", "arrow" (IPC) or "csv".  ``where``: a display filter that chooses the rows of packets.
    What an earlier, interrupted export finished is not done again, unless the capture has changed.  A capture that
    cannot be read, or that another export to the directory is at work on, is accounted for with ``error`` and does not
    keep the others.  ``threads`` captures at a time, which share ``memory_limit``; fewer if it is too small for that.
    ``idle_timeout``: as for ``open``.  ``stopped`` is asked again and again: once it says so, or the caller closes the
    iterator, captures in hand are left at their next batch, and are not done; those that were finished are told.
    ValueError for an unknown table or form, or a limit too small; FilterError for a wrong filter; MissingLibraryError
    without pyarrow, which all formats but csv need.
    """
    refuse_one(captures, "captures")
    refuse_one(tables, "tables")
    chosen = tuple(tables)
    check(chosen, form, capture_filter, where)
    root = Path(directory)
    checked_timeout(idle_timeout)
    limit = checked(memory_limit)
    at_once = max(min(threads or os.cpu_count() or 1, limit // LEAST, len(captures)), 1)
    closed = Event()

    def over() -> bool:
        return closed.is_set() or stopped()

    with ThreadPoolExecutor(at_once) as pool:
        running: list[Future[Exported | None]] = []
        try:
            for path, name in named(captures, root):
                try:
                    job = Job(place_of(path), *state_of(path), chosen, form, capture_filter, where, idle_timeout)
                except (tcpkit.CaptureError, OSError) as error:
                    yield Exported(os.fspath(path), error=cause_in(path, error))
                    continue
                running.append(pool.submit(export_one, os.fspath(path), job, name, root, limit // at_once, over))
            for finished in as_completed(running):
                account = finished.result()
                if account:
                    yield account
        finally:
            closed.set()
            for waiting in running:
                waiting.cancel()


def check(tables: Iterable[str], form: str, capture_filter: str, where: str) -> None:
    """Raises what is wrong for any capture."""
    for name in tables:
        if name not in TABLES:
            raise ValueError(f'there is no table "{name}" to export; there are {", ".join(TABLES)}')
    if form not in FORMATS:
        raise ValueError(f'cannot write "{form}", only {", ".join(FORMATS)}')
    if form != "csv":
        need("pyarrow", "arrow")
    if capture_filter:
        build_filter(capture_filter)
    if where:
        RowFilter(where)


def state_of(path: Path) -> tuple[int, int]:
    """Bytes of a capture and the time of its last change: those of the files in it if it is a directory."""
    files: list[Any] = files_of(path) if path.is_dir() else [path]
    states = [os.stat(file) for file in files]
    if not all(stat.S_ISREG(state.st_mode) for state in states):
        raise tcpkit.CaptureError(str(path), "only files are exported, and directories of files")
    return sum(state.st_size for state in states), max(state.st_mtime_ns for state in states)


def cause_in(path: str | os.PathLike[str], error: Exception) -> str:
    """What is wrong, for an account that names the capture anyway."""
    cause = error.cause if isinstance(error, tcpkit.FilterError) else cause_of(error)
    return cause.removeprefix(f"{os.fspath(path)}: ")


def export_one(capture: str, job: Job, name: str, root: Path, memory_limit: int,
               over: Callable[[], bool]) -> Exported | None:
    """All tables of one capture, unless they are there; None if it was left."""
    record = record_of(name, root)
    files = {table: root / table / f"capture={name}" / f"{table}.{job.form}" for table in job.tables}
    done = earlier(record, capture, job, memory_limit)
    if done and all(file.exists() for file in files.values()):
        return done

    def look_up(_: object = None) -> None:
        if over():
            raise Abandoned

    try:
        look_up()
        # All the time, so that no other export writes the same files, or the same capture as others.
        with completed(record) as out, under_one_name(Path(capture), name, root):
            record.unlink(missing_ok=True)
            source = tcpkit.open(capture, capture_filter=job.capture_filter, memory_limit=memory_limit,
                                 idle_timeout=job.idle_timeout, observer=look_up)
            rows = {table: write_one(source, table, job, file, look_up) for table, file in files.items()}
            account = Exported(capture, rows, [str(warning) for warning in source.warnings])
            out.write(json.dumps({"job": asdict(job), "rows": rows, "warnings": account.warnings,
                                  "memory_limit": memory_limit}, indent=1).encode())
    except Abandoned:
        return None
    except (tcpkit.CaptureError, tcpkit.FilterError, OSError) as error:
        return Exported(capture, error=cause_in(capture, error))
    return account


@contextmanager
def under_one_name(capture: Path, name: str, root: Path) -> Iterator[None]:
    """FileExistsError or BlockingIOError where another export has given the name, or the capture its other name.

    It has two if other captures are called the same in one export, and in the other none.
    """
    place, (plain, marked) = place_of(capture), names_of(capture)
    twin = marked if name == plain else plain
    with kept_from_others(record_of(marked, root)) if name == plain else nullcontext():
        if os.path.exists(owner := owner_of(name, root)) and owner != place:
            raise FileExistsError(errno.EEXIST, f"another export has just given its name to {owner}; try again")
        if owner_of(twin, root) == place:
            raise FileExistsError(errno.EEXIST, f"another export has named it {twin}; try again")
        yield


def earlier(record: Path, capture: str, job: Job, memory_limit: int) -> Exported | None:
    """The account of an earlier export, if it was of the same; of one with warnings, had it no less memory than now."""
    try:
        done = json.loads(record.read_text())
        if done["job"] == json.loads(json.dumps(asdict(job))) and (
                not done["warnings"] or done["memory_limit"] >= memory_limit):
            rows = {table: int(done["rows"][table]) for table in job.tables}
            return Exported(capture, rows, list(map(str, done["warnings"])), was_done=True)
    except (OSError, ValueError, TypeError, KeyError):           # there is none, or it is damaged
        pass
    return None


def write_one(capture: tcpkit.Capture, table: str, job: Job, path: Path, look_up: Callable[[object], None]) -> int:
    """The number of rows written; ``look_up`` is called before each piece."""
    rows = 0

    def pieces() -> Iterator[Table]:
        nonlocal rows
        ways: dict[str, Callable[[], Iterable[Table]]] = {
            "packets": lambda: capture.batches(where=job.where, settled=True), "flows": capture.flow_pieces,
            "directions": capture.direction_pieces, "conversations": capture.conversation_pieces,
            "retransmissions": capture.retransmission_pieces}
        for piece in ways[table]():
            look_up(piece)
            rows += len(piece)
            yield piece

    try:
        with completed(path) as file:
            if job.form == "csv":
                for place, piece in enumerate(pieces()):
                    file.write(piece.to_text("csv", head=place == 0))
            else:
                write: Any = write_parquet if job.form == "parquet" else write_arrow
                write((piece.to_arrow() for piece in pieces()), file, sorted_by=SORTED_BY.get(table))
    except BaseException:
        with suppress(OSError):                  # unless there is another file in it
            path.parent.rmdir()
        raise
    return rows
