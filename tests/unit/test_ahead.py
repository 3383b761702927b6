"""Tasks that are shared out among threads: every batch goes through all of them, in order, whoever does it."""
from __future__ import annotations

import itertools
import threading

import pytest

from tcpcore.batch import Batch
from tcpkit import ahead
from tcpkit.ahead import SharedOut, share_out

MANY = 200


class Job:
    """Fills ``n_batches``, and two more tasks; notes which batch each one saw and in which thread."""

    def __init__(self, n_batches: int) -> None:
        self.n_batches = n_batches
        self.numbers: dict[int, int] = {}        # of what each batch holds now, by its identity
        self.seen: list[list[int]] = [[], [], []]
        self.threads: list[list[bool]] = [[], [], []]          # whether it was the caller's

    def tasks(self):
        return [self.fill, lambda batch: self.note(1, batch), lambda batch: self.note(2, batch)]

    def fill(self, batch: Batch) -> bool:
        n = len(self.seen[0])
        if n == self.n_batches:
            return False
        self.numbers[id(batch)] = n
        self.note(0, batch)
        return True

    def note(self, task: int, batch: Batch) -> None:
        self.seen[task].append(self.numbers[id(batch)])
        self.threads[task].append(threading.current_thread().name != "ahead")

    def run(self, n_threads: int = 2, n_ahead: int = 3) -> list[int]:
        shared = SharedOut(self.tasks(), iter(Batch, None), n_threads, n_ahead)
        given = [self.numbers[id(batch)] for batch in shared]
        assert shared.stop()
        return given


def alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ahead"]


@pytest.fixture(autouse=True)
def a_tick_for_each_task(monkeypatch):
    monkeypatch.setattr(ahead, "perf_counter", itertools.count().__next__)


@pytest.mark.parametrize("n_batches", [0, 1, ahead.TRIALS, ahead.TRIALS + 1, ahead.TRIALS + ahead.ROUND,
                                       2 * ahead.TRIALS + ahead.ROUND - 1, 2 * ahead.TRIALS + ahead.ROUND, MANY])
@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_every_batch_goes_through_every_task_in_order(n_threads, n_batches):
    job = Job(n_batches)
    assert job.run(n_threads) == list(range(n_batches))
    assert job.seen == [list(range(n_batches))] * 3
    assert alive() == []


def test_what_tasks_take_is_looked_at_again_ever_more_seldom():
    job = Job(MANY)
    job.run(n_threads=2)
    alone = [n for n, mine in enumerate(job.threads[0]) if mine]
    second = ahead.TRIALS + ahead.ROUND
    third = second + ahead.TRIALS + ahead.ROUND * ahead.LONGER
    assert alone == [*range(ahead.TRIALS), *range(second, second + ahead.TRIALS), *range(third, third + ahead.TRIALS)]


def test_only_the_first_tasks_may_be_ahead():
    job = Job(MANY)
    job.run(n_threads=8, n_ahead=1)
    assert not all(job.threads[0])
    assert all(job.threads[1] + job.threads[2])


def test_one_thread_alone_hands_nothing_on():
    job = Job(MANY)
    job.run(n_threads=1)
    assert all(all(mine) for mine in job.threads)


@pytest.mark.parametrize("at", [0, ahead.TRIALS + 5])
@pytest.mark.parametrize("task", [0, 1, 2])
def test_what_a_task_raises_is_raised_in_the_caller(task, at):
    job = Job(MANY)
    tasks = job.tasks()
    given: list[int] = []

    def broken(batch: Batch) -> object:
        if len(job.seen[task]) == at:
            raise ValueError("broken")
        return job.tasks()[task](batch)

    tasks[task] = broken
    shared = SharedOut(tasks, iter(Batch, None), 3, 3)
    with pytest.raises(ValueError, match="broken"):
        given.extend(job.numbers[id(batch)] for batch in shared)
    assert shared.stop()
    assert given == list(range(at))
    assert alive() == []


def test_who_leaves_waits_for_what_is_at_work_but_not_for_the_source(monkeypatch):
    """What stages hold may be looked at then; a source may give nothing for hours."""
    monkeypatch.setattr(ahead, "PATIENCE", 0.01)
    monkeypatch.setattr(ahead, "share_out", lambda *_: [1, 2])
    job, source = Job(MANY), threading.Event()

    def fill(batch: Batch) -> bool:
        if len(job.seen[0]) > ahead.TRIALS + 2:
            source.wait()
        return job.fill(batch)

    def work(batch: Batch) -> None:
        threading.Event().wait(0.2)
        job.note(1, batch)

    shared = SharedOut([fill, work, lambda batch: None], iter(Batch, None), 3, 3)
    for _ in shared:
        if not all(job.threads[1]):
            break
    assert not shared.stop()
    assert alive() == ["ahead"]
    source.set()
    assert shared.stop()


def test_a_batch_is_the_callers_until_the_next_one():
    job = Job(MANY)
    for n, batch in enumerate(SharedOut(job.tasks(), iter(Batch, None), 3, 3)):
        threading.Event().wait(0.001)
        assert job.numbers[id(batch)] == n


@pytest.mark.parametrize(("costs", "workers", "n_ahead", "cuts"), [
    ([500], 8, 0, []),
    ([300, 300, 300], 1, 2, []),
    ([300, 300, 300], 2, 2, [1]),
    ([100, 100, 400], 2, 2, [2]),
    ([100, 100, 400], 2, 1, [1]),
    ([900, 100, 100], 8, 2, [1]),                # more workers would not make it faster
    ([900, 40], 2, 1, []),                       # to hand it on would take longer
    ([200, 100, 100, 200], 3, 3, [1, 3])])
def test_work_is_shared_out_evenly(costs, workers, n_ahead, cuts):
    assert share_out([cost * 1e-9 for cost in costs], workers, n_ahead) == cuts


def test_a_thread_that_cannot_be_started_leaves_none_of_the_others(monkeypatch):
    start, started = threading.Thread.start, []

    def fails_at_the_second(thread):
        started.append(thread)
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fails_at_the_second)
    job = Job(MANY)
    shared = SharedOut(job.tasks(), iter(Batch, None), 4, 3)
    with pytest.raises(RuntimeError, match="can't start"):
        list(shared)
    assert shared.stop()
    assert alive() == []
