"""Who changed what: a table in every service, written in the transaction of the change.

A use case says what was done, to what, and how that looked before and after. Who did it, from where
and in which request comes with the request (see context). The service's own role may add rows and
read them; all that it can change is to forget from where somebody came (`forget`).
"""

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Engine,
    Index,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from oja_events.context import actor, trace
from oja_events.prepared import FOR_ITS_VALUES
from oja_events.schema import Executes

# Written out, because a migration must still mean the same when the table below has moved on.
_CREATE_V1 = """
CREATE TABLE audit_log (
    id bigserial PRIMARY KEY,
    at timestamptz NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    target_id text,
    address text,
    request_id text,
    detail jsonb NOT NULL
);
CREATE INDEX audit_log_by_target ON audit_log (target_id, id);
CREATE INDEX audit_log_by_actor ON audit_log (actor_id, id);
CREATE INDEX audit_log_by_action ON audit_log (action, id);
"""

# With the rights of the owner of the schema, since the service has none to change a row.
_CREATE_FORGETTING = """
CREATE FUNCTION forget_in_audit_log(person uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT
AS 'UPDATE audit_log SET address = NULL
    WHERE address IS NOT NULL AND (actor_id = person OR target_id = CAST(person AS text))';
REVOKE ALL ON FUNCTION forget_in_audit_log(uuid) FROM PUBLIC;
"""

# A service gets rights on new tables by default; these it must not have. Scratch databases have no
# such role.
_APPEND_ONLY = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{service}') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM {service};
        GRANT EXECUTE ON FUNCTION forget_in_audit_log(uuid) TO {service};
    END IF;
END $$;
"""

_NOTE = text("""
    INSERT INTO audit_log (at, action, actor_id, target_id, address, request_id, detail)
    VALUES (now(), :action, :actor_id, :target_id, :address, :request_id, :detail)
""").bindparams(bindparam("actor_id", type_=Uuid), bindparam("detail", type_=JSONB))
_FORGET = text("SELECT forget_in_audit_log(:person)").bindparams(bindparam("person", type_=Uuid))


def create_audit_log(op: Executes, service: str) -> None:
    """Create the table, to which the role `service` may only add; for a migration."""
    op.execute(_CREATE_V1)
    guard_audit_log(op, service)


def guard_audit_log(op: Executes, service: str) -> None:
    """Take from the role `service` what it must not do to a table that it has already."""
    op.execute(_CREATE_FORGETTING)
    op.execute(_APPEND_ONLY.format(service=service))


def audit_log(metadata: MetaData) -> Table:
    """The table as SQLAlchemy sees it, for services that compare models with migrations."""
    return Table(
        "audit_log",
        metadata,
        Column("id", BigInteger, primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("action", Text, nullable=False),
        Column("actor_id", Uuid),
        Column("target_id", Text),
        Column("address", Text),
        Column("request_id", Text),
        Column("detail", JSONB, nullable=False),
        Index("audit_log_by_target", "target_id", "id"),
        Index("audit_log_by_actor", "actor_id", "id"),
        Index("audit_log_by_action", "action", "id"),
    )


class SqlAuditLog:
    """The log of the transaction that `session` is in."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def note(
        self, action: str, target: object, *, before: object = None, after: object = None
    ) -> None:
        """Write down that whoever sent this request did it.

        Of two mappings or dataclasses only what differs is kept, and no row if nothing does. None
        is nothing: what was made, or is gone.
        """
        detail = _difference(_plain(before), _plain(after))
        if detail is None:
            return
        by = actor.get()
        self.write(
            action,
            actor_id=by.user_id if by else None,
            target_id=str(target),
            address=by.address if by else None,
            detail=detail,
        )

    def write(
        self,
        action: str,
        *,
        actor_id: UUID | None,
        target_id: str | None,
        address: str | None,
        detail: Mapping[str, Any],
    ) -> None:
        """Write a row as it is, with the id of the request."""
        current = trace.get()
        row = {
            "action": action,
            "actor_id": actor_id,
            "target_id": target_id,
            "address": address,
            "request_id": current.correlation_id if current else None,
            "detail": dict(detail),
        }
        self._session.execute(_NOTE, row)

    def forget(self, person: UUID) -> None:
        """Keep what they did and what was done to them, but not from where."""
        self._session.execute(_FORGET, {"person": person})


@dataclasses.dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line of the log."""

    id: int
    at: datetime
    action: str
    actor_id: UUID | None
    target_id: str | None
    address: str | None
    request_id: str | None
    detail: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class AuditPage:
    """Newest first. `next` is the id to continue after, None on the last page."""

    items: list[AuditRecord]
    next: int | None
    total: int | None = None


class AuditReader:
    """Reads the log of one service, each page in a short transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._table = audit_log(MetaData())

    def page(
        self,
        *,
        size: int,
        actor_id: UUID | None = None,
        target_id: str | None = None,
        action: str | None = None,
        after: int | None = None,
        with_total: bool = False,
    ) -> AuditPage:
        columns = self._table.c
        query: Select[Any] = select(*columns)
        for name, value in (("actor_id", actor_id), ("target_id", target_id), ("action", action)):
            if value is not None:
                query = query.where(columns[name] == value)
        with self._engine.connect().execution_options(**FOR_ITS_VALUES) as connection:
            count = select(func.count()).select_from(query.subquery())
            total = connection.scalar(count) if with_total else None
            if after is not None:
                query = query.where(columns.id < after)
            rows = connection.execute(query.order_by(columns.id.desc()).limit(size + 1)).all()
        records = [AuditRecord(**row._mapping) for row in rows[:size]]
        return AuditPage(records, records[-1].id if len(rows) > size else None, total)


def _plain(value: object) -> Any:
    """As JSON has it: ids, times and names of states as text."""
    return json.loads(json.dumps(value, default=_fields_or_text))


def _fields_or_text(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)


def _difference(before: Any, after: Any) -> dict[str, Any] | None:
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        before = {name: before.get(name) for name in names}
        after = {name: after.get(name) for name in names}
        if not names:
            return None
    return {"before": before, "after": after}
