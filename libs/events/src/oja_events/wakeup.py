"""Tells the relay that there is something to publish, without a NOTIFY in the business transaction.

NOTIFY takes a lock that serialises all commits of the cluster, so it is sent afterwards, on a
connection of its own, once for however many commits came together. A lost one costs the relay's
idle poll and nothing else.
"""

import logging
import threading

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)


def channel(service: str) -> str:
    """The name that the relay of `service` listens on."""
    return f"{service}_outbox"


# The wake-up itself need not survive a crash, so it does not wait for the disk.
_NOTIFY = text("""
    SELECT set_config('synchronous_commit', 'off', true), pg_notify(:channel, '')
""")


class Waker:
    """Sends the wake-ups of one process from a background thread, started on first use."""

    def __init__(self, engine: Engine, service: str) -> None:
        self._engine = engine
        self._channel = channel(service)
        self._wanted = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Ask for a wake-up soon; returns at once."""
        self._wanted.set()
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._send()
            except SQLAlchemyError:
                log.warning("relay could not be woken, it will poll")

    def _send(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(_NOTIFY, {"channel": self._channel})
