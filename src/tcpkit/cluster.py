"""Tables over many captures as Dask DataFrames: one partition for each capture, worked on wherever Dask runs it.

A list of files among the captures is one capture in order of time, such as a rotated set: its connections go on
across the seams.  One worker reads the whole set in order, or, for tables that can be joined exactly, each file is read
by any worker and what they tell is joined (``split``).
"""
from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import tcpkit
from tcpkit import parts
from tcpkit.budget import LIMIT, checked, checked_timeout
from tcpkit.columns import Stage
from tcpkit.connection_tables import rows_of
from tcpkit.convert import need
from tcpkit.errors import refuse_one
from tcpkit.export import TABLES
from tcpkit.stages import ALL_STAGES
from tcpkit.table import Table

if TYPE_CHECKING:
    import pandas
    from dask.dataframe import DataFrame
    from distributed import Client

TOPIC = "tcpkit"               # of the events by which workers report captures they could not read
EMPTY = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")       # a pcap file without frames
CaptureSet = str | Sequence[str]


class Failure(NamedTuple):
    """A capture that gave no rows, or not all of them, and why."""

    capture: str
    cause: str


class CaptureWarning(UserWarning):
    """A capture could not be read, or not to its end; without a cluster, which would keep a ``failures`` list."""


def table(captures: Iterable[CaptureSet], name: str = "flows", *, columns: Sequence[str] | None = None,
          capture_filter: str = "", where: str = "", split: bool = False, memory_limit: int = LIMIT,
          idle_timeout: float = 0.0) -> DataFrame:
    """The table ``name`` of all captures, with a column ``capture`` that tells them apart.

    ``captures``: paths or fsspec URLs that the workers can open.  ``columns``: of the table, all if not given.
    ``where``: a display filter that chooses the rows, with ``split`` by the columns there are then.  A capture that
    cannot be read gives no rows, a damaged one those before the damage; ``failures`` lists both.  ``split``: spread
    the files of a rotated set over the workers; only "flows", without the columns of analysis and states, and
    "conversations".  Files that overlap in time, or have a fragmented datagram across a seam, are read by one worker
    after all.  ``memory_limit``: bytes, for each pass over a capture, as for ``open``.  ``idle_timeout``: likewise; not
    with ``split``, since how long a connection has been silent is not known in the middle of a set.  ValueError for
    an unknown table, a limit too small or what cannot be split, FieldError for an unknown column, FilterError for a
    wrong filter.
    """
    refuse_one(captures, "captures")
    if name not in TABLES:
        raise ValueError(f'there is no table "{name}"; there are {", ".join(TABLES)}')
    if split and name not in parts.TABLES:
        raise ValueError(f'the table "{name}" cannot be joined from parts; {", ".join(parts.TABLES)} can')
    if split and idle_timeout:
        raise ValueError("what an idle time-out ends cannot be told from parts: it takes a set in order, without split")
    frames = need("dask.dataframe", "cluster")
    work = Work(name, tuple(columns) if columns is not None else None, capture_filter, where,
                ("flows",) if split else ALL_STAGES, checked(memory_limit),
                checked_timeout(idle_timeout))
    meta = work.rows(io.BytesIO(EMPTY), "")
    if split:
        made: DataFrame = frames.from_delayed([_split(work, one) for one in captures], meta=meta, prefix="tcpkit",
                                              verify_meta=False)
    else:
        made = frames.from_map(work, list(captures), meta=meta, label="tcpkit")
    return made


def _split(work: Work, captures: CaptureSet) -> Any:
    """The delayed frame of one set: a task for each of its files, and one that joins what they give."""
    delayed = need("dask", "cluster").delayed
    files = [captures] if isinstance(captures, str) else list(captures)
    return delayed(work.joined)(files, [delayed(work.part)(file) for file in files])


def failures(client: Client) -> list[Failure]:
    """The captures that workers of this cluster have reported so far, each once, in order of their names."""
    events: Any = client.get_events(TOPIC)
    return sorted({Failure(*event) for _, event in events})


class Work(NamedTuple):
    """What is done with each capture, as it is sent to workers."""

    table: str
    columns: tuple[str, ...] | None
    capture_filter: str
    where: str
    stages: tuple[Stage, ...]
    memory_limit: int
    idle_timeout: float = 0.0

    def __call__(self, captures: CaptureSet, label: str = "") -> pandas.DataFrame:
        label = label or (captures if isinstance(captures, str) else captures[0])
        try:
            return self.rows(captures, label)
        except (tcpkit.CaptureError, OSError) as error:
            report(Failure(label, str(error)))
            return self.rows(io.BytesIO(EMPTY), label)

    def rows(self, source: Any, label: str) -> pandas.DataFrame:
        """One capture's rows."""
        capture = tcpkit.open(source, capture_filter=self.capture_filter, stages=self.stages,
                              memory_limit=self.memory_limit, idle_timeout=self.idle_timeout)
        frame = self.frame(getattr(capture, self.table), label)
        for warning in capture.warnings:
            report(Failure(label, str(warning)))
        return frame

    def part(self, file: str) -> parts.Part | None:
        """What one file of a set tells of its streams; None, which is reported, if it cannot be read."""
        try:
            found = parts.read_part(file, self.capture_filter, self.memory_limit)
        except (tcpkit.CaptureError, OSError) as error:
            report(Failure(file, str(error)))
            return None
        for warning in found.warnings:
            report(Failure(file, warning))
        return found

    def joined(self, files: list[str], found: list[parts.Part | None]) -> pandas.DataFrame:
        """The rows of a set from those of its files that could be read."""
        read = [(file, part) for file, part in zip(files, found, strict=True) if part is not None]
        made = parts.join_parts([part for _, part in read], self.table)
        return self([file for file, _ in read], files[0]) if made is None else self.frame(made, files[0])

    def frame(self, whole: Table, label: str) -> pandas.DataFrame:
        """The chosen rows and columns of a table as a data frame that names its capture."""
        frame: pandas.DataFrame = rows_of(whole, self.where).to_pandas(self.columns)
        frame.insert(0, "capture", need("pandas", "cluster").array([label] * len(frame), dtype="string[pyarrow]"))
        return frame


def report(failure: Failure) -> None:
    """Tell the cluster's scheduler, or whoever reads warnings where there is no cluster."""
    try:
        worker = need("distributed", "cluster").get_worker()
    except ValueError:
        warnings.warn(f"{failure.capture}: {failure.cause}", CaptureWarning, stacklevel=2)
    else:
        worker.log_event(TOPIC, tuple(failure))
