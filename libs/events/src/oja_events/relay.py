"""The outbox relay: from the journal to the broker, in order, until the broker has confirmed.

    1. number: give every new row a position, in its own short transaction
    2. publish up to WINDOW rows by position; no transaction is open meanwhile
    3. collect the confirms, with a deadline
    4. delete the rows that were confirmed and not returned

A crash anywhere repeats at most one window; the consumers' inboxes absorb that. One relay per
service leads, by a session advisory lock; others stand by. Rows are never dropped. While the broker
is away positions go on being given, because the feed lives by them.
"""

import logging
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from amqp.exceptions import AMQPError  # type: ignore[import-untyped]
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from oja_events import journal
from oja_events.confirms import ConfirmWindow, Outcome, Unconfirmed, connect
from oja_events.prepared import FOR_ITS_VALUES
from oja_events.wakeup import channel

log = logging.getLogger(__name__)

WINDOW = 200
SEQUENCE_BATCH = 1000
IDLE_POLL = 1.0  # seconds; only for a wake-up that got lost
NUMBERING_POLL = 0.5  # seconds between looks for rows that the busy or waiting leader left alone
RECONNECT_DELAYS = (0.5, 1.0, 2.0, 5.0)

# Postgres or the broker is away, or has closed on us: wait and connect anew.
BROKER_TROUBLE = (AMQPError, BrokerError, OSError, Unconfirmed)
DATABASE_TROUBLE = (SQLAlchemyError, psycopg2.Error)

_LEAD = text("SELECT pg_try_advisory_lock(hashtext('oja relay'), hashtext(:service))")

# A queue is empty at one time and long at another: what works on it is planned each time.
# Two that number at once get in each other's way at the primary key, and one of them gives up.
_NUMBER = text("""
    WITH batch AS (
        SELECT id, day FROM outbox_pending WHERE position IS NULL ORDER BY id LIMIT :limit
    ), numbered AS (
        SELECT id, day, (SELECT coalesce(max(position), 0) FROM event_feed)
                        + row_number() OVER (ORDER BY id) AS position
        FROM batch
    ), feed AS (
        INSERT INTO event_feed (position, event_log_id, day)
        SELECT position, id, day FROM numbered
    )
    UPDATE outbox_pending SET position = numbered.position
    FROM numbered WHERE outbox_pending.id = numbered.id
""")

# A row that waits for its next attempt holds back the later rows of its aggregate, and only those.
_DUE = text("""
    SELECT id, day, position FROM outbox_pending AS pending
    WHERE position IS NOT NULL AND next_attempt_at <= now()
      AND NOT EXISTS (
        SELECT 1 FROM outbox_pending AS earlier
        WHERE earlier.subject = pending.subject AND earlier.position < pending.position
          AND earlier.next_attempt_at > now())
    ORDER BY position LIMIT :limit
""")

# Losing this commit in a crash repeats the messages, so it does not wait for the disk.
_DELETE = text("""
    WITH lazily AS (SELECT set_config('synchronous_commit', 'off', true))
    DELETE FROM outbox_pending USING lazily WHERE id = ANY(:ids)
""")

