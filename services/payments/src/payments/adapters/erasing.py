"""Forgetting customers who closed their account, once ordering has nothing under way for them."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from oja_events.audit import SqlAuditLog
from oja_events.contracts.payments import CustomerPaymentsErased
from oja_events.outbox import Outbox

# What the addresses of all who were erased end with.
NOBODY = "@erased.invalid"

_MASK = text(f"""
    UPDATE orders SET contact = jsonb_build_object(
        'name', 'Erased customer', 'email', 'erased-' || customer_id || '{NOBODY}')
    WHERE customer_id = :customer_id AND contact IS NOT NULL
    RETURNING order_id
""")  # noqa: S608  # nosec B608
# Paystack's words contain the address; what followed from them stands in our own rows. Those that
# are not applied yet lose theirs then.
_EMPTY_WEBHOOKS = text("""
    UPDATE webhooks SET body = ''
    WHERE applied_at IS NOT NULL
        AND reference IN (SELECT reference FROM payments WHERE customer_id = :customer_id)
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
