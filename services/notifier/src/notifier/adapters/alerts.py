"""Alerts in Postgres, and the messages that some are raised for."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from notifier.adapters.tables import AlertRow
from notifier.domain.alert import Alert, AlertKind, Raised
from notifier.domain.plain_text import one_line
from notifier.use_cases.errors import AlertNotFound
from notifier.use_cases.ports import ParkedMessage

_ALONE = text("SELECT pg_try_advisory_xact_lock(:digests, 0)")
# Asked every second.
_KINDS_DUE = text("SELECT DISTINCT kind FROM alerts WHERE mail_due_at <= now()")
_DIGESTS_LOCK = 0x64696773  # "digs": whoever holds it writes digests

_UNNOTICED = text("""
    SELECT key, type, reason, error FROM parked_message
    WHERE status = 'open' AND NOT EXISTS (
        SELECT FROM alerts WHERE kind = 'message_parked' AND occasion = parked_message.key)
    ORDER BY id LIMIT :limit
""")


class SqlAlertRepository:
    """Alerts that are mailed in a digest wait for it during `collected_for`."""

    def __init__(self, session: Session, *, collected_for: timedelta) -> None:
        self._session = session
        self._collected_for = collected_for

    def add(self, *alerts: Alert) -> None:
        rows = [
            {
                "id": uuid7(),
                "kind": alert.kind,
                "occasion": alert.occasion,
                "title": one_line(alert.title),
                "detail": one_line(alert.detail),
                "order_id": alert.order_id,
                "facts": msgspec.to_builtins(alert.facts),
                "raised_at": func.now(),
                "mail_due_at": self._due() if alert.waits_for_digest else None,
            }
            for alert in alerts
        ]
        if rows:
            self._session.execute(upsert(AlertRow).values(rows).on_conflict_do_nothing())

    def kinds_due(self) -> set[AlertKind]:
        due = set(self._session.execute(_KINDS_DUE).scalars())
        return {kind for kind in AlertKind if kind in due}

    def take_due(self, kinds: tuple[AlertKind, ...], limit: int) -> list[Raised]:
        waiting = (
            select(AlertRow)
            .where(AlertRow.kind.in_(kinds), AlertRow.mail_due_at.is_not(None))
            .order_by(AlertRow.mail_due_at, AlertRow.id)
        )
        if not self._is_time(waiting):
            return []
        rows = self._session.scalars(waiting.limit(limit)).all()
        taken = update(AlertRow).where(AlertRow.id.in_([row.id for row in rows]))
        self._session.execute(taken.values(mail_due_at=None))
        return [
            Raised(
                id=row.id,
                title=row.title,
                detail=row.detail,
                raised_at=row.raised_at,
                facts=row.facts,
            )
            for row in rows
        ]

    def acknowledge(self, alert_id: UUID, *, by: str) -> bool:
        row = self._session.get(AlertRow, alert_id, with_for_update=True)
        if row is None:
            raise AlertNotFound(alert_id)
        is_first = row.acknowledged_at is None
        if is_first:
            row.acknowledged_at = self._session.execute(select(func.now())).scalar_one()
            row.acknowledged_by = by
        return is_first

    def _due(self) -> Any:
        return func.now() + self._collected_for

    def _is_time(self, waiting: Select[Any]) -> bool:
        """Somebody has waited long enough, and nobody else writes digests."""
        due = waiting.where(AlertRow.mail_due_at <= func.now()).with_only_columns(AlertRow.id)
        if self._session.execute(due.limit(1)).first() is None:
            return False
        return bool(self._session.execute(_ALONE, {"digests": _DIGESTS_LOCK}).scalar())


class SqlParkedMessages:
    def __init__(self, session: Session) -> None:
        self._session = session

    def unnoticed(self, limit: int) -> list[ParkedMessage]:
        rows = self._session.execute(_UNNOTICED, {"limit": limit})
        return [
            ParkedMessage(key=row.key, type=row.type, reason=row.reason, error=row.error)
            for row in rows
        ]
