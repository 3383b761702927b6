"""Drives batches of frames through the stages: capture, decode, flows, analysis, lifecycle, verdicts."""
from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from tcpcore.analysis import Analysis
from tcpcore.batch import Batch
from tcpcore.decode import Decoder
from tcpcore.flows import FlowTable
from tcpcore.lifecycle import Lifecycle
from tcpcore.verdicts import Verdicts
from tcpkit.columns import Stage
from tcpkit.errors import CaptureError
from tcpkit.values import Array

if TYPE_CHECKING:
    from tcpcore.bpf import Filter
    from tcpcore.metadata import Interface
    from tcpkit.row_filter import RowFilter

# What a stage builds on.
NEEDS: dict[Stage, tuple[Stage, ...]] = {
    "decode": (), "flows": ("decode",), "analysis": ("decode", "flows"), "lifecycle": ("decode", "flows"),
    "verdicts": ("decode", "flows")}
ALL_STAGES: tuple[Stage, ...] = ("decode", "flows", "analysis", "lifecycle", "verdicts")
Observer = Callable[["Pipeline"], None]
Totals = Literal["none", "too", "only"]          # of each stream: not wanted, beside the rows, or instead of them
MSL = 120.0                                      # seconds: maximum segment lifetime (RFC 9293 section 3.4.2)
PIECE = 1 << 14                                  # streams


class StreamRecords(NamedTuple):
    """FLOW rows, and of the same streams FLOW_ANALYSIS, LIFECYCLE and FLOW_VERDICT rows if the pass has them."""

    flows: Array
    analysis: Array | None = None
    lifecycle: Array | None = None
    verdicts: Array | None = None


class FrameReader(Protocol):
    """Fills batches with frames, from files or an interface; ``damages``: (name, position, cause) of failures."""

    name: str

    @property
    def interfaces(self) -> list[Interface]: ...

    @property
    def damages(self) -> list[tuple[str, int, str]]: ...

    def next(self, batch: Batch, /) -> bool: ...

    def close(self) -> None: ...


def with_needs(stages: Iterable[Stage]) -> frozenset[Stage]:
    """The stages and those they build on; ValueError for one that does not exist."""
    wanted = frozenset(stages)
    for stage in wanted - NEEDS.keys():
        raise ValueError(f'there is no stage "{stage}"; there are {", ".join(NEEDS)}')
    return wanted.union(*(NEEDS[stage] for stage in wanted))


