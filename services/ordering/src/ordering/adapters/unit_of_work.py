"""One transaction of ordering."""

from sqlalchemy.orm import Session

from oja_events.audit import SqlAuditLog
from oja_events.outbox import Outbox
from oja_events.unit_of_work import SqlTransaction
from oja_web.idempotency_store import KeyStore
from ordering.adapters.address_books import SqlAddressBooks
from ordering.adapters.erasing import SqlErasures
from ordering.adapters.repositories import (
    SqlCartRepository,
    SqlOfferRepository,
    SqlOrderRepository,
)


class SqlUnitOfWork(SqlTransaction):
    orders: SqlOrderRepository
    carts: SqlCartRepository
    offers: SqlOfferRepository
    address_books: SqlAddressBooks
    erasures: SqlErasures
    audit: SqlAuditLog
    idempotency_keys: KeyStore

    def open(self, session: Session, outbox: Outbox) -> None:
        cause = self.handling.id if self.handling else None
        self.orders = SqlOrderRepository(session, outbox, cause)
        self.carts = SqlCartRepository(session)
        self.offers = SqlOfferRepository(session)
        self.address_books = SqlAddressBooks(session)
        self.erasures = SqlErasures(session, outbox)
        self.audit = SqlAuditLog(session)
        self.idempotency_keys = KeyStore(session)
