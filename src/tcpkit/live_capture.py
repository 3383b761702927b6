"""``live``: what crosses an interface, as tables, while it arrives."""
from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType

from tcpkit.capture import schema_of
from tcpkit.capture_writer import SNAPLEN, CaptureWriter, Ring
from tcpkit.errors import CaptureError
from tcpkit.flows import flow_table
from tcpkit.interface_reader import BUFFER, InterfaceReader, Statistics
from tcpkit.pipeline import ALL_STAGES, Observer, Pipeline
from tcpkit.table import Table, joined


class LiveCapture:
    """Segments as they arrive: iterating gives a table of the new ones some times a second, empty if there are none.

    ``flows`` may be asked for at any time, between two tables as well as at the end.  The same stages run as
    for a file: what is reported here is what reading the written file reports.
    """

    def __init__(self, interface: str, *, capture_filter: str = "", where: str = "", count: int = 0,
                 duration: float = 0.0, write: str | os.PathLike[str] = "", ring: Ring | None = None,
                 snaplen: int = SNAPLEN, buffer_size: int = BUFFER, promiscuous: bool = True,
                 observer: Observer | None = None) -> None:
        self._reader = InterfaceReader(interface, capture_filter=capture_filter, count=count, duration=duration,
                                       buffer_size=buffer_size, promiscuous=promiscuous)
        self.writer = CaptureWriter(write, snaplen=snaplen, ring=ring) if write else None
        self._reader.on_batch = self.writer.write if self.writer else None
        self.pipeline = Pipeline(self._reader, ALL_STAGES, where=where, observer=observer, totals="too")

    def __enter__(self) -> LiveCapture:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Table]:
        schema = schema_of(self.pipeline)
        try:
            for batch in self.pipeline:
                yield Table(batch.array, schema, tunnels=batch.tunnel_array, start_ns=self.pipeline.start_ns)
        finally:
            self.close()

    def stop(self) -> None:
        """End the iteration after the present table."""
        self.pipeline.stopped = True

    def close(self) -> None:
        """End the capture and finish the file that is written."""
        self._reader.close()
        if self.writer:
            self.writer.close()

    @property
    def flows(self) -> Table:
        """One row for each connection seen so far."""
        return joined(flow_table(streams) for streams in self.pipeline.stream_records())

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
         buffer_size: int = BUFFER, promiscuous: bool = True) -> LiveCapture:
    """Capture from ``interface`` until ``count`` frames, ``duration`` seconds, ``stop()`` or ``close()``.

    ``capture_filter`` (libpcap's syntax) runs in the kernel; ``where`` (a display filter) chooses the rows of the
    tables.  ``write``: also write every frame to this file, pcapng if its name says so, cut to ``snaplen``, and
    rotated by ``ring``.  ``buffer_size``: bytes the kernel holds for us.
    CaptureError if the interface cannot be used, FilterError for a wrong filter.
    """
    return LiveCapture(interface, capture_filter=capture_filter, where=where, count=count, duration=duration,
                       write=write, ring=ring, snaplen=snaplen, buffer_size=buffer_size, promiscuous=promiscuous)