class Pipeline:
    """One pass over a capture.  Iterating gives the one batch again and again, each time with the next rows.

    ``capture_filter`` (libpcap syntax) leaves out frames as if they had not been captured; ``where`` (a
    display filter) only keeps rows from being delivered, all count for what is said of the others.
    ``observer`` is called after each batch; setting ``stopped`` ends the pass early.  Damage ends it too,
    and goes to ``warnings``, or is raised if ``strict``.  ``totals``: what the analysis adds up for each stream.
    With two ``threads`` the next batches are read and decoded beside the stages after that; what comes out is the
    same.
    """

    def __init__(self, reader: FrameReader, stages: Iterable[Stage], *, size: int = 0,
                 observer: Observer | None = None, capture_filter: str = "", where: str = "", strict: bool = False,
                 totals: Totals = "none", threads: int = 1, msl: float = MSL) -> None:
        self.reader = reader
        self._where = _row_filter(where) if where else None
        self.stages = with_needs((*stages, *(self._where.stages if self._where else ())))
        self.size = size
        self.position = 0                        # bytes of the capture done
        self.start_ns = 0                        # time of the first frame
        self._started = False
        self.stopped = False
        self.finished = False
        self.warnings: list[CaptureError] = []
        self._observer = observer
        self._strict = strict
        self._threads = threads
        self._rows = totals != "only"
        self.batch = self._new_batch()
        self._filter = _frame_filter(capture_filter) if capture_filter else None
        self._decoder = Decoder()
        self.flows = FlowTable() if "flows" in self.stages else None
        self.has_totals = totals != "none"
        self._analysis = Analysis(summary=self.has_totals) if "analysis" in self.stages else None
        self._lifecycle = Lifecycle(msl_ns=round(msl * 1e9)) if "lifecycle" in self.stages else None
        self.verdicts = Verdicts() if "verdicts" in self.stages else None

    def __del__(self) -> None:
        self.reader.close()

    def __iter__(self) -> Iterator[Batch]:
        with closing(self._batches()) as batches:
            for batch in batches:
                self.position = batch.data_offset + batch.data_len
                self._process(batch)
                if self._where:
                    self._where.process(batch, self.start_ns)
                yield batch
                if self._observer:
                    self._observer(self)
                if self.stopped:
                    break
        self._finish()

    def _batches(self) -> Generator[Batch, None, None]:
        """Read and decoded batches."""
        if self._threads > 1:
            from tcpkit.ahead import ReadAhead

            ahead = ReadAhead(self._prepare, self.reader.close, [self.batch, self._new_batch()])
            try:
                yield from ahead
            finally:
                ahead.stop()
            return
        try:
            while self._prepare(self.batch):
                yield self.batch
        finally:
            self.reader.close()

    def _new_batch(self) -> Batch:
        rows = self._rows
        return Batch(analysis=rows and "analysis" in self.stages, states=rows and "lifecycle" in self.stages,
                     verdicts=rows and "verdicts" in self.stages)

    def _prepare(self, batch: Batch) -> bool:
        """What can be done ahead of the stages that keep state of streams; False at the end of the capture."""
        if not self.reader.next(batch):
            return False
        if not self._started and batch.n_frames:
            self.start_ns, self._started = int(batch.frame_array["time_ns"][0]), True
        if self._filter:
            self._filter.process(batch)
        self._decoder.process(batch)
        return True

    def run(self) -> None:
        """The whole pass, for what the stages hold at its end."""
        for _ in self:
            pass

    def stop(self) -> None:
        """End the pass after the present batch, and do not wait for a followed file; also from a signal handler."""
        self.stopped = True
        source: Any = getattr(self.reader, "source", None)
        if hasattr(source, "stop"):
            source.stop()

    def stream_records(self) -> Iterator[StreamRecords]:
        """What is held of the streams so far, some ten thousand at a time, at least one piece."""
        if not self.flows:
            raise ValueError("this pass does not tell streams apart")
        for start in range(0, max(self.flows.n_slots, 1), PIECE):
            stop = start + PIECE
            analysis = self._analysis.records(self.flows, start, stop) if self._analysis and self.has_totals else None
            lifecycle = self._lifecycle.records(self.flows, start, stop) if self._lifecycle else None
            verdicts = self.verdicts.records(self.flows, start, stop) if self.verdicts else None
            yield StreamRecords(self.flows.records(start, stop), analysis, lifecycle, verdicts)

    def _process(self, batch: Batch) -> None:
        if self.flows:
            self.flows.process(batch)
            if self._analysis:
                self._analysis.process(batch, self.flows)
            if self._lifecycle:
                self._lifecycle.process(batch, self.flows)
            if self.verdicts:
                self.verdicts.process(batch, self.flows)

    def _finish(self) -> None:
        self.finished = True
        self.warnings = [CaptureError(name, cause, offset) for name, offset, cause in self.reader.damages]
        if 0 < self._decoder.n_frames == self._decoder.n_unknown_links:
            self.warnings.append(_unknown_links(self.reader))
        if self._strict and self.warnings:
            raise self.warnings[0]
        if self._analysis and self._analysis.dropped:
            self.warnings.append(CaptureError(self.reader.name, (
                f"memory for segments in flight ran out {self._analysis.dropped:,} times: some acknowledgements, "
                "round trips and bytes in flight are not told")))


def _unknown_links(reader: FrameReader) -> CaptureError:
    types = sorted({interface.link_type for interface in reader.interfaces})
    return CaptureError(reader.name, f"no frame can be decoded: link type {', '.join(map(str, types))} is not known")


def _frame_filter(text: str) -> Filter:
    from tcpkit.capture_filter import build_filter

    return build_filter(text)


def _row_filter(text: str) -> RowFilter:
    from tcpkit.row_filter import RowFilter

    return RowFilter(text)