_POSTPONE = text("""
    UPDATE outbox_pending
    SET attempts = attempts + 1, last_error = :error,
        next_attempt_at = now() + least(interval '60 seconds',
            interval '0.5 seconds' * power(2, least(attempts, 10))) * (0.75 + random() / 2)
    WHERE id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True)
class Pending:
    """One journal row on its way out. `position` is its place in the feed, from 1, no gaps."""

    id: int
    position: int
    event_id: str
    type: str
    envelope: bytes


class Relay:
    """Publishes the outbox of one service for as long as it runs."""

    def __init__(self, engine: Engine, broker_url: str, service: str) -> None:
        self._engine = engine
        self._broker_url = broker_url
        self._service = service
        self._ready = False
        self._failures = 0
        self._numbering = threading.Lock()
        self._numbered_at = 0.0

    def is_ready(self) -> bool:
        """Publishing, or standing by for a leader elsewhere; False while something is away."""
        return self._ready

    def run(self, stop: threading.Event) -> None:
        """Relay until `stop` is set. Trouble with Postgres or the broker is waited out."""
        while not stop.is_set():
            try:
                with self._leadership(stop) as lead:
                    if lead is not None:
                        self._lead(lead, stop)
            except (*DATABASE_TROUBLE, OSError) as error:
                self._wait_out(error, stop)

    @contextmanager
    def _leadership(self, stop: threading.Event) -> Iterator[Connection | None]:
        """The leader's own connection, once nobody else leads; None when asked to stop."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            try:
                while not connection.execute(_LEAD, {"service": self._service}).scalar():
                    self._ready = True
                    if stop.wait(IDLE_POLL):
                        yield None
                        return
                yield connection
            finally:
                # Back in the pool the session would go on holding the lock.
                connection.invalidate()

    def _lead(self, lead: Connection, stop: threading.Event) -> None:
        lead.execute(text(f"LISTEN {channel(self._service)}"))
        resigned = threading.Event()
        aside = threading.Thread(target=self._number_aside, args=(resigned,), daemon=True)
        aside.start()
        try:
            while not stop.is_set():
                try:
                    self._publish(lead, stop)
                except BROKER_TROUBLE as error:
                    self._wait_out(error, stop)
                    lead.execute(text("SELECT 1"))  # who lost the connection leads no longer
        finally:
            resigned.set()
            aside.join(timeout=10)

    def _publish(self, lead: Connection, stop: threading.Event) -> None:
        with connect(self._broker_url) as broker:
            window = ConfirmWindow(broker)
            self._ready = True
            self._failures = 0
            log.info("relay leads")
            while not stop.is_set():
                if not self._pass(lead, window):
                    self._wait(lead, window)

    def _wait_out(self, error: Exception, stop: threading.Event) -> None:
        self._ready = False
        log.warning("relay interrupted", extra={"error": repr(error)[:200]})
        stop.wait(RECONNECT_DELAYS[min(self._failures, len(RECONNECT_DELAYS) - 1)])
        self._failures += 1

    def _pass(self, lead: Connection, window: ConfirmWindow) -> bool:
        """Publish what is due; False when that was all. What was committed since has its wake-up,
        which the next wait finds."""
        numbered = self._number(lead)
        rows = self._due(lead)
        if rows:
            self._settle(lead, window.publish(rows))
        return len(rows) == WINDOW or numbered == SEQUENCE_BATCH

    def _number(self, connection: Connection) -> int:
        with self._numbering:
            done = connection.execute(
                _NUMBER, {"limit": SEQUENCE_BATCH}, execution_options=FOR_ITS_VALUES
            ).rowcount
            self._numbered_at = time.monotonic()
        return done

    def _number_aside(self, resigned: threading.Event) -> None:
        """Give positions when the leader has not done so for a while: it waits for the broker."""
        while not resigned.wait(NUMBERING_POLL):
            if time.monotonic() - self._numbered_at < IDLE_POLL + NUMBERING_POLL:
                continue
            try:
                with self._engine.connect() as connection:
                    autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
                    while self._number(autocommit) == SEQUENCE_BATCH and not resigned.is_set():
                        pass
            except DATABASE_TROUBLE as error:
                log.warning("numbering interrupted", extra={"error": repr(error)[:200]})
            except Exception:
                log.exception("numbering failed, trying again")

    def _due(self, lead: Connection) -> list[Pending]:
        rows = lead.execute(_DUE, {"limit": WINDOW}, execution_options=FOR_ITS_VALUES).all()
        entries = journal.read(lead, [(row.day, row.id) for row in rows])
        return [
            Pending(row.id, row.position, entry.event_id, entry.type, entry.envelope)
            for row in rows
            for entry in [entries[row.id]]
        ]

    def _settle(self, lead: Connection, outcome: Outcome) -> None:
        if outcome.confirmed:
            lead.execute(_DELETE, {"ids": outcome.confirmed})
        if outcome.refused:
            log.warning("events refused by the broker", extra={"count": len(outcome.refused)})
            lead.execute(
                _POSTPONE, {"ids": outcome.refused, "error": "returned or nacked by the broker"}
            )

    def _wait(self, lead: Connection, window: ConfirmWindow) -> None:
        """Sleep until a commit wakes us; keep the broker's heartbeat going meanwhile."""
        postgres: Any = lead.connection.dbapi_connection
        deadline = time.monotonic() + IDLE_POLL
        while not postgres.notifies and (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([postgres, window], [], [], left)
            if window in readable:
                window.drain()
            postgres.poll()
        postgres.notifies.clear()
        window.heartbeat()
