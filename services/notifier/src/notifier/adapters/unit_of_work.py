"""One transaction of notifier."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from notifier.adapters.alerts import SqlAlertRepository, SqlParkedMessages
from notifier.adapters.erasing import SqlErasures
from notifier.adapters.pace import Pace
from notifier.adapters.repositories import SqlMailRepository
from notifier.adapters.staff import SqlStaffDirectory
from notifier.adapters.templates_of_staff import SqlTemplateRepository
from oja_events.audit import SqlAuditLog
from oja_events.envelope import Envelope
from oja_events.outbox import Outbox
from oja_events.unit_of_work import SqlTransaction
from oja_events.wakeup import Waker


class SqlUnitOfWork(SqlTransaction):
    """`mail_waker` is used after a commit that leaves mail to send."""

    mails: SqlMailRepository
    alerts: SqlAlertRepository
    parked: SqlParkedMessages
    templates: SqlTemplateRepository
    erasures: SqlErasures
    staff: SqlStaffDirectory
    audit: SqlAuditLog

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        source: str,
        waker: Waker,
        mail_waker: Waker,
        mail_from: str,
        staff_mail: tuple[str, ...],
        storefront: str,
        alerts_collected_for: timedelta,
        pace: Pace,
        handling: Envelope | None = None,
    ) -> None:
        super().__init__(sessions, source=source, waker=waker, handling=handling)
        self._mail_waker = mail_waker
        self._mail_from = mail_from
        self._alerts_collected_for = alerts_collected_for
        self._pace = pace
        self._staff_mail = staff_mail
        self._storefront = storefront

    @property
    def event_id(self) -> UUID:
        if self.handling is None:
            raise RuntimeError("this unit of work handles no event")
        return self.handling.id

    def open(self, session: Session, outbox: Outbox) -> None:
        self.alerts = SqlAlertRepository(session, collected_for=self._alerts_collected_for)
        self.mails = SqlMailRepository(
            session,
            outbox,
            sender=self._mail_from,
            event_id=lambda: self.event_id,
            now=self.now,
            alerts=self.alerts,
            pace=self._pace,
            storefront=self._storefront,
        )
        self.staff = SqlStaffDirectory(session, always=self._staff_mail)
        self.erasures = SqlErasures(session, outbox)
        self.audit = SqlAuditLog(session)
        self.parked = SqlParkedMessages(session)
        self.templates = SqlTemplateRepository(session)

    def after_commit(self) -> list[Callable[[], None]]:
        wrote, self.mails.wrote = self.mails.wrote, False
        return [*super().after_commit(), *([self._mail_waker.wake] if wrote else [])]
