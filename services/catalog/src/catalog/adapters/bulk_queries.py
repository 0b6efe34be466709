"""Imports as staff see them, and the whole catalogue line by line."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from catalog.adapters.tables import ImportNoteRow, ImportRow
from catalog.use_cases.errors import ImportNotFound

PAGE = 1_000

_LINES = text("""
    SELECT products.id AS product_id, products.slug AS product, variants.sku, products.name,
        products.description, categories.slug AS category, products.tags, products.featured,
        products.status, variants.options, variants.price_amount, variants.compare_at_amount,
        variants.currency, stock.on_hand AS initial_stock, stock.low_stock_threshold,
        variants.position
    FROM products
    JOIN variants ON variants.product_id = products.id AND variants.offered
    JOIN stock ON stock.sku = variants.sku
    LEFT JOIN categories ON categories.id = products.category_id
    WHERE (products.id, variants.position, variants.sku)
        > (CAST(:product_id AS uuid), CAST(:position AS bigint), CAST(:sku AS text))
        AND products.id >= CAST(:product_id AS uuid)
    ORDER BY products.id, variants.position, variants.sku
    LIMIT :size
""")
_BEFORE_ALL = {"product_id": UUID(int=0), "position": -1, "sku": ""}


class SqlBulkQueries:
    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def job(self, import_id: UUID) -> Mapping[str, Any]:
        notes = (
            select(ImportNoteRow.kind, ImportNoteRow.note)
            .where(ImportNoteRow.import_id == import_id)
            .order_by(ImportNoteRow.id)
        )
        with self._sessions() as session:
            job = select(*ImportRow.__table__.columns).where(ImportRow.id == import_id)
            row = session.execute(job).mappings().one_or_none()
            if row is None:
                raise ImportNotFound(import_id)
            found = session.execute(notes).all()
        return {
            **row,
            "errors": [note for kind, note in found if kind == "error"],
            "changes": [note for kind, note in found if kind == "change"],
        }

    def lines(self) -> Iterator[Mapping[str, Any]]:
        after: Mapping[str, Any] = _BEFORE_ALL
        while True:
            with self._sessions() as session:
                place = {name: after[name] for name in _BEFORE_ALL}
                found = session.execute(_LINES, {**place, "size": PAGE}).mappings()
                rows: list[Mapping[str, Any]] = [*found]
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1]
