"""Batches prepared in a thread of their own, while the caller works on the last one."""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue

from tcpcore.batch import Batch


class ReadAhead:
    """Iterating gives batches that ``prepare`` has filled, in order, until it returns False.

    A batch is the caller's until the next one is asked for; then it is filled anew.  What ``prepare`` raises is
    raised in the caller.  ``close`` is called when the thread has ended.
    """

    def __init__(self, prepare: Callable[[Batch], bool], close: Callable[[], None], batches: Sequence[Batch]) -> None:
        self._prepare = prepare
        self._close = close
        self._empty: SimpleQueue[Batch | None] = SimpleQueue()
        self._ready: SimpleQueue[Batch | BaseException | None] = SimpleQueue()
        self._stopped = False
        for batch in batches:
            self._empty.put(batch)
        self._thread = threading.Thread(target=self._run, name="read ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Batch]:
        while (given := self._ready.get()) is not None:
            if isinstance(given, BaseException):
                raise given
            yield given
            self._empty.put(given)

    def stop(self) -> None:
        """End the thread; it may still wait for a source that gives nothing, and ends after that."""
        self._stopped = True
        self._empty.put(None)
        self._thread.join(timeout=1)

    def _run(self) -> None:
        try:
            while (batch := self._empty.get()) is not None and not self._stopped and self._prepare(batch):
                self._ready.put(batch)
            self._ready.put(None)
        except BaseException as error:
            self._ready.put(error)
        finally:
            self._close()
