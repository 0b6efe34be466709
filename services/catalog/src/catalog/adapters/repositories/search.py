"""What a product is found by: the words of its name and SKUs, then tags and category, then text."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_INDEX = text("""
    UPDATE products AS product SET
        sort_name = left(folded(it.name), 100),
        search = setweight(to_tsvector('simple', folded(it.name)), 'A')
            || setweight(to_tsvector('simple', folded(coalesce(offered.skus, ''))), 'A')
            || setweight(to_tsvector('simple', folded(array_to_string(it.tags, ' '))), 'B')
            || setweight(to_tsvector('simple', folded(coalesce(category.name, ''))), 'B')
            || setweight(to_tsvector('simple', folded(it.description)), 'C')
    FROM products AS it
    LEFT JOIN categories AS category ON category.id = it.category_id
    LEFT JOIN LATERAL (
        SELECT string_agg(sku, ' ') AS skus FROM variants WHERE product_id = it.id AND offered
    ) AS offered ON true
    WHERE product.id = it.id
        AND (it.id = ANY(CAST(:product_ids AS uuid[])) OR it.category_id = :category_id)
""")

# By id, as everybody locks products.
_LOCK_CATEGORY = text(
    "SELECT FROM products WHERE category_id = :category_id ORDER BY id FOR UPDATE"
)


def index_product(session: Session, product_id: UUID) -> None:
    """Make the product findable by what its rows say now."""
    index_products(session, [product_id])


def index_products(session: Session, product_ids: Sequence[UUID]) -> None:
    """The same for many."""
    session.execute(_INDEX, {"product_ids": list(product_ids), "category_id": None})


def index_category(session: Session, category_id: UUID) -> None:
    """The same for every product of a category that got another name."""
    session.execute(_LOCK_CATEGORY, {"category_id": category_id})
    session.execute(_INDEX, {"product_ids": [], "category_id": category_id})
