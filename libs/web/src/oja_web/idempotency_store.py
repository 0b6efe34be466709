"""Where answers to requests with an Idempotency-Key are kept: one table of the service itself."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, cast

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    CursorResult,
    DateTime,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from oja_events.schema import Executes

# Written out, because a migration must still mean the same when the table below has moved on.
_CREATE_V1 = """
CREATE TABLE idempotency_keys (
    caller text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done')),
    status integer,
    headers jsonb,
    body bytea,
    created_at timestamptz NOT NULL,
    locked_until timestamptz,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (caller, route, key)
);
CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);
"""


def create_idempotency_table(op: Executes) -> None:
    """Create the table; for a migration of a service that answers requests once."""
    op.execute(_CREATE_V1)


def idempotency_keys(metadata: MetaData) -> Table:
    """The table as SQLAlchemy sees it, for services that compare models with migrations."""
    return Table(
        "idempotency_keys",
        metadata,
        Column("caller", Text, primary_key=True),
        Column("route", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("state", Text, nullable=False),
        Column("status", Integer),
        Column("headers", JSONB),
        Column("body", LargeBinary),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("locked_until", DateTime(timezone=True)),
        Column("expires_at", DateTime(timezone=True), nullable=False),
        CheckConstraint("state IN ('running', 'done')"),
        Index("idempotency_keys_expires_at", "expires_at"),
    )


# Made once: these are what every such request runs. A key lives for 24 hours.
#
# The table is looked at a hair before the lock is taken: whoever answered in between is not seen,
# and `keep` finds out.
_TAKE = text("""
    SELECT lock.taken, known.state, known.fingerprint, known.status, known.headers, known.body,
        extract(epoch FROM known.locked_until - clock_timestamp()) AS wait_seconds
    FROM (SELECT pg_try_advisory_xact_lock(:number) AS taken) AS lock
    LEFT JOIN idempotency_keys AS known
        ON caller = :caller AND route = :route AND key = :key AND expires_at > clock_timestamp()
""")
_FIND = text("""
    SELECT state, fingerprint, status, headers, body,
        extract(epoch FROM locked_until - clock_timestamp()) AS wait_seconds
    FROM idempotency_keys
    WHERE caller = :caller AND route = :route AND key = :key AND expires_at > clock_timestamp()
""")
_KEEP = text("""
    INSERT INTO idempotency_keys AS known (caller, route, key, fingerprint, state, status, headers,
        body, created_at, expires_at)
    VALUES (:caller, :route, :key, :fingerprint, 'done', :status, :headers, :body,
        clock_timestamp(), clock_timestamp() + interval '24 hours')
    ON CONFLICT (caller, route, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, state = excluded.state, status = excluded.status,
            headers = excluded.headers, body = excluded.body, locked_until = NULL,
            created_at = excluded.created_at, expires_at = excluded.expires_at
        WHERE known.expires_at <= clock_timestamp()
""").bindparams(bindparam("headers", type_=JSONB))
_CLAIM = text("""
    INSERT INTO idempotency_keys AS known (caller, route, key, fingerprint, state, created_at,
        locked_until, expires_at)
    VALUES (:caller, :route, :key, :fingerprint, 'running', clock_timestamp(),
        clock_timestamp() + :lease * interval '1 second',
        clock_timestamp() + interval '24 hours')
    ON CONFLICT (caller, route, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, state = excluded.state, status = NULL,
            headers = NULL, body = NULL, locked_until = excluded.locked_until,
            created_at = excluded.created_at, expires_at = excluded.expires_at
        WHERE known.expires_at <= clock_timestamp()
           OR (known.state = 'running' AND known.locked_until <= clock_timestamp()
               AND known.fingerprint = excluded.fingerprint)
    RETURNING created_at
""")
_RENEW = text("""
    UPDATE idempotency_keys SET locked_until = clock_timestamp() + :lease * interval '1 second'
    WHERE caller = :caller AND route = :route AND key = :key
        AND state = 'running' AND created_at = :claimed
""")
_FINISH = text("""
    UPDATE idempotency_keys
    SET state = 'done', status = :status, headers = :headers, body = :body, locked_until = NULL
    WHERE caller = :caller AND route = :route AND key = :key
        AND state = 'running' AND created_at = :claimed
""").bindparams(bindparam("headers", type_=JSONB))
_RELEASE = text("""
    DELETE FROM idempotency_keys
    WHERE caller = :caller AND route = :route AND key = :key
        AND state = 'running' AND created_at = :claimed
""")
# SKIP LOCKED: two replicas may purge at the same time, each takes rows the other has not.
_PURGE = text("""
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE expires_at <= clock_timestamp()
        LIMIT :limit FOR UPDATE SKIP LOCKED))
