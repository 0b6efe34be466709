"""Timers in the worker: they go on, whatever happens."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial

import pytest

from oja_events import worker
from oja_events.worker import every, run_worker

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


@pytest.fixture
def stoppable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No port is opened, and signals are what they were when the test is over."""
    monkeypatch.setattr(worker, "serve_health", lambda *_: nullcontext())
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def asked_to_stop(*jobs: worker.Job) -> float:
    """How many seconds after they are all at work the worker is gone."""

    def asks(stop: threading.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        stop.wait()

    began = time.monotonic()
    run_worker([*jobs, asks], health=("127.0.0.1", 0), ready=bool)
    return time.monotonic() - began


@pytest.mark.usefixtures("stoppable")
def test_jobs_that_do_not_end_have_one_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GRACEFUL_STOP", 0.3)
    released = threading.Event()

    def goes_on(_stop: threading.Event) -> None:
        released.wait(10)

    seconds = asked_to_stop(*[goes_on] * 20)
    released.set()

    # One after the other they would take 6 s.
    assert 0.3 <= seconds < 4


@pytest.mark.usefixtures("stoppable")
def test_what_a_job_has_in_hand_is_waited_for() -> None:
    finished = threading.Event()

    def takes_its_time(stop: threading.Event) -> None:
        stop.wait()
        time.sleep(0.1)
        finished.set()

    asked_to_stop(takes_its_time)

    assert finished.is_set()
    assert 10 < worker.GRACEFUL_STOP < 45
