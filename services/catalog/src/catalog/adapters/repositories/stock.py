"""Stock in Postgres: every change of the counters is one statement, ledger and reservations
included, and the CHECK on the table stands behind it."""

import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from catalog.adapters.mapping import change_from, shortage_from
from catalog.adapters.tables import MovementRow, OrderStockRow, ProductRow, StockRow
from catalog.domain.stock import (
    DEFAULT_THRESHOLD,
    Change,
    OrderStock,
    Reason,
    Reservation,
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

# A statement of its own, because a statement sees what was committed when it began: the one that
# counts must begin after we have waited for the locks, or it would miss units freed meanwhile.
_LOCK = text("SELECT FROM stock WHERE sku = ANY(:skus) ORDER BY sku FOR UPDATE")

# Only if every line fits does the UPDATE touch any.
_RESERVE = text("""
    WITH wanted AS (
        SELECT sku, quantity
        FROM unnest(CAST(:skus AS text[]), CAST(:quantities AS bigint[])) AS line (sku, quantity)
    ), sold AS (
        SELECT stock.sku, stock.product_id, stock.on_hand - stock.reserved AS available,
            stock.low_stock_threshold AS threshold, products.name, variants.options
        FROM stock JOIN wanted ON wanted.sku = stock.sku
        JOIN variants ON variants.sku = stock.sku AND variants.offered
        JOIN products ON products.id = stock.product_id AND products.status = 'published'
    ), fitting AS (
        SELECT sku FROM wanted JOIN sold USING (sku) WHERE available >= quantity
    ), held AS (
        UPDATE stock SET reserved = stock.reserved + wanted.quantity, version = stock.version + 1
        FROM wanted
        WHERE stock.sku = wanted.sku AND stock.on_hand - stock.reserved >= wanted.quantity
            AND (SELECT count(*) FROM fitting) = (SELECT count(*) FROM wanted)
        RETURNING stock.sku, wanted.quantity, stock.on_hand - stock.reserved AS available
    ), noted AS (
        INSERT INTO reservations (order_id, sku, quantity, state)
        SELECT :order_id, sku, quantity, 'held' FROM held
    )
    SELECT wanted.sku, wanted.quantity, sold.product_id, sold.name, sold.options,
        sold.threshold, coalesce(sold.available, 0) AS before, held.available AS after
    FROM wanted LEFT JOIN sold USING (sku) LEFT JOIN held USING (sku) ORDER BY sku
""")

_MOVE = text("""
    WITH settled AS (
        UPDATE order_stock SET state = :until, at = now() WHERE order_id = :order_id
    ), line AS (
        UPDATE reservations SET state = :until WHERE order_id = :order_id AND state = :since
        RETURNING sku, quantity
    ), locked AS (
        SELECT stock.sku, stock.product_id, stock.on_hand - stock.reserved AS available,
            stock.low_stock_threshold AS threshold, line.quantity
        FROM stock JOIN line ON line.sku = stock.sku ORDER BY stock.sku FOR UPDATE OF stock
    ), moved AS (
        UPDATE stock SET
            on_hand = stock.on_hand + CAST(:on_hand AS bigint) * locked.quantity,
            reserved = stock.reserved + CAST(:reserved AS bigint) * locked.quantity,
            version = stock.version + 1
        FROM locked WHERE stock.sku = locked.sku
        RETURNING stock.sku, stock.on_hand, stock.on_hand - stock.reserved AS available
    ), noted AS (
        INSERT INTO stock_movements (sku, reason, delta, on_hand, order_id, by, at)
        SELECT sku, CAST(:reason AS text), CAST(:on_hand AS bigint) * quantity, moved.on_hand,
            :order_id, 'ordering', now()
        FROM moved JOIN locked USING (sku) WHERE CAST(:reason AS text) IS NOT NULL ORDER BY sku
    )
    SELECT sku, locked.product_id, products.name, variants.options, locked.quantity,
        locked.threshold, locked.available AS before, moved.available AS after
    FROM locked JOIN moved USING (sku) JOIN variants USING (sku)
    JOIN products ON products.id = locked.product_id ORDER BY sku
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
    SELECT sku, moved.product_id, products.name, variants.options, moved.threshold,
        abs(CAST(:delta AS bigint)) AS quantity,
        on_hand - reserved - CAST(:delta AS bigint) AS before, on_hand - reserved AS after
    FROM moved JOIN variants USING (sku) JOIN products ON products.id = moved.product_id
""")


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
        query = select(OrderStockRow.state).where(OrderStockRow.order_id == order_id)
        state = self._session.scalar(query.with_for_update())
        return OrderStock(state) if state else None

    def reserve(self, order_id: UUID, wanted: Mapping[str, int]) -> Reservation:
        self._session.execute(_LOCK, {"skus": list(wanted)})
        rows = self._session.execute(
            _RESERVE,
            {
                "order_id": order_id,
                "skus": list(wanted),
                "quantities": list(wanted.values()),
            },
        ).all()
        shortages = [shortage_from(row) for row in rows if row.before < row.quantity]
        if shortages:
            self._reject(order_id)
            return Reservation([], shortages)
        return Reservation([change_from(row) for row in rows], [])

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
            select(func.concat(ProductRow.version, ".", StockRow.version))
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

    def _reject(self, order_id: UUID) -> None:
        self._session.execute(
            update(OrderStockRow)
            .where(OrderStockRow.order_id == order_id)
            .values(state=OrderStock.REJECTED)
        )
