"""Forgetting customers who closed their account, once ordering has nothing under way for them."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from oja_events.audit import SqlAuditLog
from oja_events.contracts.payments import CustomerPaymentsErased
from oja_events.outbox import Outbox

_MASK = text("""
    UPDATE orders SET contact = jsonb_build_object(
        'name', 'Erased customer', 'email', 'erased-' || customer_id || '@erased.invalid')
    WHERE customer_id = :customer_id AND contact IS NOT NULL
    RETURNING order_id
""")


# Paystack's words contain the address; what followed from them stands in our own rows.
_EMPTY_WEBHOOKS = text("""
    UPDATE webhooks SET body = ''
    WHERE applied_at IS NOT NULL AND EXISTS (
        SELECT FROM payments
        WHERE customer_id = :customer_id
            AND position(convert_to(reference, 'UTF8') IN body) > 0)
""")
# The answer to a payment repeats what Paystack was asked for.
_DROP_ANSWERS = text("DELETE FROM idempotency_keys WHERE caller = CAST(:customer_id AS text)")


class SqlErasures:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def erase(self, customer_id: UUID) -> None:
        masked = self._session.execute(_MASK, {"customer_id": customer_id}).all()
        self._session.execute(_EMPTY_WEBHOOKS, {"customer_id": customer_id})
        self._session.execute(_DROP_ANSWERS, {"customer_id": customer_id})
        SqlAuditLog(self._session).forget(customer_id)
        now = self._session.execute(select(func.now())).scalar_one()
        self._outbox.add(
            CustomerPaymentsErased(customer_id=customer_id, orders=len(masked), erased_at=now)
        )
