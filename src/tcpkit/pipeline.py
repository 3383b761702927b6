"""Drives batches of frames through the stages: capture, decode, flows, analysis, lifecycle, verdicts."""
from __future__ import annotations

import os
from _thread import LockType, allocate_lock  # threading takes a while to import
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tcpcore.batch import Batch
from tcpcore.decode import Decoder
from tcpcore.flows import FlowTable
from tcpkit.ahead import SharedOut
from tcpkit.budget import LIMIT, Budget, checked_msl, checked_timeout, fragment_costs
from tcpkit.columns import Stage
from tcpkit.errors import CaptureError
from tcpkit.settling import Piece, settle
from tcpkit.stages import with_needs
from tcpkit.trackers import StreamRecords, Trackers, join_records, without_end
from tcpkit.values import Rows

if TYPE_CHECKING:
    from tcpcore.bpf import Filter
    from tcpcore.fragments import Fragments
    from tcpcore.metadata import Interface
    from tcpkit.row_filter import RowFilter

Observer = Callable[["Pipeline"], None]
# Kept of each stream: what it takes to go on with it; what the flows table tells; all.
Detail = Literal["none", "flows", "all"]
DETAILS: tuple[Detail, ...] = ("none", "flows", "all")
ONE_AT_A_TIME = "a file object can be read by one at a time"
FORKED = "a pass cannot go on in a forked process; open the capture there"
MSL = 120.0                                      # seconds: maximum segment lifetime (RFC 9293 section 3.4.2)


class FrameReader(Protocol):
    """Fills batches with frames, from files or an interface; ``damages``: (name, place or None, cause) of failures."""

    name: str

    @property
    def interfaces(self) -> list[Interface]: ...

    @property
    def damages(self) -> Sequence[tuple[str, int | None, str]]: ...

    def next(self, batch: Batch, /) -> bool: ...

    def close(self) -> None: ...


@contextmanager
def alone(lock: LockType) -> Iterator[None]:
    """Batches and what stages hold are for one loop: another at the same time would tear them apart."""
    if not lock.acquire(blocking=False):
        raise RuntimeError("this pass is under way in another loop; open the capture once for each")
    try:
        yield
    finally:
        lock.release()


def end_waiting(reader: FrameReader) -> None:
    """Let what a source has given be all, if it may keep its reader waiting."""
    source: Any = getattr(reader, "source", None)
    if hasattr(source, "stop"):
        source.stop()


