"""Wakes the worker when a webhook is stored, so that nobody waits for its next look."""

import select
import time
from typing import Any

from sqlalchemy import Connection, Engine, text

from oja_events.wakeup import Waker, channel

_SUBJECT = "payments_webhooks"


class Bell:
    """`ring` in one process ends `wait` in another. A ring may get lost, so wait with an end."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waker = Waker(engine, _SUBJECT)
        self._listening: Connection | None = None

    def ring(self) -> None:
        """Returns at once."""
        self._waker.wake()

    def wait(self, seconds: float) -> None:
        """Return when it rang since the last wait, or after so long. For one thread only.

        Raises SQLAlchemyError or OSError while the database is away.
        """
        postgres = self._connection()
        until = time.monotonic() + seconds
        try:
            postgres.poll()
            while not postgres.notifies and (left := until - time.monotonic()) > 0:
                if select.select([postgres], [], [], left)[0]:
                    postgres.poll()
            postgres.notifies.clear()
        except BaseException:
            self._forget()
            raise

    def _connection(self) -> Any:
        if self._listening is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f"LISTEN {channel(_SUBJECT)}"))
            # Ours for good: the pool is not to have back what listens.
            connection.detach()
            self._listening = connection
        return self._listening.connection.dbapi_connection

    def _forget(self) -> None:
        if self._listening is not None:
            self._listening.invalidate()
            self._listening.close()
            self._listening = None
