"""Reads captures for commands: progress on a terminal, Ctrl-C and SIGTERM, damage told on standard error."""
from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from tcpkit.cli import SIGINT, SIGTERM, end_at_once, interrupt, status_after
from tcpkit.cli.app import MEMORY
from tcpkit.text import one_line

if TYPE_CHECKING:
    from tcpkit.capture import Capture
    from tcpkit.pipeline import Pipeline

    Handler = Callable[[int, FrameType | None], object]
    Handlers = list[tuple[int, Any]]

TWICE = 0.2                      # seconds within which a signal comes twice: timeout(1) also sends it to its group
LONG = 64 << 20                  # bytes of capture that are worth a progress bar


@contextmanager
def reading(path: str, output: Path | None = None, *, streaming: bool = False, follow: bool = False,
            memory_limit: str = MEMORY, **options: Any) -> Iterator[Capture]:
    """The capture at ``path``; what is wrong with it is told afterwards, and ends the command with status 1.

    ``output``: where the command writes, which must not be what it reads.

    ``streaming``: output appears while the capture is read, so no progress bar may go over it.
    ``follow``: it is read until Ctrl-C, which is the normal end.
    """
    import tcpkit
    from tcpkit.rotated import refuse_own

    if output:
        refuse_own(output, path)
    options["memory_limit"] = read_size(memory_limit)
    with Watch(bar=sys.stderr.isatty() and not (streaming and sys.stdout.isatty()), flush=streaming) as watch:
        watch.opening = True
        capture = watch.capture = tcpkit.open(path, observer=watch.observe, follow=follow, **options)
        watch.opening = False
        try:
            yield capture
        except (IndexError, typer.BadParameter):             # a stream that was not met any more
            if not watch.interrupted:
                raise
    if watch.interrupted and not follow:
        tell_interrupted(watch.interrupted)
    for warning in capture.warnings:
        print(f"tcpkit: {one_line(str(warning))}", file=sys.stderr)
    if capture.warnings:
        raise typer.Exit(1)


@contextmanager
def listing() -> Iterator[Callable[[object], bool]]:
    """For what takes a while after the reading: gives whether to go on, until Ctrl-C or SIGTERM, which is told."""
    with Watch(bar=False) as watch:
        yield lambda _: not watch.interrupted
    if watch.interrupted:
        tell_interrupted(watch.interrupted)


def tell_interrupted(number: int) -> NoReturn:
    """By a signal."""
    print("tcpkit: interrupted: this is what was done so far", file=sys.stderr)
    raise typer.Exit(status_after(number))


@contextmanager
def unwinding() -> Iterator[None]:
    """Ctrl-C and SIGTERM are raised in here, for what has something to put away."""
    handlers = handled_by(interrupt)
    try:
        yield
    finally:
        restore(handlers)


def handled_by(handler: Handler, *, ignored_too: bool = False) -> Handlers:
    """Have this handle Ctrl-C and SIGTERM; what handled those of them until now that the caller does not ignore."""
    before = [(number, signal.getsignal(number)) for number in (SIGINT, SIGTERM)]
    changed = [each for each in before if ignored_too or each[1] is not signal.SIG_IGN]
    for number, _ in changed:
        signal.signal(number, handler)
    return changed


def restore(handlers: Handlers) -> None:
    for number, handler in handlers:
        signal.signal(number, handler)


def read_size(text: str) -> int:
    """What --memory-limit asks for."""
    from tcpkit.budget import checked, parse_size

    try:
        return checked(parse_size(text))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--memory-limit") from None


class Watch:
    """Looks on as a capture is read: shows progress, and ends the reading early at the first Ctrl-C or SIGTERM.

    ``live``: nothing else ends it, so both do, ignored by the caller or not.
    """

    def __init__(self, bar: bool, flush: bool = False, live: bool = False) -> None:
        self.interrupted = 0                     # by which signal
        self._since = 0.0
        self._live = live
        self.opening = False                     # there is nothing yet that could be ended in good order
        self.capture: Capture | None = None
        self._wants_bar = bar
        self._flush = flush
        self._bar: Bar | None = None

    def __enter__(self) -> Watch:
        self._handlers = handled_by(self._interrupt, ignored_too=self._live)
        return self

    def __exit__(self, *error: object) -> None:
        restore(self._handlers)
        if self._bar:
            self._bar.close()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.opening:
            end_at_once(number)
        if self.interrupted and now - self._since > TWICE:
            interrupt(number)
        if not self.interrupted:
            self.interrupted, self._since = number, now
        if self.capture:
            self.capture.stop()

    def observe(self, pipeline: Pipeline) -> None:
        """Called after each batch."""
        pipeline.stopped = bool(self.interrupted)
        if self._flush:
            sys.stdout.buffer.flush()            # the next batch may be long in coming
        if self._bar:
            self._bar.update(pipeline)
        elif self._wants_bar and pipeline.size > LONG:
            self._bar = Bar(pipeline.size)


class Bar:
    """A progress bar on standard error."""

    def __init__(self, size: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

        self._progress = Progress(BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
                                  console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("", total=size)
        self._progress.start()

    def update(self, pipeline: Pipeline) -> None:
        self._progress.update(self._task, completed=pipeline.position)

    def close(self) -> None:
        self._progress.stop()
