"""Forgetting customers who closed their account. Orders stay, without anybody in them."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from oja_events.audit import SqlAuditLog
from oja_events.contracts.ordering import CustomerOrdersErased
from oja_events.outbox import Outbox
from oja_events.prepared import FOR_ITS_VALUES

# Who learns of a customer and who begins to forget them wait for each other here: neither could see
# what the other is about to commit.
_TAKE_TURNS = text("""
    SELECT pg_advisory_xact_lock(
        hashtext('ordering erasures'), hashtext(CAST(:customer_id AS text)))
""")
_BEGIN = text("""
    INSERT INTO erasures (customer_id, asked_at) VALUES (:customer_id, now())
    ON CONFLICT DO NOTHING
""")
# All who were ever erased are looked at: a request of theirs may have been on its way in while
# they left.
_DROP_CARTS = text("DELETE FROM carts WHERE customer_id IN (SELECT customer_id FROM erasures)")
_DROP_ADDRESSES = text("""
    DELETE FROM address_books WHERE customer_id IN (SELECT customer_id FROM erasures)
""")
# The answer to a checkout repeats the address.
_DROP_ANSWERS = text("""
    DELETE FROM idempotency_keys
    WHERE caller IN (SELECT CAST(customer_id AS text) FROM erasures)
""")

# The mark of an order that is masked: an address that nobody else can have, as a name can.
_NOBODY = "'erased-' || orders.customer_id || '@erased.invalid'"
# Until a parcel has arrived and all money is back, somebody has to know whose it is. What staff
# wrote may name the customer, and the carrier knows by the parcel's number where it went. Of an
# order that came in after the receipt others know the customer too: they need another one.
_MASK = text(f"""
    WITH masked AS (
        UPDATE orders SET
            contact = jsonb_build_object('name', 'Erased customer', 'email', {_NOBODY}),
            shipping_address = shipping_address || jsonb_build_object(
                'full_name', 'Erased customer', 'phone', '', 'line1', '', 'line2', NULL,
                'postal_code', NULL),
            note = NULL, tracking = NULL
        WHERE customer_id IN (SELECT customer_id FROM erasures)
            AND status IN ('completed', 'cancelled') AND payment_status <> 'refund_pending'
            AND contact ->> 'email' <> {_NOBODY}
        RETURNING id, customer_id
    ), cleared AS (
        UPDATE order_history SET detail = NULL
        WHERE order_id IN (SELECT id FROM masked) AND actor LIKE 'staff %'
    )
    UPDATE erasures SET erased_at = NULL WHERE customer_id IN (SELECT customer_id FROM masked)
""")  # noqa: S608  nobody's text is in it  # nosec B608
_FINISH = text(f"""
    UPDATE erasures SET erased_at = now()
    WHERE erased_at IS NULL AND NOT EXISTS (
        SELECT FROM orders
        WHERE orders.customer_id = erasures.customer_id
            AND contact ->> 'email' <> {_NOBODY})
    RETURNING customer_id, erased_at,
        (SELECT count(*) FROM orders WHERE orders.customer_id = erasures.customer_id) AS orders
""")  # noqa: S608  # nosec B608


class SqlErasures:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def begin(self, customer_id: UUID) -> None:
        take_turns(self._session, customer_id)
        self._session.execute(_BEGIN, {"customer_id": customer_id})
        SqlAuditLog(self._session).forget(customer_id)

    def go_on(self) -> int:
        # Few have left and many have carts: a plan made for empty tables would read all of these.
        for statement in (_DROP_CARTS, _DROP_ADDRESSES, _DROP_ANSWERS, _MASK):
            self._session.execute(statement, execution_options=FOR_ITS_VALUES)
        finished = self._session.execute(_FINISH).all()
        for row in finished:
            self._outbox.add(
                CustomerOrdersErased(
                    customer_id=row.customer_id, orders=row.orders, erased_at=row.erased_at
                )
            )
        return len(finished)


def take_turns(session: Session, customer_id: UUID) -> None:
    """Until the transaction ends, nobody else begins to forget this customer. A statement of its
    own, so that the next one sees what was committed meanwhile."""
    session.execute(_TAKE_TURNS, {"customer_id": customer_id})
