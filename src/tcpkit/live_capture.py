"""``live``: what crosses an interface, as tables, while it arrives."""
from __future__ import annotations

import os
import time
from collections.abc import Iterator
from types import TracebackType

from tcpkit.budget import checked, checked_number
from tcpkit.capture import schema_of
from tcpkit.capture_writer import SNAPLEN, CaptureWriter, Ring
from tcpkit.corrections import correction_table
from tcpkit.errors import CaptureError
from tcpkit.flows import flow_table
from tcpkit.interface_reader import BUFFER, InterfaceReader, Statistics
from tcpkit.pipeline import MSL, Observer, Pipeline
from tcpkit.stages import ALL_STAGES
from tcpkit.states import state_table
from tcpkit.table import Table, joined
from tcpkit.trackers import StreamRecords, without_end

MEMORY = 512 << 20               # bytes: some hundred thousand connections at a time
LEAST_SNAPLEN = 14               # bytes: the header of Ethernet


class LiveCapture:
    """Segments as they arrive: iterating gives a table of the new ones some times a second, empty if there are none.

    Its ``corrections`` are what these segments change in the verdicts on themselves and earlier ones, or None.
    ``flows``, ``states`` and ``finished`` may be asked for between two tables, the first two also at the end.  The
    same stages run as for a file: what is reported here is what reading the written file reports.
    """

    def __init__(self, interface: str, *, capture_filter: str = "", where: str = "", count: int = 0,
                 duration: float = 0.0, write: str | os.PathLike[str] = "", ring: Ring | None = None,
                 snaplen: int = SNAPLEN, buffer_size: int = BUFFER, promiscuous: bool = True, msl: float = MSL,
                 memory_limit: int = MEMORY, idle_timeout: float = 0.0, fanout: int = 0, analyse: bool = True,
                 observer: Observer | None = None) -> None:
        memory_limit = checked(memory_limit)
        checked_number(snaplen, "snaplen", LEAST_SNAPLEN, SNAPLEN)
        self._reader = InterfaceReader(interface, capture_filter=capture_filter, count=count, duration=duration,
                                       buffer_size=buffer_size, promiscuous=promiscuous, fanout=fanout)
        self.pipeline = Pipeline(self._reader, ALL_STAGES if analyse else (), where=where, observer=observer,
                                 detail="all", msl=msl, memory_limit=memory_limit, idle_timeout=idle_timeout)
        # Last: a wrong filter leaves the file as it was.
        self.writer = CaptureWriter(write, snaplen=snaplen, ring=ring) if write else None
        self._reader.on_batch = self.writer.write if self.writer else None
        self._end_ns = 0

    def __enter__(self) -> LiveCapture:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Table]:
        schema = schema_of(self.pipeline)
        try:
            for batch in self.pipeline:
                table = Table(batch.array, schema, tunnels=batch.tunnel_array, start_ns=self.pipeline.start_ns)
                table.corrections = correction_table(batch.corrections) if batch.corrections else None
                yield table
        finally:
            self.close()

    def stop(self) -> None:
        """End the iteration after the present table."""
        self.pipeline.stopped = True

    def close(self) -> None:
        """End the capture and finish the file that is written."""
        self._end_ns = self._end_ns or time.time_ns()
        self._reader.close()
        if self.writer:
            self.writer.close()

    @property
    def flows(self) -> Table:
        """One row for each connection seen, whether it goes on or is over, except those that have been let go of.

        That is what ``memory_limit`` and ``idle_timeout`` do; ``finished`` told of them then.  ``n_flows`` counts all.
        """
        return joined(map(flow_table, self.pipeline.stream_records()))

    @property
    def finished(self) -> Table:
        """The flows that came to their end with the present table: closed by both ends, reset, or given up early."""
        return flow_table(self.pipeline.ended_records())

    @property
    def unfinished(self) -> Table:
        """The flows that have not come to their end, whether they go on or fell silent.

        At the end of a capture each connection is either here or was in one ``finished``.
        """
        return joined(flow_table(without_end(streams)) for streams in self.pipeline.stream_records())

    @property
    def states(self) -> Table:
        """One row for each connection that is not over: the states of both ends at this moment, ages, round trips."""
        return joined(map(self._states_of, self.pipeline.stream_records()))

    def latest_flows(self, count: int) -> Table:
        """Those rows of ``flows`` whose connections had a segment last."""
        return flow_table(self.pipeline.latest_records(count))

    def latest_states(self, count: int) -> Table:
        """Of the connections that had a segment last, those rows of ``states`` that there are."""
        return self._states_of(self.pipeline.latest_records(count))

    def _states_of(self, streams: StreamRecords) -> Table:
        return state_table(streams, self._end_ns or time.time_ns(), self.pipeline.time_wait_ns)

    @property
    def n_flows(self) -> int:
        """Connections seen so far."""
        assert self.pipeline.flows
        return self.pipeline.flows.n_streams

    @property
    def n_finished(self) -> int:
        """Rows of ``finished``."""
        return self.pipeline.n_ended

    @property
    def n_bytes(self) -> int:
        """Bytes captured so far."""
        return self._reader.n_bytes

    @property
    def n_frames(self) -> int:
        """Frames captured so far."""
        return self._reader.n_frames

    @property
    def statistics(self) -> Statistics:
        """Frames the kernel received and dropped."""
        return self._reader.statistics

    @property
    def warnings(self) -> list[CaptureError]:
        """Why the interface failed, if it did."""
        return self.pipeline.warnings


def live(interface: str, *, capture_filter: str = "", where: str = "", count: int = 0, duration: float = 0.0,
         write: str | os.PathLike[str] = "", ring: Ring | None = None, snaplen: int = SNAPLEN,
         buffer_size: int = BUFFER, promiscuous: bool = True, msl: float = MSL,
         memory_limit: int = MEMORY, idle_timeout: float = 0.0, fanout: int = 0) -> LiveCapture:
    """Capture from ``interface`` until ``count`` frames, ``duration`` seconds, ``stop()`` or ``close()``.

    ``capture_filter`` (libpcap's syntax) runs in the kernel; ``where`` (a display filter) chooses the rows of the
    tables.  ``write``: also write every frame to this file, pcapng if its name says so, cut to ``snaplen``, and
    rotated by ``ring`` (``tcpkit.capture_writer.Ring``).  ``buffer_size``: bytes the kernel holds for us.  ``msl``:
    seconds that a segment may live; TIME-WAIT lasts twice as long.  ``memory_limit``: bytes for connections; when they
    are used up, those that are over or have long been silent are given up, and told by ``finished``.
    ``idle_timeout``: seconds of silence that end a connection, which ``finished`` tells then too; 0: none do.
    ``fanout``: sessions with the same number, if it is not 0, share the connections of the interface among them.
    CaptureError if the interface cannot be used, FilterError for a wrong filter, ValueError for a number out of its
    bounds, TypeError for what is none.
    """
    return LiveCapture(interface, capture_filter=capture_filter, where=where, count=count, duration=duration,
                       write=write, ring=ring, snaplen=snaplen, buffer_size=buffer_size, promiscuous=promiscuous,
                       msl=msl, memory_limit=memory_limit, idle_timeout=idle_timeout, fanout=fanout)
