"""What identity does about the news of others: it keeps the receipts of those who forgot somebody.

Repeated news comes to nothing: the inbox stops it, and an account has one receipt of a service.
"""

from datetime import datetime
from uuid import UUID

from identity.use_cases.ports import Receipt, UnitOfWork
from oja_events.contracts.catalog import CustomerReviewsErased
from oja_events.contracts.notifier import CustomerMailsErased
from oja_events.contracts.ordering import CustomerOrdersErased
from oja_events.contracts.payments import CustomerPaymentsErased


def customer_reviews_erased(event: CustomerReviewsErased, *, uow: UnitOfWork) -> None:
    """Catalog has forgotten them. Repeated: the first receipt stays. Early, late: kept."""
    _keep(event.customer_id, "catalog", event.reviews, event.erased_at, uow)


def customer_orders_erased(event: CustomerOrdersErased, *, uow: UnitOfWork) -> None:
    """Ordering has forgotten them. Repeated: the first receipt stays. Early, late: kept."""
    _keep(event.customer_id, "ordering", event.orders, event.erased_at, uow)


def customer_payments_erased(event: CustomerPaymentsErased, *, uow: UnitOfWork) -> None:
    """Payments has forgotten them. Repeated: the first receipt stays. Early, late: kept."""
    _keep(event.customer_id, "payments", event.orders, event.erased_at, uow)


def customer_mails_erased(event: CustomerMailsErased, *, uow: UnitOfWork) -> None:
    """Notifier has forgotten them. Repeated: the first receipt stays. Early, late: kept."""
    _keep(event.customer_id, "notifier", event.mails, event.erased_at, uow)


def _keep(user_id: UUID, service: str, records: int, at: datetime, uow: UnitOfWork) -> None:
    with uow:
        uow.erasures.keep(user_id, Receipt(service, records, at))
        uow.commit()
