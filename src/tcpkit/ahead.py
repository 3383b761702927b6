"""Tasks that every batch goes through, shared out among threads by what each is seen to take."""
from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import combinations, count, pairwise, repeat
from time import perf_counter
from typing import TYPE_CHECKING

from tcpcore.batch import Batch

if TYPE_CHECKING:
    from queue import SimpleQueue

Task = Callable[[Batch], object]
TRIALS = 3                   # batches that show what each task takes
ROUND, LONGER = 16, 4        # batches until they are tried again; each time so many times as many
HANDING = 50e-9              # seconds a frame: what it costs to hand a batch on
PATIENCE = 1.0               # seconds that a source is waited for when no more is wanted of it


class SharedOut:
    """Iterating gives batches that all ``tasks`` have worked on, in order; each is the caller's until the next one.

    A task that returns False ends the work; the first one does so when it has nothing more to fill a batch with.
    Up to ``n_threads``, the caller's last of them, each work on a batch of their own, one step further than the next
    thread; only the first ``n_ahead`` tasks may be done in others than the caller's.  What each takes depends on the
    machine and on the traffic, so that is measured, at the beginning and then ever more seldom.
    """

    def __init__(self, tasks: Sequence[Task], batches: Iterator[Batch], n_threads: int, n_ahead: int) -> None:
        self._tasks = tasks
        self._new_batches = batches
        self._batches: list[Batch] = []
        self._n_threads = n_threads
        self._n_ahead = n_ahead
        self._workers: WorkersAhead | None = None

    def __iter__(self) -> Iterator[Batch]:
        for n in count():
            costs = yield from self._try_out()
            if not costs:
                return
            cuts = share_out(costs, self._n_threads, self._n_ahead)
            if not (yield from self._round(cuts, ROUND * LONGER ** n)):
                return

    def stop(self) -> bool:
        """End the threads; False if one still waits for a source that gives nothing, it ends after that."""
        return not self._workers or self._workers.stop()

    def _try_out(self) -> Generator[Batch, None, list[float]]:
        """Some batches, in the caller's thread.  Returns what each task takes and then the caller, in seconds a frame.

        That of the batch where it takes least, for an interruption is no cost of a task.  Nothing at the end.
        """
        costs = [math.inf] * (len(self._tasks) + 1)
        for batch in repeat(self._room(1)[0], TRIALS):
            times = [perf_counter()]
            for task in self._tasks:
                if task(batch) is False:
                    return []
                times.append(perf_counter())
            yield batch
            times.append(perf_counter())
            costs = [min(cost, (end - start) / max(batch.n_frames, 1))
                     for cost, (start, end) in zip(costs, pairwise(times), strict=True)]
        return costs

    def _round(self, cuts: Sequence[int], n_batches: int) -> Generator[Batch, None, bool]:
        """So many batches, with one more thread for each cut.  Returns whether there may be more."""
        *ahead, mine = (in_turn(self._tasks[start:end]) for start, end in pairwise([0, *cuts, len(self._tasks)]))
        source: Iterable[Batch] = repeat(self._room(1)[0], n_batches)
        if ahead:
            # One for each thread, and one on its way to each: to wait for each other at every batch loses a fifth.
            source = self._workers = WorkersAhead(ahead, self._room(1 + 2 * len(cuts)), n_batches)
        n_done = 0
        for batch in source:
            if mine(batch) is False:
                break
            yield batch
            n_done += 1
        self.stop()
        return n_done == n_batches

    def _room(self, n: int) -> list[Batch]:
        """As many batches to fill."""
        while len(self._batches) < n:
            self._batches.append(next(self._new_batches))
        return self._batches[:n]


class WorkersAhead:
    """Iterating gives ``n_batches`` that all ``tasks`` have worked on, in order, each in a thread of its own.

    They are ``batches`` again and again, fewer if a task returns False.  A batch is the caller's until the next one is
    asked for; then it is filled anew.  What a task raises is raised in the caller.
    """

    def __init__(self, tasks: Sequence[Task], batches: Sequence[Batch], n_batches: int) -> None:
        import threading
        from queue import SimpleQueue

        self._inboxes: list[SimpleQueue[Batch | BaseException | None]] = [SimpleQueue() for _ in (*tasks, None)]
        self._left = n_batches                   # to be filled
        self._stopped = False
        self._over = False                       # all threads have done their last
        for batch in batches:
            self._fill(batch)
        self._threads = [threading.Thread(target=self._work, args=(task, *self._inboxes[at:at + 2]), name="ahead",
                                          daemon=True) for at, task in enumerate(tasks)]

    def __iter__(self) -> Iterator[Batch]:
        for thread in self._threads:             # here, so that stop() ends those that are, if there is no more
            thread.start()
        while (given := self._inboxes[-1].get()) is not None:
            if isinstance(given, BaseException):
                raise given
            yield given
            self._fill(given)
        self._over = True

    def _fill(self, batch: Batch) -> None:
        self._inboxes[0].put(batch if self._left else None)
        self._left -= self._left > 0

    def stop(self) -> bool:
        """End the threads; False if the first still waits for a source that gives nothing, it ends after that."""
        self._stopped = True
        for inbox in self._inboxes:
            inbox.put(None)
        first = self._threads[0]
        for thread in self._threads:
            if thread.is_alive():                # only the first may wait for a source; what stages hold still changes
                thread.join(PATIENCE if thread is first and not self._over else None)
        return not first.is_alive()

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


def in_turn(tasks: Sequence[Task]) -> Task:
    """All ``tasks`` one after the other as one; False as soon as one says so."""
    def work(batch: Batch) -> bool:
        return all(task(batch) is not False for task in tasks)

    return work


def share_out(costs: Sequence[float], n_workers: int, n_ahead: int) -> list[int]:
    """Where to cut a row of tasks for ``n_workers``, so that the one with the most to do has the least.

    ``costs``: seconds a frame.  Each cut is the number of tasks before it; only the first ``n_ahead`` tasks may lie
    before one.
    """
    def slowest(cuts: tuple[int, ...]) -> float:
        handing = HANDING if cuts else 0.0
        return handing + max(sum(costs[start:end]) for start, end in pairwise([0, *cuts, len(costs)]))

    places = range(1, n_ahead + 1)
    best = min((cuts for n in range(min(n_workers, n_ahead + 1)) for cuts in combinations(places, n)), key=slowest)
    return list(best)
