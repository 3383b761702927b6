"""A source of frames, and the passes that are made over it."""
from __future__ import annotations

import os
from _thread import allocate_lock
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

from tcpkit.budget import LIMIT, Budget, checked, checked_msl, checked_threads, checked_timeout
from tcpkit.columns import Stage
from tcpkit.errors import CaptureError
from tcpkit.pipeline import DETAILS, FORKED, MSL, Detail, Observer, Pipeline, end_waiting
from tcpkit.rotated import open_reader
from tcpkit.source_facts import comes_once, go_back, keep_source, position_of, size_of, worthwhile_threads
from tcpkit.sources import locations, name_of
from tcpkit.stages import ALL_STAGES, with_needs
from tcpkit.trackers import StreamRecords, of_stages

if TYPE_CHECKING:
    from tcpcore.capture_file import Reader
    from tcpcore.merge import MergedReader
    from tcpkit.sources import Location

    AnyReader = Reader | MergedReader
    SourceLike = Location | Iterable[Location]


class Passes:
    """How the source is read, and the last pass over it, of which what it has found out serves again."""

    def __init__(self, source: SourceLike, *, stages: Iterable[Stage] = ALL_STAGES, capture_filter: str = "",
                 strict: bool = False, follow: bool = False, threads: int = 0, msl: float = MSL,
                 memory_limit: int = LIMIT, idle_timeout: float = 0.0, observer: Observer | None = None) -> None:
        self._source = keep_source(source)
        self._starts = list(map(position_of, locations(self._source)))
        self._stages = with_needs(stages)
        if not self._stages:
            raise ValueError(f"no stage is named; there are {', '.join(ALL_STAGES)}")
        self._capture_filter = capture_filter
        self._strict = strict
        self._observer = observer
        self.follow = follow
        self._threads = checked_threads(1 if follow else threads)
        self._msl = checked_msl(msl)
        self._memory_limit = checked(memory_limit)
        self._idle_timeout = checked_timeout(idle_timeout)
        self._handing = allocate_lock()
        self._reader: AnyReader = open_reader(self._source, follow=follow)       # fails here if it is no capture
        self.piped = any(map(comes_once, locations(self._source)))               # so it may be slow in coming
        self._process = os.getpid()
        self._unread = True                                                      # no pass has it yet
        self._pass: Pipeline | None = None                                       # the last one

    def __del__(self) -> None:
        if getattr(self, "_unread", False):      # no pass has been made, which would have closed it
            self._reader.close()

    def __repr__(self) -> str:
        return f"Capture({getattr(self._source, 'name', self._source)!r})"

    def __reduce__(self) -> NoReturn:
        """Two would read from one source."""
        raise TypeError("a capture cannot be copied or sent to another process: open it again there")

    @property
    def warnings(self) -> list[CaptureError]:
        """The damage that ended the reading early, if any (file, byte offset, cause), and what bounded memory cost."""
        return self._past("decode", detail="none").warnings

    @property
    def budget(self) -> Budget:
        """What the last pass used of ``memory_limit``, and what that cost."""
        return self._past("decode", detail="none").budget

    def stop(self) -> None:
        """End the present pass early, and do not wait for more of its source; from any thread or signal handler."""
        if self._pass is not None:
            self._pass.stopped = True
        end_waiting(self._reader)

    def pipeline(self, stages: Iterable[Stage] = (), where: str = "", *, rows: bool = True,
                 detail: Detail = "none", threads: int = 0, in_step: bool = False, payload: bool = False,
                 beside: int = 0, added_up: int = 0) -> Pipeline:
        """A new pass, for one's own loop over batches with the rows of a display filter.

        Through ``stages`` and those they build on; if none are named, all that this capture was opened with.
        ``rows``, ``detail``: as for Pipeline.  ``payload``: whether it looks at the bytes of the capture, which are
        gone after decode otherwise.
        ``beside``: bytes that the loop keeps of each stream held, which count against the memory limit; ``added_up``:
        and of all streams together.
        """
        size = size_of(self._source)
        with self._handing:                      # a reader goes to one pass only, in the process that has opened it
            if not self._unread or os.getpid() != self._process:
                self._reader = self._open_again()
            self._unread = False
            made = self._pass = Pipeline(
                self._reader, stages or self._stages, size=size, observer=self._observer,
                capture_filter=self._capture_filter, where=where, strict=self._strict, rows=rows, detail=detail,
                threads=threads or self._threads or worthwhile_threads(size), in_step=in_step, msl=self._msl,
                memory_limit=self._memory_limit, idle_timeout=self._idle_timeout, beside=beside, added_up=added_up,
                payload=payload)
        return made

    def _streams(self, *stages: Stage, detail: Detail, added_up: int = 0) -> Iterator[StreamRecords]:
        """From the last pass if it has done all this and still holds all streams; else while one does only this."""
        held = self._held(stages, detail)
        if held:
            return (of_stages(streams, stages) for streams in held.stream_records())
        return self.pipeline(stages, rows=False, detail=detail, added_up=added_up).stream_pieces()

    def _held(self, stages: Iterable[Stage], detail: Detail) -> Pipeline | None:
        """The last pass if it has done all this and still holds all streams."""
        last = self._pass
        return last if last is not None and _has_done(last, stages, detail) and last.holds_all else None

    def _past(self, *stages: Stage, detail: Detail) -> Pipeline:
        """The last pass if it has done all this; else one that does only this."""
        done = self._pass                        # once: another thread may make a pass meanwhile
        if done is None or not _has_done(done, stages, detail):
            done = self.pipeline(stages, rows=False, detail=detail)
            done.run()
        return done

    def _open_again(self) -> AnyReader:
        """A reader for another pass; CaptureError if the source gives its bytes only once.

        RuntimeError if a pass under way, or a process that this one was forked from, reads from a file object.
        """
        for location, start in zip(locations(self._source), self._starts, strict=True):
            if start is not None and os.getpid() != self._process:
                raise RuntimeError(FORKED)
            if start is not None and self._pass is not None:
                self._pass.give_way(name_of(location))
            go_back(location, start)
        return open_reader(self._source)


def _has_done(made: Pipeline, stages: Iterable[Stage], detail: Detail) -> bool:
    return (made.finished and made.stages >= set(stages)
            and DETAILS.index(made.detail) >= DETAILS.index(detail))
