"""A sender's time at work is a session of Postgres.

The session holds an advisory lock on the shift's number. Whichever way a sender ends, SIGKILL
included, its session ends with it and Postgres gives the lock back; then, and not before, its
claims are orphans. No heart beats, no clock is compared, nobody guesses.
"""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session, sessionmaker

from notifier.adapters.repositories import SENDERS_LOCK
from notifier.adapters.tables import sender_number
from notifier.adapters.unit_of_work import SqlUnitOfWork
from notifier.use_cases.errors import ShiftEnded
from oja_events.wakeup import channel

_LOCK = text("SELECT pg_advisory_lock(:senders, :number)")


class SqlShift:
    """All work of the shift is done on its own session, so it cannot go on without its lock."""

    def __init__(
        self,
        connection: Connection,
        number: int,
        unit_of_work: Callable[[sessionmaker[Session]], SqlUnitOfWork],
        *,
        paced: bool,
    ) -> None:
        self.number = number
        self._connection = connection
        self._sessions = sessionmaker(connection, expire_on_commit=False)
        self._unit_of_work = unit_of_work
        self._paced = paced

    def unit_of_work(self) -> SqlUnitOfWork:
        return self._opened(autocommit=False)

    def at_once(self) -> SqlUnitOfWork:
        """Spared the BEGIN and the COMMIT around it, each a round trip, where a statement is all
        that there is to do. To keep a pace takes two that belong together."""
        return self._opened(autocommit=not self._paced)

    def wait(self, seconds: float) -> None:
        postgres = self._postgres()
        deadline = time.monotonic() + seconds
        try:
            while not postgres.notifies and (left := deadline - time.monotonic()) > 0:
                select.select([postgres], [], [], left)
                postgres.poll()
        except psycopg2.Error as error:
            raise ShiftEnded(str(error)) from error
        postgres.notifies.clear()

    def _opened(self, *, autocommit: bool) -> SqlUnitOfWork:
        try:
            # Of the driver: SQLAlchemy's own way remembers each change for as long as we are
            # connected.
            self._postgres().autocommit = autocommit
        except psycopg2.Error as error:
            raise ShiftEnded(str(error)) from error
        return self._unit_of_work(self._sessions)

    def _postgres(self) -> Any:
        return self._connection.connection.dbapi_connection


@contextmanager
def open_shift(
    engine: Engine,
    *,
    wakes: str,
    unit_of_work: Callable[[sessionmaker[Session]], SqlUnitOfWork],
    paced: bool,
) -> Iterator[SqlShift]:
    """A new shift, woken on the channel of `wakes`."""
    with engine.connect() as connection:
        try:
            number = connection.execute(sender_number.next_value().select()).scalar_one()
            connection.execute(_LOCK, {"senders": SENDERS_LOCK, "number": number})
            connection.execute(text(f"LISTEN {channel(wakes)}"))
            connection.commit()
            yield SqlShift(connection, number, unit_of_work, paced=paced)
        finally:
            # Back in the pool the session would go on holding the lock.
            connection.invalidate()
