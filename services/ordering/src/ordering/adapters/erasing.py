"""Forgetting customers who closed their account. Orders stay, without anybody in them."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from oja_events.audit import SqlAuditLog
from oja_events.contracts.ordering import CustomerOrdersErased
from oja_events.outbox import Outbox

_BEGIN = text("""
    INSERT INTO erasures (customer_id, asked_at) VALUES (:customer_id, now())
    ON CONFLICT DO NOTHING
""")
_DROP_CART = text("DELETE FROM carts WHERE customer_id = :customer_id")
_DROP_ADDRESSES = text("DELETE FROM address_books WHERE customer_id = :customer_id")
# The answer to a checkout repeats the address.
_DROP_ANSWERS = text("DELETE FROM idempotency_keys WHERE caller = CAST(:customer_id AS text)")

# Until a parcel has arrived and all money is back, somebody has to know whose it is. All who were
# ever erased are looked at: an order may have been on its way in while its customer left. What
# staff wrote may name the customer, and the carrier knows by the parcel's number where it went.
_MASK = text("""
    WITH masked AS (
        UPDATE orders SET
            contact = jsonb_build_object(
                'name', 'Erased customer', 'email', 'erased-' || customer_id || '@erased.invalid'),
            shipping_address = shipping_address || jsonb_build_object(
                'full_name', 'Erased customer', 'phone', '', 'line1', '', 'line2', NULL,
                'postal_code', NULL),
            note = NULL, tracking = NULL
        WHERE customer_id IN (SELECT customer_id FROM erasures)
            AND status IN ('completed', 'cancelled') AND payment_status <> 'refund_pending'
            AND contact ->> 'name' <> 'Erased customer'
        RETURNING id
    )
    UPDATE order_history SET detail = NULL
    WHERE order_id IN (SELECT id FROM masked) AND actor LIKE 'staff %'
""")
_FINISH = text("""
    UPDATE erasures SET erased_at = now()
    WHERE erased_at IS NULL AND NOT EXISTS (
        SELECT FROM orders
        WHERE orders.customer_id = erasures.customer_id
            AND contact ->> 'name' <> 'Erased customer')
    RETURNING customer_id, erased_at,
        (SELECT count(*) FROM orders WHERE orders.customer_id = erasures.customer_id) AS orders
""")


class SqlErasures:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def begin(self, customer_id: UUID) -> None:
        for statement in (_BEGIN, _DROP_CART, _DROP_ADDRESSES, _DROP_ANSWERS):
            self._session.execute(statement, {"customer_id": customer_id})
        SqlAuditLog(self._session).forget(customer_id)

    def go_on(self) -> int:
        self._session.execute(_MASK)
        finished = self._session.execute(_FINISH).all()
        for row in finished:
            self._outbox.add(
                CustomerOrdersErased(
                    customer_id=row.customer_id, orders=row.orders, erased_at=row.erased_at
                )
            )
        return len(finished)
