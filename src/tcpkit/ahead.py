"""A row of threads, through which batches go one after the other while the caller works on those that are done."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from tcpcore.batch import Batch

if TYPE_CHECKING:
    from queue import SimpleQueue

Task = Callable[[Batch], object]
HANDING = 50                 # what it costs to hand a batch on, in the nanoseconds a frame of ``share_out``


class WorkersAhead:
    """Iterating gives batches that all ``tasks`` have worked on, in order, each in a thread of its own.

    A task that returns False ends the work; the first one does so when it has nothing more to fill a batch with.  A
    batch is the caller's until the next one is asked for; then it is filled anew.  What a task raises is raised in
    the caller.
    """

    def __init__(self, tasks: Sequence[Task], batches: Sequence[Batch]) -> None:
        import threading
        from queue import SimpleQueue

        self._inboxes: list[SimpleQueue[Batch | BaseException | None]] = [SimpleQueue() for _ in (*tasks, None)]
        self._stopped = False
        self._process = os.getpid()
        for batch in batches:
            self._inboxes[0].put(batch)
        self._threads = [threading.Thread(target=self._work, args=(task, *self._inboxes[at:at + 2]), name="ahead",
                                          daemon=True) for at, task in enumerate(tasks)]
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[Batch]:
        while (given := self._next()) is not None:
            if isinstance(given, BaseException):
                raise given
            yield given
            self._inboxes[0].put(given)

    def _next(self) -> Batch | BaseException | None:
        if os.getpid() != self._process:
            raise RuntimeError("a pass cannot go on in a forked process, where its threads are not")
        return self._inboxes[-1].get()

    def stop(self) -> bool:
        """End the threads; False if the first still waits for a source that gives nothing, it ends after that."""
        self._stopped = True
        for inbox in self._inboxes:
            inbox.put(None)
        for thread in self._threads:
            thread.join(timeout=1)
        return not self._threads[0].is_alive()

    def _work(self, task: Task, inbox: SimpleQueue[Batch | BaseException | None],
              outbox: SimpleQueue[Batch | BaseException | None]) -> None:
        """Until there is nothing more, or something is raised; the next in the row is told of either."""
        last: BaseException | None = None
        try:
            while isinstance(given := inbox.get(), Batch):
                if self._stopped or task(given) is False:
                    break
                outbox.put(given)
            else:
                last = given
        except BaseException as error:
            last = error
        outbox.put(last)


def share_out(costs: Sequence[int], n_workers: int, n_ahead: int) -> list[int]:
    """Where to cut a row of tasks for ``n_workers``, so that the one with the most to do has the least.

    Each cut is the number of tasks before it; only the first ``n_ahead`` tasks may lie before one.
    """
    def slowest(cuts: tuple[int, ...]) -> int:
        handing = HANDING if cuts else 0
        return handing + max(sum(costs[start:end]) for start, end in pairwise([0, *cuts, len(costs)]))

    places = range(1, n_ahead + 1)
    best = min((cuts for n in range(min(n_workers, n_ahead + 1)) for cuts in combinations(places, n)), key=slowest)
    return list(best)
