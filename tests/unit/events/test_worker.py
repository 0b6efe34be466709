"""Timers in the worker: they go on, whatever happens."""

import threading
from functools import partial

from oja_events.worker import every

LONG = 3600.0  # a test that waited this long would never end


class Work:
    """Finds `amounts` to do, one after the other, then asks to stop; an error is raised."""

    def __init__(self, *amounts: int | Exception) -> None:
        self.stop = threading.Event()
        self.calls = 0
        self._amounts = list(amounts)

    def __call__(self) -> int:
        self.calls += 1
        if not self._amounts:
            self.stop.set()
            return 0
        amount = self._amounts.pop(0)
        if isinstance(amount, Exception):
            raise amount
        return amount


def test_while_there_is_work_nobody_waits() -> None:
    work = Work(3, 1, 200)

    every(LONG, work)(work.stop)

    assert work.calls == 4


def test_without_work_it_waits_and_looks_again() -> None:
    work = Work(0, 0)

    every(0.001, work)(work.stop)

    assert work.calls == 3


def test_an_error_is_waited_out() -> None:
    work = Work(ValueError("the database is away"), 1)

    every(0.001, work)(work.stop)

    assert work.calls == 3


def test_any_callable_may_fail() -> None:
    work = Work(ValueError("the database is away"))

    every(0.001, partial(work))(work.stop)

    assert work.calls == 2


def test_being_asked_to_stop_ends_the_wait_at_once() -> None:
    work = Work(*[0] * 100)
    job = threading.Thread(target=every(LONG, work), args=(work.stop,), daemon=True)
    job.start()

    work.stop.set()

    job.join(timeout=10)
    assert not job.is_alive()


def test_a_stopped_job_does_nothing_more() -> None:
    work = Work(1)
    work.stop.set()

    every(LONG, work)(work.stop)

    assert work.calls == 0
