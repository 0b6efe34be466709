"""Transactions of payments."""

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from uuid_utils.compat import uuid7

from oja_events.audit import SqlAuditLog
from oja_events.envelope import Envelope
from oja_events.outbox import Outbox
from oja_events.unit_of_work import SqlTransaction
from oja_events.wakeup import Waker
from oja_web.idempotency_store import KeyStore
from payments.adapters.erasing import SqlErasures
from payments.adapters.red_rules import SqlRedRules
from payments.adapters.repositories import (
    SqlAlertRepository,
    SqlOrderRepository,
    SqlPaymentRepository,
    SqlRefundRepository,
    SqlWebhookRepository,
)


class SqlUnitOfWork(SqlTransaction):
    orders: SqlOrderRepository
    payments: SqlPaymentRepository
    refunds: SqlRefundRepository
    webhooks: SqlWebhookRepository
    alerts: SqlAlertRepository
    red_rules: SqlRedRules
    erasures: SqlErasures
    audit: SqlAuditLog
    idempotency_keys: KeyStore

    def open(self, session: Session, outbox: Outbox) -> None:
        self.orders = SqlOrderRepository(session, outbox, self._note_now)
        self.payments = SqlPaymentRepository(session, outbox, self._note_now)
        self.refunds = SqlRefundRepository(session, outbox)
        self.webhooks = SqlWebhookRepository(session)
        self.alerts = SqlAlertRepository(session, outbox)
        self.red_rules = SqlRedRules(session, outbox)
        self.erasures = SqlErasures(session, outbox)
        self.audit = SqlAuditLog(session)
        self.idempotency_keys = KeyStore(session)

    def new_id(self) -> UUID:
        return uuid7()

    def _note_now(self, now: datetime) -> None:
        """Spares `now` its own statement."""
        self._began = now


class SqlUnitsOfWork:
    """A fresh unit of work for each use. `alone` is for statements that need no transaction around
    them (autocommit)."""

    def __init__(self, engine: Engine, alone: Engine, source: str) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        # Of one statement a session has nothing to remember: a connection does it for half the
        # price.
        self._connections = cast("sessionmaker[Session]", alone.connect)
        self._source = source
        self._waker = Waker(engine, source)

    def __call__(self, *, handling: Envelope | None = None) -> SqlUnitOfWork:
        return SqlUnitOfWork(
            self._sessions, source=self._source, waker=self._waker, handling=handling
        )

    def at_once(self) -> SqlUnitOfWork:
        """Spared the BEGIN and the COMMIT around it, each a round trip, where a statement is all
        that there is to do."""
        return SqlUnitOfWork(self._connections, source=self._source, waker=self._waker)
