"""What an operator may do to one service's messages, with that service's own rights.

Whatever is to be handled again goes into the backlog (see repair): a running consumer takes it from
there within seconds, and its inbox sees to it that nothing happens twice. So every function here
may be called twice.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from oja_events.envelope import Envelope, Malformed, decode

_PARKED = text("""
    SELECT key, type, reason, error, status, parked_at, closed_at, note, headers, body
    FROM parked_message
    WHERE (:key = '' OR key = :key) AND (:status = '' OR status = :status)
        AND (:reason = '' OR reason = :reason)
    ORDER BY id DESC LIMIT :limit
""")
_LOCK = text("SELECT body, status FROM parked_message WHERE key = :key FOR UPDATE")
_CLOSE = text("""
    UPDATE parked_message SET status = :status, note = :note, closed_at = now() WHERE key = :key
""")
_NOT_HANDLED_AFTER_ALL = text("DELETE FROM inbox WHERE event_id = :id AND outcome = 'parked'")
_HANDLE = text("""
    INSERT INTO feed_backlog (event_id, source, position, body)
    SELECT :id, :source, :position, :body
    WHERE NOT EXISTS (SELECT FROM inbox WHERE event_id = :id)
    ON CONFLICT (event_id) DO UPDATE SET next_attempt_at = now(), attempts = 0, starts = 0
""")
_REWIND = text("""
    UPDATE feed_cursor SET position = :position WHERE source = :source AND position > :position
""")
_OUTCOME = text("""
    SELECT coalesce((SELECT outcome FROM inbox WHERE event_id = :id),
                    (SELECT 'waiting' FROM feed_backlog WHERE event_id = :id), 'missing')
""")
_TELLING = text("""
    SELECT (SELECT count(*) FROM outbox_pending) AS pending,
        coalesce((SELECT max(position) FROM event_feed), 0) AS head,
        coalesce((SELECT extract(epoch FROM now() - min(occurred_at))
                  FROM outbox_pending JOIN event_log USING (day, id)), 0) AS oldest_seconds
""")
_HEARING = text("""
    SELECT (SELECT count(*) FROM feed_backlog) AS backlog,
        (SELECT count(*) FROM parked_message WHERE status = 'open') AS parked
""")
_UNNUMBERED = text("SELECT EXISTS (SELECT FROM outbox_pending WHERE position IS NULL)")
_CURSORS = text("SELECT source, position FROM feed_cursor")

_POLL = 0.1  # seconds


class NotFound(Exception):
    """There is no such message."""


class StillUnreadable(Exception):
    """This version of the code cannot read the message either."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that was put away; `status` is open, redriven or discarded."""

    key: str
    type: str | None
    reason: str
    error: str
    status: str
    parked_at: datetime
    closed_at: datetime | None
    note: str | None
    headers: dict[str, Any]
    body: bytes


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a service is behind. `pending` waits for the broker, the oldest for so long; `head`
    is the last position of its feed. `cursors` say how far it has compared the feeds of others,
    `backlog` what it found missing and has not handled yet, `parked` what waits for a person."""

    pending: int
    oldest_seconds: float
    head: int
    backlog: int
    parked: int
    cursors: dict[str, int]


def parked(
    engine: Engine, *, key: str = "", status: str = "", reason: str = "", limit: int = 100
) -> list[Parked]:
    """Messages that were put away, the latest first."""
    values = {"key": key, "status": status, "reason": reason, "limit": limit}
    with engine.connect() as connection:
        return [_parked(row._mapping) for row in connection.execute(_PARKED, values)]


def redrive(engine: Engine, key: str) -> bool:
    """Have an open message handled again; False if it was dealt with already.

    If it fails again it is put away again, with the new reason. Raises NotFound, StillUnreadable.
    """
    with engine.begin() as connection:
        body = _open(connection, key)
        if body is None:
            return False
        envelope = _readable(body)
        connection.execute(_NOT_HANDLED_AFTER_ALL, {"id": envelope.id})
        _handle(connection, envelope, body)
        connection.execute(_CLOSE, {"key": key, "status": "redriven", "note": None})
    return True


def discard(engine: Engine, key: str, note: str) -> bool:
    """Close an open message without an effect; `note` says why. False if it was dealt with
    already. Raises NotFound."""
    with engine.begin() as connection:
        if _open(connection, key) is None:
            return False
        connection.execute(_CLOSE, {"key": key, "status": "discarded", "note": note})
    return True


def replay(engine: Engine, bodies: Sequence[bytes]) -> None:
    """Have those of these events handled that were not."""
    with engine.begin() as connection:
        for body in bodies:
            _handle(connection, decode(body), body)


def rewind(engine: Engine, source: str, position: int) -> bool:
    """Compare the feed of `source` again from after that position; False if nothing was compared
    beyond it."""
    with engine.begin() as connection:
        return connection.execute(_REWIND, {"source": source, "position": position}).rowcount > 0


def outcome(engine: Engine, event_id: str) -> str:
    """What became of an event here: applied, parked, waiting (in the backlog) or missing."""
    with engine.connect() as connection:
        found: str = connection.execute(_OUTCOME, {"id": event_id}).scalar_one()
    return found


def lag(engine: Engine) -> Lag:
    """Where the service stands."""
    with engine.connect() as connection:
        telling = connection.execute(_TELLING).one()
        hearing = connection.execute(_HEARING).one()
        cursors = {row.source: row.position for row in connection.execute(_CURSORS)}
    return Lag(
        pending=telling.pending,
        oldest_seconds=round(float(telling.oldest_seconds), 1),
        head=telling.head,
        backlog=hearing.backlog,
        parked=hearing.parked,
        cursors=cursors,
    )


def _open(connection: Connection, key: str) -> bytes | None:
    """The message, locked; None if it is not open any more."""
    row = connection.execute(_LOCK, {"key": key}).one_or_none()
    if row is None:
        raise NotFound(key)
    return bytes(row.body) if row.status == "open" else None


def _readable(body: bytes) -> Envelope:
    try:
        return decode(body)
    except Malformed as error:
        raise StillUnreadable(str(error)) from None


def _handle(connection: Connection, envelope: Envelope, body: bytes) -> None:
    source = envelope.source.removeprefix("/")
    values = {"id": envelope.id, "source": source, "position": 0, "body": body}
    connection.execute(_HANDLE, values)


def _parked(row: Any) -> Parked:
    return Parked(**{**row, "body": bytes(row["body"])})


def numbered(engine: Engine, *, within: float) -> bool:
    """Whether all that was told has its position within that many seconds, so that whoever reads
    the feed finds it. A running worker sees to that, broker or not."""
    deadline = time.monotonic() + within
    while True:
        with engine.connect() as connection:
            if not connection.execute(_UNNUMBERED).scalar():
                return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
