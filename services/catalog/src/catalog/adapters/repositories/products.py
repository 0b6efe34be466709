"""Products in Postgres.

Locks are taken in one order everywhere, so that nobody waits in a circle: the stock of SKUs
(sorted), then products (by id), then the streams of events.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from catalog.adapters.mapping import (
    image_records,
    new_product_row,
    product_from,
    variant_records,
    write_product,
)
from catalog.adapters.repositories.search import index_product
from catalog.adapters.repositories.slugs import free_slug
from catalog.adapters.tables import CategoryRow, ImageRow, ProductRow, StockRow, VariantRow
from catalog.domain.product import Content, Product
from catalog.domain.values import Image
from catalog.use_cases.errors import ProductNotFound, SkuTaken
from oja_events.contracts.catalog import ProductArchived, ProductChanged
from oja_events.outbox import Outbox

_FORGOTTEN = text("""
    SELECT id FROM products WHERE NOT EXISTS (
        SELECT FROM event_log WHERE subject = CAST(products.id AS text) AND type = ANY(:types))
    ORDER BY id LIMIT :limit
""")
_NEWS = [news.TYPE for news in (ProductChanged, ProductArchived)]

# A SKU of another product is left alone, and missing in the answer.
_WRITE_VARIANTS = text("""
    INSERT INTO variants (sku, product_id, options, price_amount, compare_at_amount, currency,
        position, offered)
    SELECT sku, :product_id, options, price_amount, compare_at_amount, currency, position, true
    FROM jsonb_to_recordset(CAST(:variants AS jsonb)) AS variant (sku text, options jsonb,
        price_amount bigint, compare_at_amount bigint, currency text, position bigint)
    ORDER BY sku
    ON CONFLICT (sku) DO UPDATE SET
        options = excluded.options, price_amount = excluded.price_amount,
        compare_at_amount = excluded.compare_at_amount, currency = excluded.currency,
        position = excluded.position, offered = true
        WHERE variants.product_id = excluded.product_id
    RETURNING sku
""")


_WRITE_IMAGES = text("""
    WITH shown AS (
        SELECT * FROM jsonb_to_recordset(CAST(:images AS jsonb)) AS image (id uuid,
            public_id text, url text, thumbnail_url text, alt text, position bigint)
    ), gone AS (
        DELETE FROM product_images
        WHERE product_id = :product_id AND id NOT IN (SELECT id FROM shown)
    )
    INSERT INTO product_images
        (id, product_id, public_id, url, thumbnail_url, alt, position, created_at)
    SELECT id, :product_id, public_id, url, thumbnail_url, alt, position, now() FROM shown
    ON CONFLICT (id) DO UPDATE SET
        public_id = excluded.public_id, url = excluded.url,
        thumbnail_url = excluded.thumbnail_url, alt = excluded.alt, position = excluded.position
""")


class SqlProductRepository:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox
        self._written: dict[UUID, Content] = {}
        self._shown: dict[UUID, tuple[Image, ...]] = {}

    def next_id(self) -> UUID:
        return uuid7()

    def free_slug(self, wanted: str) -> str:
        return free_slug(self._session, ProductRow.slug, wanted)

    def add(self, product: Product) -> None:
        self._session.add(new_product_row(product))
        self._session.flush()
        self._write_content(product)
        self._outbox.add(*product.pull_events())

    def edit(self, product_ids: Collection[UUID]) -> list[Product]:
        """These products for a change by staff, locked."""
        self._lock_stock(product_ids)
        return self.touched(product_ids)

    def get(self, product_id: UUID) -> Product:
        found = self.edit([product_id])
        if not found:
            raise ProductNotFound(product_id)
        return found[0]

    def touched(self, product_ids: Collection[UUID]) -> list[Product]:
        if not product_ids:
            return []
        query = (
            select(ProductRow)
            .where(ProductRow.id.in_(product_ids))
            .order_by(ProductRow.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        products = self._with_parts(self._session.scalars(query).all())
        self._written |= {product.id: product.content for product in products}
        self._shown |= {product.id: product.images for product in products}
        return products

    def forgotten(self, limit: int) -> list[Product]:
        ids = self._session.scalars(_FORGOTTEN, {"types": _NEWS, "limit": limit}).all()
        return self.edit(ids)

    def save(self, product: Product) -> None:
        write_product(product, self._session.get_one(ProductRow, product.id))
        self._session.flush()
        # Most saves only tell of stock.
        if product.content != self._written.get(product.id):
            self._write_content(product)
        if product.images != self._shown.get(product.id, ()):
            self._write_images(product)
        self._outbox.add(*product.pull_events())

    def _lock_stock(self, product_ids: Collection[UUID]) -> None:
        rows = select(StockRow.sku).where(StockRow.product_id.in_(product_ids))
        self._session.execute(rows.order_by(StockRow.sku).with_for_update())

    def _write_content(self, product: Product) -> None:
        skus = [variant.sku for variant in product.content.variants]
        self._session.execute(
            update(VariantRow)
            .where(VariantRow.product_id == product.id, VariantRow.sku.not_in(skus))
            .values(offered=False)
        )
        records = json.dumps(variant_records(product.content))
        written = set(
            self._session.scalars(_WRITE_VARIANTS, {"product_id": product.id, "variants": records})
        )
        taken = [position for position, sku in enumerate(skus) if sku not in written]
        if taken:
            raise SkuTaken(taken)
        index_product(self._session, product.id)
        self._written[product.id] = product.content

    def _write_images(self, product: Product) -> None:
        records = json.dumps(image_records(product.images))
        self._session.execute(_WRITE_IMAGES, {"product_id": product.id, "images": records})
        self._shown[product.id] = product.images

    def _with_parts(self, rows: Sequence[ProductRow]) -> list[Product]:
        """The aggregates, in three queries however many there are."""
        ids = [row.id for row in rows]
        categories = self._categories({row.category_id for row in rows if row.category_id})
        variants = self._variants(ids)
        images = self._images(ids)
        return [
            product_from(
                row,
                categories[row.category_id] if row.category_id else None,
                variants[row.id],
                images[row.id],
            )
            for row in rows
        ]

    def _categories(self, ids: Collection[UUID]) -> dict[UUID, CategoryRow]:
        rows = self._session.scalars(select(CategoryRow).where(CategoryRow.id.in_(ids)))
        return {row.id: row for row in rows}

    def _variants(self, ids: Collection[UUID]) -> dict[UUID, list[tuple[VariantRow, int]]]:
        query = (
            select(VariantRow, func.coalesce(StockRow.on_hand - StockRow.reserved, 0))
            .outerjoin(StockRow, StockRow.sku == VariantRow.sku)
            .where(VariantRow.product_id.in_(ids))
            .order_by(VariantRow.product_id, VariantRow.position)
            .execution_options(populate_existing=True)
        )
        found: dict[UUID, list[tuple[VariantRow, int]]] = defaultdict(list)
        for variant, available in self._session.execute(query):
            found[variant.product_id].append((variant, available))
        return found

    def _images(self, ids: Collection[UUID]) -> dict[UUID, list[ImageRow]]:
        query = select(ImageRow).where(ImageRow.product_id.in_(ids))
        found: dict[UUID, list[ImageRow]] = defaultdict(list)
        for image in self._session.scalars(query.order_by(ImageRow.product_id, ImageRow.position)):
            found[image.product_id].append(image)
        return found
