"""Many products at once: as many statements for five hundred as for one."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from catalog.adapters.mapping import new_product_row, product_record, variant_records
from catalog.adapters.repositories.products import SqlProductRepository
from catalog.adapters.repositories.search import index_products
from catalog.adapters.repositories.slugs import lock_slugs
from catalog.adapters.tables import CategoryRow, ProductRow, StockRow, VariantRow
from catalog.domain.product import Product
from catalog.domain.stock import DEFAULT_THRESHOLD, Terms
from catalog.domain.values import CategoryRef
from catalog.use_cases.errors import SkuTaken
from catalog.use_cases.ports import Found
from oja_events.outbox import Outbox

_UPDATE_PRODUCTS = text("""
    UPDATE products SET
        name = new.name, description = new.description, category_id = new.category_id,
        tags = ARRAY(SELECT jsonb_array_elements_text(new.tags)), featured = new.featured,
        status = new.status, price_amount = new.price_amount, currency = new.currency,
        in_stock = new.in_stock, sole_sku = new.sole_sku, updated_at = new.updated_at,
        version = new.version
    FROM jsonb_to_recordset(CAST(:products AS jsonb)) AS new (id uuid, name text,
        description text, category_id uuid, tags jsonb, featured boolean, status text,
        price_amount bigint, currency text, in_stock boolean, sole_sku text,
        updated_at timestamptz, version bigint)
    WHERE products.id = new.id
""")

_WRITE_VARIANTS = text("""
    INSERT INTO variants (sku, product_id, options, price_amount, compare_at_amount, currency,
        position, offered)
    SELECT sku, product_id, options, price_amount, compare_at_amount, currency, position, true
    FROM jsonb_to_recordset(CAST(:variants AS jsonb)) AS variant (sku text, product_id uuid,
        options jsonb, price_amount bigint, compare_at_amount bigint, currency text,
        position bigint)
    ORDER BY sku
    ON CONFLICT (sku) DO UPDATE SET
        options = excluded.options, price_amount = excluded.price_amount,
        compare_at_amount = excluded.compare_at_amount, currency = excluded.currency,
        position = excluded.position, offered = true
        WHERE variants.product_id = excluded.product_id
    RETURNING sku
""")

_OPEN = text("""
    WITH opened AS (
        INSERT INTO stock (sku, product_id, on_hand, reserved, low_stock_threshold, version)
        SELECT sku, product_id, initial, 0, coalesce(threshold, :default_threshold), 1
        FROM jsonb_to_recordset(CAST(:terms AS jsonb))
            AS terms (sku text, product_id uuid, initial bigint, threshold bigint)
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


class SqlBulkRepository:
    def __init__(self, session: Session, outbox: Outbox, products: SqlProductRepository) -> None:
        self._session = session
        self._outbox = outbox
        self._products = products

    def find(self, skus: Collection[str], slugs: Collection[str]) -> Found:
        lock_slugs(self._session, ProductRow.slug)
        owners = self._pairs(VariantRow.sku, VariantRow.product_id, VariantRow.sku, skus)
        used = self._pairs(ProductRow.slug, ProductRow.id, ProductRow.slug, slugs)
        threshold = StockRow.low_stock_threshold
        return Found(
            products=self._products.edit({*owners.values(), *used.values()}),
            owners=owners,
            slugs=used | self._slugs_of({*owners.values()}),
            categories=self._categories(),
            thresholds=self._pairs(StockRow.sku, threshold, StockRow.sku, skus),
        )

    def store(
        self,
        created: Sequence[Product],
        changed: Sequence[Product],
        terms: Mapping[str, tuple[UUID, Terms]],
        *,
        by: str,
    ) -> None:
        self._session.add_all(new_product_row(product) for product in created)
        self._session.flush()
        records = json.dumps([product_record(product) for product in changed])
        self._session.execute(_UPDATE_PRODUCTS, {"products": records})
        written = [*created, *changed]
        self._write_variants(written)
        self._open_stock(terms, by)
        index_products(self._session, [product.id for product in written])
        for product in written:
            self._outbox.add(*product.pull_events())

    def _write_variants(self, products: Sequence[Product]) -> None:
        records = [
            {**record, "product_id": str(product.id)}
            for product in products
            for record in variant_records(product.content)
        ]
        written = set(self._session.scalars(_WRITE_VARIANTS, {"variants": json.dumps(records)}))
        taken = [n for n, record in enumerate(records) if record["sku"] not in written]
        if taken:
            raise SkuTaken(taken)

    def _open_stock(self, terms: Mapping[str, tuple[UUID, Terms]], by: str) -> None:
        records = [
            {
                "sku": sku,
                "product_id": str(product_id),
                "initial": each.initial,
                "threshold": each.threshold,
            }
            for sku, (product_id, each) in terms.items()
        ]
        values = {"terms": json.dumps(records)}
        opening = {**values, "default_threshold": DEFAULT_THRESHOLD, "by": by}
        self._session.execute(_OPEN, opening)
        self._session.execute(_SET_THRESHOLDS, values)

    def _pairs(self, key: Any, value: Any, where: Any, wanted: Collection[str]) -> dict[str, Any]:
        query = select(key, value).where(where == func.any(sorted(wanted)))
        return {name: found for name, found in self._session.execute(query)}

    def _slugs_of(self, ids: Collection[UUID]) -> dict[str, UUID]:
        query = select(ProductRow.slug, ProductRow.id).where(ProductRow.id.in_(ids))
        return {slug: product_id for slug, product_id in self._session.execute(query)}

    def _categories(self) -> dict[str, CategoryRef]:
        query = select(CategoryRow.id, CategoryRow.slug, CategoryRow.name)
        return {row.slug: CategoryRef(*row) for row in self._session.execute(query)}
