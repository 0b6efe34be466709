"""Stock in Postgres: every change of the counters is one statement, ledger and reservations
included, and the CHECK on the table stands behind it."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, literal_column, select, text, update
from sqlalchemy.orm import Session

from catalog.adapters.mapping import change_from, held_from
from catalog.adapters.tables import MovementRow, OrderStockRow, ProductRow, StockRow
from catalog.domain.stock import (
    DEFAULT_THRESHOLD,
    Change,
    Label,
    OrderStock,
    Reason,
    Reservation,
    Shortage,
    Step,
    Terms,
)
from catalog.use_cases.errors import NotEnoughStock, SkuNotFound

_OPEN = text("""
    WITH opened AS (
        INSERT INTO stock (sku, product_id, on_hand, reserved, low_stock_threshold, version)
        SELECT sku, :product_id, initial, 0, coalesce(threshold, :default_threshold), 1
        FROM jsonb_to_recordset(CAST(:terms AS jsonb))
            AS terms (sku text, initial bigint, threshold bigint)
        ORDER BY sku
        ON CONFLICT (sku) DO NOTHING
        RETURNING sku, on_hand
    )
    INSERT INTO stock_movements (sku, reason, delta, on_hand, by, at)
    SELECT sku, 'initial', on_hand, on_hand, :by, now() FROM opened WHERE on_hand > 0 ORDER BY sku
""")

_SET_THRESHOLDS = text("""
    UPDATE stock SET low_stock_threshold = terms.threshold, version = version + 1
    FROM jsonb_to_recordset(CAST(:terms AS jsonb)) AS terms (sku text, threshold bigint)
    WHERE stock.sku = terms.sku AND stock.low_stock_threshold <> terms.threshold
""")

_CLAIM = text("""
    INSERT INTO order_stock (order_id, state, at) VALUES (:order_id, :state, now())
    ON CONFLICT (order_id) DO NOTHING RETURNING order_id
""")

# The order first, and its SKUs only if it is new: within an event nobody who has them waits for an
# order. A row that was waited for comes back as it is then, and stays so; all else, as it was
# before. Subqueries, for the plan of a join with products and its many indexes takes three times as
# long.
_ENTER = text("""
    WITH entered AS (
        INSERT INTO order_stock (order_id, state, at) VALUES (:order_id, 'held', now())
        ON CONFLICT (order_id) DO NOTHING RETURNING order_id
    ), locked AS (
        SELECT sku, product_id, on_hand - reserved AS available, low_stock_threshold AS threshold,
            (SELECT offered FROM variants WHERE variants.sku = stock.sku)
            AND (SELECT status FROM products WHERE products.id = stock.product_id) = 'published'
                AS for_sale
        FROM stock WHERE sku = ANY(:skus) AND EXISTS (SELECT FROM entered) ORDER BY sku FOR UPDATE
    )
    SELECT locked.* FROM entered LEFT JOIN locked ON true ORDER BY sku
""")

_HOLD = text("""
    WITH wanted AS (
        SELECT sku, quantity
        FROM unnest(CAST(:skus AS text[]), CAST(:quantities AS bigint[])) AS line (sku, quantity)
    ), held AS (
        UPDATE stock SET reserved = reserved + quantity, version = version + 1
        FROM wanted WHERE stock.sku = wanted.sku
    )
    INSERT INTO reservations (order_id, sku, quantity, state)
    SELECT :order_id, sku, quantity, 'held' FROM wanted
""")

# The order's row says where its stock is; its lines are there too.
_MOVE = text("""
    WITH settled AS (
        UPDATE order_stock SET state = :until, at = now()
        WHERE order_id = :order_id AND state = :since RETURNING order_id
    ), line AS (
        UPDATE reservations SET state = :until FROM settled
        WHERE reservations.order_id = settled.order_id RETURNING sku, quantity
    ), locked AS (
        SELECT sku, quantity FROM stock JOIN line USING (sku) ORDER BY sku FOR UPDATE OF stock
    ), moved AS (
        UPDATE stock SET on_hand = on_hand + :on_hand * quantity,
            reserved = reserved + :reserved * quantity, version = version + 1
        FROM locked WHERE stock.sku = locked.sku RETURNING stock.*, quantity
    ), noted AS (
        INSERT INTO stock_movements (sku, reason, delta, on_hand, order_id, by, at)
        SELECT sku, :reason, :on_hand * quantity, on_hand, :order_id, 'ordering', now()
        FROM moved WHERE CAST(:reason AS text) IS NOT NULL ORDER BY sku
    )
    SELECT sku, product_id, quantity, low_stock_threshold AS threshold,
        on_hand - reserved - (:on_hand - :reserved) * quantity AS before,
        on_hand - reserved AS after
    FROM moved ORDER BY sku
