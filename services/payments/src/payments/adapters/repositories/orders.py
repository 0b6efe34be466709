"""What is to be paid: locked to be decided about, or only looked at."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, any_, bindparam, select, text, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from oja_events.outbox import Outbox
from payments.adapters.mapping import order_values
from payments.adapters.repositories.rows import NOW, ORDERS, PAYMENTS, NoteNow, order_of, payment_of
from payments.domain.order import Order
from payments.use_cases.errors import OrderNotFound
from payments.use_cases.ports import Overdue, Standing

_LOCKED_ORDER = select(ORDERS, NOW).where(ORDERS.c.order_id == bindparam("id")).with_for_update()
_SAVE_ORDER = update(ORDERS).where(ORDERS.c.order_id == bindparam("id"))
_ADD_ORDER = upsert(ORDERS).on_conflict_do_nothing().returning(ORDERS.c.order_id)
# Writing the row locks it, whether it is new or not.
_OBTAIN_ORDER = text(f"""
    INSERT INTO orders (order_id, state) VALUES (:id, 'waiting')
    ON CONFLICT (order_id) DO UPDATE SET state = orders.state
    RETURNING {", ".join(map(str, ORDERS.columns))}
""")  # noqa: S608  # nosec B608
_LATEST = (
    select(PAYMENTS)
    .where(PAYMENTS.c.order_id == ORDERS.c.order_id)
    .order_by(PAYMENTS.c.attempt.desc())
    .limit(1)
    .lateral()
)
# What both tables have is the same in both.
_LOOK = (
    select(ORDERS, *(column for column in _LATEST.c if column.name not in ORDERS.c), NOW)
    .outerjoin(_LATEST, true())
    .where(ORDERS.c.order_id == any_(bindparam("ids", type_=ARRAY(Uuid))))
)
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
        return order_of(found or self._session.execute(_OBTAIN_ORDER, {"id": order_id}).one())

    def get(self, order_id: UUID) -> Order:
        row = self._session.execute(_LOCKED_ORDER, {"id": order_id}).one_or_none()
        if row is None:
            raise OrderNotFound(order_id)
        self._note_now(row.now)
        return order_of(row)

    def look(self, order_ids: Collection[UUID]) -> dict[UUID, Standing]:
        rows = self._session.execute(_LOOK, {"ids": list(order_ids)})
        return {row.order_id: _standing(row) for row in rows}

    def save(self, order: Order) -> None:
        self._session.execute(_SAVE_ORDER, {**order_values(order), "id": order.id})
        self._outbox.add(*order.pull_events())

    def claim_overdue(self, limit: int) -> list[Overdue]:
        rows = self._session.execute(_CLAIM_OVERDUE, {"limit": limit})
        return [Overdue(row.order_id, tuple(row.payment_references)) for row in rows]


def _standing(row: Row[Any]) -> Standing:
    return Standing(order_of(row), payment_of(row) if row.id else None, row.now)
