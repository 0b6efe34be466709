"""Aggregates in Postgres. Saving one also hands its events to the outbox, so that a change cannot
be kept without being told."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, Row, Select, Uuid, any_, bindparam, func, select, text, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from oja_events.contracts.payments import PaymentAlertRaised
from oja_events.outbox import Outbox
from payments.adapters.erasing import NOBODY
from payments.adapters.mapping import (
    bill_from,
    capture_values,
    new_payment,
    new_refund_row,
    order_from,
    order_values,
    page_values,
    payment_from,
    payment_progress,
    refund_from,
    write_refund,
)
from payments.adapters.tables import AlertRow, Base, OrderRow, PaymentRow, RefundRow
from payments.domain.order import Order, OrderState
from payments.domain.payment import Payment, PaymentStatus
from payments.domain.refund import Refund
from payments.use_cases.errors import OrderNotFound, PaymentNotFound
from payments.use_cases.ports import Alert, Overdue, Standing, Webhook

# Told what time the database says it is, whenever a statement has brought that along.
NoteNow = Callable[[datetime], None]

# Each of these hands rows to one taker: SKIP LOCKED, and a time at which they come up again should
# the taker die. A refund, which nobody may ask for twice, comes alone, for longer than all calls to
# Paystack that are made for it; of what comes in batches a slow taker may be overtaken unharmed.
_CLAIM_OVERDUE = text("""
    WITH due AS (
        SELECT order_id FROM orders WHERE next_look_at <= now()
        ORDER BY next_look_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE orders SET next_look_at = now() + interval '15 seconds'
    FROM due WHERE orders.order_id = due.order_id
    RETURNING orders.order_id, ARRAY(
        SELECT reference FROM payments
        WHERE payments.order_id = orders.order_id
          AND payments.status IN ('pending', 'failed', 'abandoned')
        ORDER BY attempt) AS payment_references
""")

_CLAIM_CHECKS = text("""
    WITH due AS (
        SELECT id FROM payments WHERE next_check_at <= now()
        ORDER BY next_check_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE payments SET next_check_at = now() + interval '30 seconds'
    FROM due WHERE payments.id = due.id
    RETURNING payments.reference
""")

_CLAIM_REFUND = text("""
    WITH due AS (
        SELECT id FROM refunds WHERE next_look_at <= now()
        ORDER BY next_look_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE refunds SET looks = looks + 1, next_look_at = now() + interval '60 seconds'
    FROM due WHERE refunds.id = due.id
    RETURNING refunds.id
""")

# Only those that Paystack has for sure: another look at one that is just being asked for could
# find nothing yet and ask for it a second time.
_HURRY_REFUNDS = text("""
    UPDATE refunds SET next_look_at = now()
    WHERE reference = :reference AND next_look_at IS NOT NULL AND provider_id IS NOT NULL
""")

_KEEP_WEBHOOK = text("""
    INSERT INTO webhooks (key, body, request_id) VALUES (:key, :body, :request_id)
    ON CONFLICT (key) DO NOTHING
""")

_CLAIM_WEBHOOKS = text("""
    WITH due AS (
        SELECT id FROM webhooks WHERE next_attempt_at <= now()
        ORDER BY next_attempt_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE webhooks SET next_attempt_at = now() + interval '15 seconds'
        FROM due WHERE webhooks.id = due.id
        RETURNING webhooks.id, webhooks.body, webhooks.request_id
    )
    SELECT id, body, request_id FROM taken ORDER BY id
""")

# Locks the order, so that it is decided who comes first: this, or the customer's erasure.
_APPLIED = text(f"""
    WITH about AS (
        SELECT contact ->> 'email' AS email FROM orders JOIN payments USING (order_id)
        WHERE payments.reference = :reference FOR SHARE OF orders
    )
    UPDATE webhooks SET applied_at = now(), next_attempt_at = NULL, outcome = :outcome,
        reference = :reference,
        body = CASE WHEN (SELECT email FROM about) LIKE '%{NOBODY}' THEN '' ELSE body END
    WHERE id = :id
""")  # noqa: S608  # nosec B608


# Made once, of tables and not of classes: these are what every payment runs.
_ORDERS, _KNOWN = (Base.metadata.tables[name] for name in ("orders", "payments"))
# Who locks is about to decide something, and needs to know when it is.
_NOW = func.now().label("now")
_LOCKED_ORDER = select(_ORDERS, _NOW).where(_ORDERS.c.order_id == bindparam("id")).with_for_update()
_SAVE_ORDER = update(_ORDERS).where(_ORDERS.c.order_id == bindparam("id"))
_ADD_ORDER = upsert(_ORDERS).on_conflict_do_nothing().returning(_ORDERS.c.order_id)
# Writing the row locks it, whether it is new or not.
_OBTAIN_ORDER = text(f"""
    INSERT INTO orders (order_id, state) VALUES (:id, 'waiting')
    ON CONFLICT (order_id) DO UPDATE SET state = orders.state
    RETURNING {", ".join(map(str, _ORDERS.columns))}
""")  # noqa: S608  # nosec B608
_LATEST = (
    select(_KNOWN)
    .where(_KNOWN.c.order_id == _ORDERS.c.order_id)
    .order_by(_KNOWN.c.attempt.desc())
    .limit(1)
    .lateral()
)
# What both tables have is the same in both.
_LOOK = (
    select(_ORDERS, *(column for column in _LATEST.c if column.name not in _ORDERS.c), _NOW)
    .outerjoin(_LATEST, true())
    .where(_ORDERS.c.order_id == any_(bindparam("ids", type_=ARRAY(Uuid))))
)
# With what else there is of its order.
_PAYMENTS = select(_KNOWN, *(column for column in _ORDERS.c if column.name not in _KNOWN.c)).join(
    _ORDERS, _KNOWN.c.order_id == _ORDERS.c.order_id
)
_PAYMENT = _PAYMENTS.where(_KNOWN.c.reference == bindparam("of"))
# Locks the order and then the payment. Both, for who had to wait is shown a row that he locks as it
# has become meanwhile, and any other as it was before.
_LOCKED_PAYMENT = _PAYMENT.add_columns(_NOW).with_for_update(of=(_ORDERS, _KNOWN))
_LATEST_PAYMENT = (
    _PAYMENTS.where(_KNOWN.c.order_id == bindparam("of"))
    .order_by(_KNOWN.c.attempt.desc())
    .limit(1)
    .with_for_update(of=_KNOWN)
)
# Locks the order, which stays payable until the attempt is on record. Who had to wait for somebody
# else's attempt finds it in the way.
_BEGIN_PAYMENT = (
    upsert(_KNOWN)
    .from_select(
        _KNOWN.c.keys(),
        select(*(bindparam(column.name, type_=column.type) for column in _KNOWN.c))
        .where(
            _ORDERS.c.order_id == bindparam("order_id"),
            _ORDERS.c.state == OrderState.PAYABLE,
            _ORDERS.c.paid_reference.is_(None),
        )
        .with_for_update(),
    )
    .on_conflict_do_nothing()
    .returning(_KNOWN.c.id)
)
_SAVE_PAYMENT = update(_KNOWN).where(_KNOWN.c.id == bindparam("payment"))
_NOTE_CAPTURE = (
    update(_ORDERS)
    .where(_ORDERS.c.order_id == bindparam("order"))
    .values({name: bindparam(name) for name in ("paid_reference", "next_look_at")})
)
_SAVE_WITH_ORDER = _SAVE_PAYMENT.add_cte(_NOTE_CAPTURE.cte("owed"))
_KEEP_PAGE = _SAVE_PAYMENT.returning(_KNOWN.c.status)


class SqlOrderRepository:
    def __init__(self, session: Session, outbox: Outbox, note_now: NoteNow) -> None:
        self._session = session
        self._outbox = outbox
        self._note_now = note_now

    def add(self, order: Order) -> bool:
        added = self._session.execute(_ADD_ORDER, {**order_values(order), "order_id": order.id})
        return added.one_or_none() is not None

    def obtain(self, order_id: UUID) -> Order:
        # Mostly it is there already, and locking a row costs less than writing it.
        found = self._session.execute(_LOCKED_ORDER, {"id": order_id}).one_or_none()
        return _order(found or self._session.execute(_OBTAIN_ORDER, {"id": order_id}).one())

    def get(self, order_id: UUID) -> Order:
        row = self._session.execute(_LOCKED_ORDER, {"id": order_id}).one_or_none()
        if row is None:
            raise OrderNotFound(order_id)
        self._note_now(row.now)
        return _order(row)

    def look(self, order_ids: Collection[UUID]) -> dict[UUID, Standing]:
        rows = self._session.execute(_LOOK, {"ids": list(order_ids)})
        return {row.order_id: _standing(row) for row in rows}

    def save(self, order: Order) -> None:
        self._session.execute(_SAVE_ORDER, {**order_values(order), "id": order.id})
        self._outbox.add(*order.pull_events())

    def claim_overdue(self, limit: int) -> list[Overdue]:
        rows = self._session.execute(_CLAIM_OVERDUE, {"limit": limit})
        return [Overdue(row.order_id, tuple(row.payment_references)) for row in rows]


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
        return _order(row), _payment(row)

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

    def save_with_order(self, order: Order, payment: Payment) -> None:
        values = {**payment_progress(payment), **capture_values(order)}
        ids = {"payment": payment.id, "order": order.id}
        self._session.execute(_SAVE_WITH_ORDER, {**values, **ids})
        self._outbox.add(*payment.pull_events())

    def claim_checks(self, limit: int) -> list[str]:
        return list(self._session.scalars(_CLAIM_CHECKS, {"limit": limit}))

    def _one(self, query: Select[Any], of: object) -> Payment | None:
        row = self._session.execute(query, {"of": of}).one_or_none()
        return _payment(row) if row else None


def _order(row: Row[Any]) -> Order:
    return order_from(cast("OrderRow", row))


def _standing(row: Row[Any]) -> Standing:
    return Standing(_order(row), _payment(row) if row.id else None, row.now)


def _payment(row: Row[Any]) -> Payment:
    return payment_from(cast("PaymentRow", row), bill_from(cast("OrderRow", row)))


_REFUNDS = (
    select(RefundRow, OrderRow)
    .join(PaymentRow, RefundRow.reference == PaymentRow.reference)
    .join(OrderRow, PaymentRow.order_id == OrderRow.order_id)
)


class SqlRefundRepository:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def add(self, refund: Refund) -> None:
        self._session.add(new_refund_row(refund))
        self._session.flush()

    def get(self, refund_id: UUID) -> Refund:
        query = _REFUNDS.where(RefundRow.id == refund_id).with_for_update(of=RefundRow)
        return self._found(query)[0]

    def of_payment(self, reference: str) -> list[Refund]:
        return self._found(_REFUNDS.where(RefundRow.reference == reference))

    def save(self, refund: Refund) -> None:
        write_refund(refund, self._session.get_one(RefundRow, refund.id))
        self._session.flush()
        self._outbox.add(*refund.pull_events())

    def claim_due(self) -> UUID | None:
        return cast("UUID | None", self._session.scalar(_CLAIM_REFUND))

    def hurry(self, reference: str) -> None:
        self._session.execute(_HURRY_REFUNDS, {"reference": reference})

    def _found(self, query: Select[RefundRow, OrderRow]) -> list[Refund]:
        rows = self._session.execute(
            query.order_by(RefundRow.id), execution_options={"populate_existing": True}
        )
        return [refund_from(refund, bill_from(order)) for refund, order in rows]


class SqlWebhookRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def keep(self, key: str, body: bytes, request_id: str) -> None:
        values = {"key": key, "body": body, "request_id": request_id}
        self._session.execute(_KEEP_WEBHOOK, values)

    def claim(self, limit: int) -> list[Webhook]:
        rows = self._session.execute(_CLAIM_WEBHOOKS, {"limit": limit})
        return [Webhook(row.id, bytes(row.body), row.request_id) for row in rows]

    def applied(self, webhook_id: int, outcome: str, reference: str | None) -> None:
        values = {"id": webhook_id, "outcome": outcome, "reference": reference}
        self._session.execute(_APPLIED, values)


class SqlAlertRepository:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def add(self, alert: Alert) -> None:
        statement = upsert(AlertRow).values(
            kind=alert.kind, about=alert.about, detail=alert.detail[:1000], order_id=alert.order_id
        )
        added = statement.on_conflict_do_nothing().returning(AlertRow.raised_at)
        raised_at = self._session.scalar(added)
        if raised_at is not None:
            self._outbox.add(
                PaymentAlertRaised(
                    kind=alert.kind,
                    about=alert.about,
                    detail=alert.detail[:1000],
                    order_id=alert.order_id,
                    raised_at=raised_at,
                )
            )