class Pipeline:
    """One pass over a capture.  Iterating gives the one batch again and again, each time with the next rows.

    ``capture_filter`` (libpcap syntax) leaves out frames as if they had not been captured; ``where`` (a
    display filter) only keeps rows from being delivered, all count for what is said of the others.
    ``observer`` is called after each batch; setting ``stopped`` ends the pass early.  Damage ends it too,
    and goes to ``warnings``, or is raised if ``strict``.  ``rows``: whether the caller looks at them, beyond what
    decode and flows tell; ``detail``: how much the stages keep of each stream.
    With several ``threads`` each works on a batch of its own, one stage further than the next thread; what comes out
    is the same.  Stages may be some batches ahead of the caller then, so who looks into ``flows`` between batches
    asks for ``in_step``.  ``memory_limit``: bytes; ``beside``: those that the caller keeps of each stream;
    ``added_up``: and of all together.
    ``idle_timeout``: seconds of silence that end a stream; 0: none do.
    ``payload``: whether the caller looks at the bytes of the capture.
    """

    def __init__(self, reader: FrameReader, stages: Iterable[Stage], *, size: int = 0,
                 observer: Observer | None = None, capture_filter: str = "", where: str = "", strict: bool = False,
                 rows: bool = True, detail: Detail = "none", threads: int = 1, in_step: bool = False, msl: float = MSL,
                 memory_limit: int = LIMIT, idle_timeout: float = 0.0, beside: int = 0, added_up: int = 0,
                 payload: bool = True) -> None:
        self.reader = reader
        self._payload = payload
        if not payload and hasattr(reader, "lend"):
            reader.lend()
        self._where = _row_filter(where) if where else None
        self.stages = with_needs(stages) | with_needs(self._where.stages if self._where else ())
        self.size = size
        self.position = 0                        # bytes of the capture done
        self.start_ns = 0                        # time of the first frame
        self._started = False
        self._lock = allocate_lock()
        self._process = os.getpid()
        self._given_way = ""                     # to another pass: why this one cannot be made any more
        self.stopped = False
        self.finished = False
        self.warnings: list[CaptureError] = []
        self._observer = observer
        self._strict = strict
        self.threads = threads
        self._in_step = in_step
        self._rows = rows
        self.batch = self._new_batch()
        self._filter = _frame_filter(capture_filter) if capture_filter else None
        self._decoder = Decoder()
        self.detail = detail
        msl_ns = round(checked_msl(msl) * 1e9)
        self.time_wait_ns = 2 * msl_ns
        self._trackers = Trackers(self.stages, msl_ns=msl_ns, summary=detail != "none",
                                  all_of_it=detail == "all", memory_limit=memory_limit,
                                  idle_ns=round(checked_timeout(idle_timeout) * 1e9), beside=beside, added_up=added_up)

    def __del__(self) -> None:
        self.reader.close()

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._whole_batches():
            if self._where:
                self._where.process(batch, self.start_ns)
            yield batch

    def pieces(self, *, settled: bool) -> Iterator[Piece]:
        """The rows of one batch after the other; if ``settled``, with verdicts corrected by the frames that follow."""
        if settled and "verdicts" in self.stages:
            for rows, tunnels, _ in settle(self._whole_batches()):
                chosen = self._where.mask(Rows(rows, tunnels, self.start_ns)) if self._where else slice(None)
                yield Piece(rows[chosen], tunnels)
        else:
            for batch in self:
                yield Piece(batch.array, batch.tunnel_array, batch.corrections)

    def _whole_batches(self) -> Iterator[Batch]:
        """With all their rows."""
        with alone(self._lock), closing(self._batches()) as batches:
            if self._given_way and not self.finished:
                raise RuntimeError(self._given_way)
            self._need_own_process()
            for batch in batches:
                self.position = batch.data_offset + batch.data_len
                self._trackers.n_slots = batch.n_slots
                yield batch
                if self._observer:
                    self._observer(self)
                self._need_own_process()
        self._finish()

    def _need_own_process(self) -> None:
        """A forked process shares with its parent how far a file has been read, and has none of its threads."""
        if os.getpid() != self._process:
            raise RuntimeError(FORKED)

    def _batches(self) -> Generator[Batch, None, None]:
        """Batches that have been through all stages."""
        tasks = [self._read_and_decode, *(tracker.process for tracker in self._trackers.at_work.values())]
        batches = chain([self.batch], iter(self._new_batch, None))
        shared = SharedOut(tasks, batches, self.threads, 1 if self._in_step else len(tasks))
        try:
            yield from shared
        finally:
            if shared.stop():
                self.reader.close()

    def _new_batch(self) -> Batch:
        rows = self._rows
        return Batch(analysis=rows and "analysis" in self.stages, states=rows and "lifecycle" in self.stages,
                     verdicts=rows and "verdicts" in self.stages)

    def _read_and_decode(self, batch: Batch) -> bool:
        try:
            if not self._read(batch):
                return False
            self._decode(batch)
            return True
        finally:
            if not self._payload:
                batch.give_back()                # at once, for who wants to write the file waits for it

    def _read(self, batch: Batch) -> bool:
        """The next frames; False at the end of the capture."""
        if self.stopped or not self.reader.next(batch):
            return False
        if not self._started and batch.n_frames:
            self.start_ns, self._started = int(batch.frame_array["time_ns"][0]), True
        return True

    def _decode(self, batch: Batch) -> None:
        if self._filter:
            self._filter.process(batch)
        self._decoder.process(batch)

    def run(self) -> None:
        """The whole pass, for what the stages hold at its end."""
        for _ in self:
            pass

    def stream_pieces(self) -> Iterator[StreamRecords]:
        """The whole pass, for what is said of all streams: as they give up their places, then of those that are left.

        At least one piece.
        """
        for batch in self:
            if batch.released is not None:
                yield StreamRecords(**batch.released)
        yield from self.stream_records()

    @property
    def flows(self) -> FlowTable | None:
        """The table of streams, if the pass tells them apart."""
        return self._trackers.flows

    @property
    def holds_all(self) -> bool:
        """Whether no stream has given up its place."""
        return not self.flows or self.flows.n_held == self.flows.n_streams

    @property
    def fragments(self) -> Fragments:
        """What became of the IP fragments so far."""
        return self._decoder.fragments

    @property
    def budget(self) -> Budget:
        """The memory used for streams so far, and what the limit cost."""
        return self._trackers.budget

    def stop(self) -> None:
        """End the pass after the present batch, and do not wait for more of its source; also from a signal handler."""
        self.stopped = True
        end_waiting(self.reader)

    def give_way(self, name: str) -> None:
        """Another pass is to read the same file object: this one fails if it begins later.  RuntimeError if it has."""
        self._given_way = f"another pass over {name} was made before this one began; {ONE_AT_A_TIME}"
        if self._lock.locked():                  # asked last: a thread may begin it meanwhile
            self._given_way = ""
            raise RuntimeError(f"a pass over {name} is under way; {ONE_AT_A_TIME}: end that loop first, or open a path")
        self.reader.close()                      # a thread that decompresses would read on

    def stream_records(self) -> Iterator[StreamRecords]:
        """What is held of the streams so far, some thousand at a time, at least one piece."""
        return self._trackers.pieces()

    def latest_records(self, count: int) -> StreamRecords:
        """Of the ``count`` streams that had a segment last, the latest first."""
        return self._trackers.at(self._trackers.table().latest(count))

    @property
    def n_ended(self) -> int:
        """Streams of ``ended_records``."""
        lifecycle = self._trackers.lifecycle
        if self.batch.released is not None:
            return len(self.ended_records().flows)
        return len(lifecycle.ended) if lifecycle else 0

    def ended_records(self) -> StreamRecords:
        """Of the streams that were closed by both ends, or reset, in the last batch, or gave up their places before."""
        lifecycle = self._trackers.lifecycle
        if not lifecycle:
            raise ValueError("this pass does not tell how streams end")
        ended = self._trackers.at(lifecycle.ended)
        if self.batch.released is None:
            return ended
        return join_records([without_end(StreamRecords(**self.batch.released)), ended])

    def _finish(self) -> None:
        if self.flows:
            self.flows.end_silent()
        self.warnings = [CaptureError(name, cause, offset) for name, offset, cause in self.reader.damages]
        if 0 < self._decoder.n_frames == self._decoder.n_unknown_links:
            self.warnings.append(_unknown_links(self.reader))
        if self.flows and self.flows.out_of_numbers:
            self.warnings.append(CaptureError(self.reader.name, "there are no numbers for more than the "
                                              f"{self.flows.n_streams:,} connections so far: it was read no further",
                                              self.position))
        if self._strict and self.warnings:
            raise self.warnings[0]
        costs = *fragment_costs(self.fragments), *self.budget.costs()
        self.warnings += [CaptureError(self.reader.name, cost) for cost in costs]
        self.finished = True                     # not if it is strict and has failed: then what it holds is no answer


def _unknown_links(reader: FrameReader) -> CaptureError:
    types = sorted({interface.link_type for interface in reader.interfaces})
    return CaptureError(reader.name, f"no frame can be decoded: link type {', '.join(map(str, types))} is not known")


def _frame_filter(text: str) -> Filter:
    from tcpkit.capture_filter import build_filter

    return build_filter(text)


def _row_filter(text: str) -> RowFilter:
    from tcpkit.row_filter import RowFilter

    return RowFilter(text)