""")

_ADJUST = text("""
    WITH moved AS (
        UPDATE stock SET on_hand = on_hand + CAST(:delta AS bigint), version = version + 1
        WHERE sku = :sku AND on_hand + CAST(:delta AS bigint) >= reserved
        RETURNING sku, product_id, on_hand, reserved, low_stock_threshold AS threshold
    ), noted AS (
        INSERT INTO stock_movements (sku, reason, delta, on_hand, note, by, at, request_key)
        SELECT sku, :reason, CAST(:delta AS bigint), on_hand, :note, :by, now(), :key FROM moved
    )
    SELECT sku, product_id, threshold, abs(CAST(:delta AS bigint)) AS quantity,
        on_hand - reserved - CAST(:delta AS bigint) AS before, on_hand - reserved AS after
    FROM moved
""")

_LABELS = text("""
    SELECT sku, name, options FROM variants JOIN products ON products.id = product_id
    WHERE sku = ANY(:skus)
""")

_STATE = text("SELECT state FROM order_stock WHERE order_id = :order_id FOR UPDATE")


class SqlStockRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, product_id: UUID, terms: Mapping[str, Terms], *, by: str) -> None:
        records = [
            {"sku": sku, "initial": each.initial, "threshold": each.threshold}
            for sku, each in terms.items()
        ]
        self._session.execute(
            _OPEN,
            {
                "product_id": product_id,
                "terms": json.dumps(records),
                "default_threshold": DEFAULT_THRESHOLD,
                "by": by,
            },
        )
        self._session.execute(_SET_THRESHOLDS, {"terms": json.dumps(records)})

    def claim(self, order_id: UUID, state: OrderStock) -> OrderStock | None:
        claimed = self._session.execute(_CLAIM, {"order_id": order_id, "state": state}).first()
        return None if claimed else self.state_of(order_id)

    def state_of(self, order_id: UUID) -> OrderStock | None:
        state = self._session.execute(_STATE, {"order_id": order_id}).scalar()
        return OrderStock(state) if state else None

    def reserve(self, order_id: UUID, wanted: Mapping[str, int]) -> Reservation | None:
        order = {"order_id": order_id, "skus": list(wanted)}
        rows = self._session.execute(_ENTER, order).all()
        if not rows:
            return None
        reservation = _judged(rows, wanted)
        if reservation.shortages:
            self._reject(order_id)
        else:
            self._session.execute(_HOLD, {**order, "quantities": list(wanted.values())})
        return reservation

    def move(self, order_id: UUID, step: Step) -> list[Change]:
        rows = self._session.execute(
            _MOVE,
            {
                "order_id": order_id,
                "since": step.since,
                "until": step.until,
                "on_hand": step.on_hand,
                "reserved": step.reserved,
                "reason": step.reason,
            },
        )
        return [change_from(row) for row in rows]

    def adjusted(self, sku: str, key: str) -> tuple[int, Reason] | None:
        self.version_of(sku)
        query = select(MovementRow.delta, MovementRow.reason)
        query = query.where(MovementRow.sku == sku, MovementRow.request_key == key)
        row = self._session.execute(query).first()
        return (row.delta, Reason(row.reason)) if row else None

    def adjust(
        self, sku: str, delta: int, reason: Reason, *, note: str | None, by: str, key: str | None
    ) -> Change:
        values = {"sku": sku, "delta": delta, "reason": reason, "note": note, "by": by, "key": key}
        row = self._session.execute(_ADJUST, values).first()
        if row is None:
            self.version_of(sku)
            raise NotEnoughStock(sku)
        return change_from(row)

    def version_of(self, sku: str) -> str:
        query = (
            select(func.concat(ProductRow.version, literal_column("'.'"), StockRow.version))
            .select_from(StockRow)
            .join(ProductRow, ProductRow.id == StockRow.product_id)
            .where(StockRow.sku == sku)
            .with_for_update(of=StockRow)
        )
        version = self._session.scalar(query)
        if version is None:
            raise SkuNotFound(sku)
        return str(version)

    def set_threshold(self, sku: str, threshold: int) -> int:
        present = select(StockRow.low_stock_threshold).where(StockRow.sku == sku)
        before = self._session.execute(present.with_for_update()).scalar_one()
        self._session.execute(
            update(StockRow)
            .where(StockRow.sku == sku)
            .values(low_stock_threshold=threshold, version=StockRow.version + 1)
        )
        return before

    def labels(self, skus: Collection[str]) -> dict[str, Label]:
        rows = self._session.execute(_LABELS, {"skus": list(skus)})
        return {row.sku: Label(row.name, row.options) for row in rows}

    def _reject(self, order_id: UUID) -> None:
        self._session.execute(
            update(OrderStockRow)
            .where(OrderStockRow.order_id == order_id)
            .values(state=OrderStock.REJECTED)
        )


def _judged(rows: Sequence[Row[Any]], wanted: Mapping[str, int]) -> Reservation:
    available = {row.sku: row.available for row in rows if row.for_sale}
    shortages = [
        Shortage(sku, requested=quantity, available=available.get(sku, 0))
        for sku, quantity in sorted(wanted.items())
        if available.get(sku, 0) < quantity
    ]
    changes = [] if shortages else [held_from(row, wanted[row.sku]) for row in rows]
    return Reservation(changes, shortages)