""")


class KeyTaken(Exception):
    """Another request with the same key is, or just was, at work."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Keys belong to one caller and one route: two of each never meet."""

    caller: str
    route: str
    key: str

    @property
    def lock_number(self) -> int:
        """A number for an advisory lock (signed, 64 bits)."""
        text = "\0".join(("idempotency", self.caller, self.route, self.key))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Sequence[Sequence[str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a key. Without an answer its request still runs, for `wait_seconds`."""

    fingerprint: bytes
    answer: Answer | None
    wait_seconds: int

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        done = row.state == "done"
        return cls(
            bytes(row.fingerprint),
            Answer(row.status, row.headers, bytes(row.body)) if done else None,
            0 if done else max(1, math.ceil(row.wait_seconds or 0)),
        )


class KeyStore:
    """The keys, seen through one session. Times are the database's: all replicas agree on it."""

    def __init__(self, session: Session | Connection) -> None:
        self._session = session

    def take(self, key: RequestKey) -> Known | None:
        """Take this key until the transaction ends, and say what is known about it.

        Raises KeyTaken if somebody else is at it right now.
        """
        values = {**_names(key), "number": key.lock_number}
        row = self._session.execute(_TAKE, values).one()
        if not row.taken:
            raise KeyTaken
        return Known.of(row) if row.state else None

    def find(self, key: RequestKey) -> Known | None:
        row = self._session.execute(_FIND, _names(key)).one_or_none()
        return Known.of(row) if row else None

    def keep(self, key: RequestKey, fingerprint: bytes, answer: Answer) -> None:
        """Remember the answer, in place of anything that has expired under this key.

        Raises KeyTaken if there is one already: nothing of this transaction may stay then.
        """
        values = {**_names(key), "fingerprint": fingerprint, **_done(answer)}
        result = self._session.execute(_KEEP, values)
        if cast("CursorResult[object]", result).rowcount == 0:
            raise KeyTaken

    def claim(self, key: RequestKey, fingerprint: bytes, lease_seconds: float) -> datetime | None:
        """Reserve the key for a while; None if it is answered, or reserved by another request.

        When that was is also the reservation's name: pass it to `renew`, `finish` or `release`.
        """
        values = {**_names(key), "fingerprint": fingerprint, "lease": lease_seconds}
        claimed: datetime | None = self._session.execute(_CLAIM, values).scalar()
        return claimed

    def renew(self, key: RequestKey, claimed: datetime, lease_seconds: float) -> None:
        """Keep the reservation for so long from now, unless it is over."""
        values = {**_names(key), "claimed": claimed, "lease": lease_seconds}
        self._session.execute(_RENEW, values)

    def finish(self, key: RequestKey, claimed: datetime, answer: Answer) -> None:
        """Remember the answer, unless the lease ran out and somebody else has the key now."""
        self._session.execute(_FINISH, {**_names(key), "claimed": claimed, **_done(answer)})

    def release(self, key: RequestKey, claimed: datetime) -> None:
        """Forget the claim, so that a retry may start at once."""
        self._session.execute(_RELEASE, {**_names(key), "claimed": claimed})


@contextmanager
def keys_alone(engine: Engine) -> Iterator[KeyStore]:
    """The keys outside of any transaction: what a statement does is done, and for all to see."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield KeyStore(connection)


def purge_expired(session: Session, limit: int = 1000) -> int:
    """Delete up to `limit` expired keys and say how many; the caller commits."""
    result = session.execute(_PURGE, {"limit": limit})
    return cast("CursorResult[object]", result).rowcount


def _names(key: RequestKey) -> dict[str, str]:
    return {"caller": key.caller, "route": key.route, "key": key.key}


def _done(answer: Answer) -> dict[str, Any]:
    headers = [list(pair) for pair in answer.headers]
    return {"status": answer.status, "headers": headers, "body": answer.body}
