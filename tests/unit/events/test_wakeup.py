"""Waking the relay: soon, rarely, and never at the cost of the caller."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, cast

import pytest
from sqlalchemy import Engine, TextClause
from sqlalchemy.exc import OperationalError

from oja_events.wakeup import Waker, channel
from tests.support.waiting import wait_until


class FakeDatabase:
    """Counts the wake-ups; `outages` connections fail first, and `gate` holds a NOTIFY up."""

    def __init__(self, outages: int = 0) -> None:
        self.notified = 0
        self.connections = 0
        self.gate = threading.Event()
        self.gate.set()
        self._outages = outages

    def connect(self) -> Self:
        return self

    @contextmanager
    def execution_options(self, **options: str) -> Iterator[Self]:
        assert options == {"isolation_level": "AUTOCOMMIT"}
        self.connections += 1
        if self.connections <= self._outages:
            raise OperationalError("connect", {}, Exception("away"))
        yield self

    def execute(self, statement: TextClause, values: dict[str, str]) -> None:
        assert "pg_notify" in str(statement)
        assert values == {"channel": channel("catalog")}
        self.gate.wait()
        self.notified += 1


def a_waker(database: Any) -> Waker:
    return Waker(cast(Engine, database), "catalog")


def test_nothing_connects_before_the_first_wake_up() -> None:
    database = FakeDatabase()

    a_waker(database)

    assert database.connections == 0


def test_a_commit_wakes_the_relay_on_a_connection_that_goes_back_to_the_pool() -> None:
    database = FakeDatabase()
    waker = a_waker(database)

    for times in (1, 2, 3):
        waker.wake()
        wait_until(lambda times=times: database.notified == times)  # type: ignore[misc]

    assert database.connections == 3


def test_many_commits_at_once_need_few_wake_ups() -> None:
    database = FakeDatabase()
    database.gate.clear()
    waker = a_waker(database)
    waker.wake()
    wait_until(lambda: database.connections == 1)

    for _ in range(100):
        waker.wake()
    database.gate.set()

    wait_until(lambda: database.notified >= 1)
    assert database.notified <= 2


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_database_that_was_away_is_woken_through_again() -> None:
    database = FakeDatabase(outages=2)
    waker = a_waker(database)

    def woken() -> bool:
        waker.wake()
        return database.notified > 0

    wait_until(woken)
    assert database.connections == 3
