"""The read side: plain SELECTs, each in a short transaction of its own."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker

from notifier.adapters.mapping import alert_entry, ledger_entry
from notifier.adapters.tables import AlertRow, MailRow
from notifier.use_cases.errors import AlertNotFound, MailNotFound
from notifier.use_cases.ports import AlertEntry, AlertPage, LedgerEntry, MailPage


class SqlQueries:
    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def mail(self, mail_id: UUID) -> LedgerEntry:
        with self._sessions() as session:
            row = session.get(MailRow, mail_id)
        if row is None:
            raise MailNotFound(mail_id)
        return ledger_entry(row)

    def mails(
        self,
        *,
        size: int,
        recipient: str | None = None,
        template: str | None = None,
        status: str | None = None,
        order_id: UUID | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> MailPage:
        query = select(MailRow)
        if recipient is not None:
            query = query.where(func.lower(MailRow.recipient) == recipient.lower())
        if template is not None:
            query = query.where(MailRow.template == template)
        if status is not None:
            query = query.where(MailRow.status == status)
        if order_id is not None:
            query = query.where(MailRow.order_id == order_id)
        rows, next_id, total = self._page(query, MailRow.id, size, after, with_total)
        return MailPage([ledger_entry(row) for row in rows], next_id, total)

    def alert(self, alert_id: UUID) -> AlertEntry:
        with self._sessions() as session:
            row = session.get(AlertRow, alert_id)
        if row is None:
            raise AlertNotFound(alert_id)
        return alert_entry(row)

    def alerts(
        self,
        *,
        size: int,
        kind: str | None = None,
        acknowledged: bool | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> AlertPage:
        query = select(AlertRow)
        if kind is not None:
            query = query.where(AlertRow.kind == kind)
        if acknowledged is not None:
            query = query.where(AlertRow.acknowledged_at.is_not(None) == acknowledged)
        rows, next_id, total = self._page(query, AlertRow.id, size, after, with_total)
        return AlertPage([alert_entry(row) for row in rows], next_id, total)

    def _page(
        self,
        query: Select[Any],
        key: InstrumentedAttribute[UUID],
        size: int,
        after: UUID | None,
        with_total: bool,
    ) -> tuple[list[Any], UUID | None, int | None]:
        """The rows of one page, the key to continue after, and how many there are in all."""
        with self._sessions() as session:
            count = select(func.count()).select_from(query.subquery())
            total = session.scalar(count) if with_total else None
            if after is not None:
                query = query.where(key < after)
            # Ids are UUIDv7: their order is the order of time.
            rows = list(session.scalars(query.order_by(key.desc()).limit(size + 1)))
        found = rows[:size]
        return found, found[-1].id if len(rows) > size else None, total
