"""Tables over many captures as Dask DataFrames: one partition for each capture, worked on wherever Dask runs it.

A list of files among the captures is one capture in order of time, such as a rotated set: its connections go on
across the seams, because one worker reads the whole set in order.
"""
from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import tcpkit
from tcpkit.convert import need

if TYPE_CHECKING:
    import pandas
    from dask.dataframe import DataFrame
    from distributed import Client

TABLES = ("packets", "flows", "directions", "conversations", "retransmissions")
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
          capture_filter: str = "", where: str = "") -> DataFrame:
    """The table ``name`` of all captures, with a column ``capture`` that tells them apart.

    ``captures``: paths or fsspec URLs that the workers can open.  ``columns``: of the table, all if not given.
    ``where``: a display filter that chooses the rows of packets.  A capture that cannot be read gives no rows, a
    damaged one those before the damage; ``failures`` lists both.  ValueError for an unknown table.
    """
    if name not in TABLES:
        raise ValueError(f'there is no table "{name}"; there are {", ".join(TABLES)}')
    frames = need("dask.dataframe", "cluster")
    work = Work(name, tuple(columns) if columns is not None else None, capture_filter, where)
    made: DataFrame = frames.from_map(work, list(captures), meta=work.rows(io.BytesIO(EMPTY), ""), label="tcpkit")
    return made


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

    def __call__(self, captures: CaptureSet) -> pandas.DataFrame:
        label = captures if isinstance(captures, str) else captures[0]
        try:
            return self.rows(captures, label)
        except (tcpkit.CaptureError, OSError) as error:
            report(Failure(label, str(error)))
            return self.rows(io.BytesIO(EMPTY), label)

    def rows(self, source: Any, label: str) -> pandas.DataFrame:
        """One capture's rows."""
        capture = tcpkit.open(source, capture_filter=self.capture_filter)
        chosen = getattr(capture, self.table)
        if self.where and self.table == "packets":
            chosen = chosen.where(self.where)
        frame: pandas.DataFrame = chosen.to_pandas(self.columns)
        frame.insert(0, "capture", need("pandas", "cluster").array([label] * len(frame), dtype="string[pyarrow]"))
        for warning in capture.warnings:
            report(Failure(label, str(warning)))
        return frame


def report(failure: Failure) -> None:
    """Tell the cluster's scheduler, or whoever reads warnings where there is no cluster."""
    try:
        worker = need("distributed", "cluster").get_worker()
    except ValueError:
        warnings.warn(f"{failure.capture}: {failure.cause}", CaptureWarning, stacklevel=2)
    else:
        worker.log_event(TOPIC, tuple(failure))
