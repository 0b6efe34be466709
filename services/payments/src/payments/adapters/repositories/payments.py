"""Attempts to pay an order, each locked together with its order."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from oja_events.outbox import Outbox
from payments.adapters.mapping import capture_values, new_payment, page_values, payment_progress
from payments.adapters.repositories.rows import NOW, ORDERS, PAYMENTS, NoteNow, order_of, payment_of
from payments.domain.order import Order, OrderState
from payments.domain.payment import Payment, PaymentStatus
from payments.use_cases.errors import PaymentNotFound

# With what else there is of its order.
_WITH_ORDER = select(
    PAYMENTS, *(column for column in ORDERS.c if column.name not in PAYMENTS.c)
).join(ORDERS, PAYMENTS.c.order_id == ORDERS.c.order_id)
_PAYMENT = _WITH_ORDER.where(PAYMENTS.c.reference == bindparam("of"))
# Locks the order and then the payment. Both, for who had to wait is shown a row that he locks as it
# has become meanwhile, and any other as it was before.
_LOCKED_PAYMENT = _PAYMENT.add_columns(NOW).with_for_update(of=(ORDERS, PAYMENTS))
_LATEST_PAYMENT = (
    _WITH_ORDER.where(PAYMENTS.c.order_id == bindparam("of"))
    .order_by(PAYMENTS.c.attempt.desc())
    .limit(1)
    .with_for_update(of=PAYMENTS)
)
# Locks the order, which stays payable until the attempt is on record. Who had to wait for somebody
# else's attempt finds it in the way.
_BEGIN_PAYMENT = (
    upsert(PAYMENTS)
    .from_select(
        PAYMENTS.c.keys(),
        select(*(bindparam(column.name, type_=column.type) for column in PAYMENTS.c))
        .where(
            ORDERS.c.order_id == bindparam("order_id"),
            ORDERS.c.state == OrderState.PAYABLE,
            ORDERS.c.paid_reference.is_(None),
        )
        .with_for_update(),
    )
    .on_conflict_do_nothing()
    .returning(PAYMENTS.c.id)
)
_SAVE_PAYMENT = update(PAYMENTS).where(PAYMENTS.c.id == bindparam("payment"))
_NOTE_CAPTURE = (
    update(ORDERS)
    .where(ORDERS.c.order_id == bindparam("order"))
    .values({name: bindparam(name) for name in ("paid_reference", "next_look_at")})
)
_SAVE_CAPTURE = _SAVE_PAYMENT.add_cte(_NOTE_CAPTURE.cte("owed"))
_KEEP_PAGE = _SAVE_PAYMENT.returning(PAYMENTS.c.status)
_CLAIM_CHECKS = text("""
    WITH due AS (
        SELECT id FROM payments WHERE next_check_at <= now()
        ORDER BY next_check_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE payments SET next_check_at = now() + interval '30 seconds'
    FROM due WHERE payments.id = due.id
    RETURNING payments.reference
""")


class SqlPaymentRepository:
    def __init__(self, session: Session, outbox: Outbox, note_now: NoteNow) -> None:
        self._session = session
        self._outbox = outbox
        self._note_now = note_now

    def latest(self, order_id: UUID) -> Payment | None:
        return self._one(_LATEST_PAYMENT, order_id)

    def get(self, reference: str) -> Payment:
        payment = self._one(_PAYMENT, reference)
        if payment is None:
            raise PaymentNotFound(reference)
        return payment

    def with_order(self, reference: str) -> tuple[Order, Payment]:
        row = self._session.execute(_LOCKED_PAYMENT, {"of": reference}).one_or_none()
        if row is None:
            raise PaymentNotFound(reference)
        self._note_now(row.now)
        return order_of(row), payment_of(row)

    def begin(self, payment: Payment) -> bool:
        begun = self._session.execute(_BEGIN_PAYMENT, new_payment(payment))
        return begun.one_or_none() is not None

    def keep_page(self, payment: Payment) -> bool:
        values = {**page_values(payment), "payment": payment.id}
        status = self._session.execute(_KEEP_PAGE, values).scalar_one()
        return PaymentStatus(status) is PaymentStatus.PENDING

    def save(self, payment: Payment) -> None:
        values = {**payment_progress(payment), "payment": payment.id}
        self._session.execute(_SAVE_PAYMENT, values)
        self._outbox.add(*payment.pull_events())

    def save_capture(self, order: Order, payment: Payment) -> None:
        values = {**payment_progress(payment), **capture_values(order)}
        ids = {"payment": payment.id, "order": order.id}
        self._session.execute(_SAVE_CAPTURE, {**values, **ids})
        self._outbox.add(*payment.pull_events())

    def claim_checks(self, limit: int) -> list[str]:
        return list(self._session.scalars(_CLAIM_CHECKS, {"limit": limit}))

    def _one(self, query: Select[Any], of: object) -> Payment | None:
        row = self._session.execute(query, {"of": of}).one_or_none()
        return payment_of(row) if row else None
