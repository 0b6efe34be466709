"""The read side: plain SELECTs, each in a short transaction of its own."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker

from notifier.adapters.mapping import alert_entry, ledger_entry
from notifier.adapters.staff import read_wishes
from notifier.adapters.tables import AlertRow, MailRow, TemplateVersionRow
from notifier.adapters.templates_of_staff import SqlTemplateRepository, edition_of
from notifier.adapters.wording import shipped
from notifier.domain.letter import Template
from notifier.domain.staff import Wishes
from notifier.use_cases.errors import AlertNotFound, MailNotFound, OrderNotKnown
from notifier.use_cases.queries import AlertEntry, AlertPage, LedgerEntry, MailPage, TemplateEntry

MAILS_OF_AN_ORDER = 50


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

    def templates(self) -> list[TemplateEntry]:
        newest = (
            select(TemplateVersionRow)
            .ext(distinct_on(TemplateVersionRow.template))
            .order_by(TemplateVersionRow.template, TemplateVersionRow.number.desc())
        )
        with self._sessions() as session:
            edited = {row.template: edition_of(row) for row in session.scalars(newest)}
        return [
            TemplateEntry(
                template.value, template.audience, edited.get(template) or shipped(template)
            )
            for template in sorted(Template)
        ]

    def template(self, template: Template) -> TemplateEntry:
        with self._sessions() as session:
            edition = SqlTemplateRepository(session).current(template)
        return TemplateEntry(template.value, template.audience, edition)

    def wishes(self, user_id: UUID) -> Wishes:
        with self._sessions() as session:
            return read_wishes(session, user_id)

    def facts_of_order(self, order_id: UUID, template: Template) -> Mapping[str, object]:
        mails = (
            select(MailRow.facts)
            .where(MailRow.order_id == order_id, MailRow.kind == "event")
            .order_by((MailRow.template == template.value).desc(), MailRow.id.desc())
            .limit(MAILS_OF_AN_ORDER)
        )
        with self._sessions() as session:
            kept = list(session.scalars(mails))
        if not kept:
            raise OrderNotKnown(order_id)
        return {name: value for facts in reversed(kept) for name, value in facts.items()}

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
