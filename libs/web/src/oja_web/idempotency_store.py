"""Where answers to requests with an Idempotency-Key are kept: one table of the service itself."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from oja_events.schema import Executes

LIFETIME = timedelta(hours=24)

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


_keys = idempotency_keys(MetaData())
_now = func.clock_timestamp()


# Made once: these are what every such request runs.
_TRY_LOCK = select(func.pg_try_advisory_xact_lock(bindparam("number", type_=BigInteger)))
_FIND = select(
    _keys, func.extract("epoch", _keys.c.locked_until - _now).label("wait_seconds")
).where(
    _keys.c.caller == bindparam("caller"),
    _keys.c.route == bindparam("route"),
    _keys.c.key == bindparam("key"),
    _keys.c.expires_at > _now,
)


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

    def __init__(self, session: Session) -> None:
        self._session = session

    def try_lock(self, key: RequestKey) -> bool:
        """Take this key until the transaction ends; False if somebody else is at it right now."""
        return bool(self._session.scalar(_TRY_LOCK, {"number": key.lock_number}))

    def find(self, key: RequestKey) -> Known | None:
        row = self._session.execute(_FIND, asdict(key)).one_or_none()
        return Known.of(row) if row else None

    def keep(self, key: RequestKey, fingerprint: bytes, answer: Answer) -> None:
        """Remember the answer, in place of anything that has expired under this key."""
        values = _new_row(fingerprint) | _done(answer)
        self._session.execute(
            insert(_keys)
            .values(caller=key.caller, route=key.route, key=key.key, **values)
            .on_conflict_do_update(index_elements=_keys.primary_key, set_=values)
        )

    def claim(self, key: RequestKey, fingerprint: bytes, lease_seconds: float) -> datetime | None:
        """Reserve the key for a while; None if it is answered, or reserved by another request.

        When that was is also the reservation's name: pass it to `renew`, `finish` or `release`.
        """
        values = _new_row(fingerprint) | {
            "state": "running",
            "status": None,
            "headers": None,
            "body": None,
            "locked_until": _now + timedelta(seconds=lease_seconds),
        }
        abandoned = and_(
            _keys.c.state == "running",
            _keys.c.locked_until <= _now,
            _keys.c.fingerprint == fingerprint,
        )
        claimed: datetime | None = self._session.scalar(
            insert(_keys)
            .values(caller=key.caller, route=key.route, key=key.key, **values)
            .on_conflict_do_update(
                index_elements=_keys.primary_key,
                set_=values,
                where=or_(_keys.c.expires_at <= _now, abandoned),
            )
            .returning(_keys.c.created_at)
        )
        return claimed

    def renew(self, key: RequestKey, claimed: datetime, lease_seconds: float) -> None:
        """Keep the reservation for so long from now, unless it is over."""
        until = _now + timedelta(seconds=lease_seconds)
        self._session.execute(
            update(_keys).where(_is_running(key, claimed)).values(locked_until=until)
        )

    def finish(self, key: RequestKey, claimed: datetime, answer: Answer) -> None:
        """Remember the answer, unless the lease ran out and somebody else has the key now."""
        self._session.execute(
            update(_keys).where(_is_running(key, claimed)).values(**_done(answer))
        )

    def release(self, key: RequestKey, claimed: datetime) -> None:
        """Forget the claim, so that a retry may start at once."""
        self._session.execute(delete(_keys).where(_is_running(key, claimed)))


def purge_expired(session: Session, limit: int = 1000) -> int:
    """Delete up to `limit` expired keys and say how many; the caller commits."""
    primary = tuple_(*_keys.primary_key.columns)
    # SKIP LOCKED: two replicas may purge at the same time, each takes rows the other has not.
    expired = (
        select(*_keys.primary_key.columns)
        .where(_keys.c.expires_at <= _now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(expired).all()
    if rows:
        session.execute(delete(_keys).where(primary.in_([tuple(row) for row in rows])))
    return len(rows)


def _is(key: RequestKey) -> ColumnElement[bool]:
    return and_(_keys.c.caller == key.caller, _keys.c.route == key.route, _keys.c.key == key.key)


def _is_running(key: RequestKey, claimed: datetime) -> ColumnElement[bool]:
    return and_(_is(key), _keys.c.state == "running", _keys.c.created_at == claimed)


def _new_row(fingerprint: bytes) -> dict[str, Any]:
    return {"fingerprint": fingerprint, "created_at": _now, "expires_at": _now + LIFETIME}


def _done(answer: Answer) -> dict[str, Any]:
    return {
        "state": "done",
        "status": answer.status,
        "headers": [list(pair) for pair in answer.headers],
        "body": answer.body,
        "locked_until": None,
    }
