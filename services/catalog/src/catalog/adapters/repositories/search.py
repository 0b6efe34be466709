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
    WHERE product.id = it.id AND it.id = ANY(CAST(:product_ids AS uuid[]))
""")

# A name that is given while the products of the one before are indexed begins anew.
_NOTE_RENAMED = text("""
    INSERT INTO renamed_categories (category_id) VALUES (:category_id)
    ON CONFLICT (category_id) DO UPDATE SET indexed_to = DEFAULT
""")

# In turns, so that a large category does not hold up a small one.
_CLAIM = text("""
    SELECT category_id, indexed_to FROM renamed_categories
    ORDER BY waits_since LIMIT 1 FOR UPDATE SKIP LOCKED
""")

# By id, as everybody locks products.
_LOCK_NEXT = text("""
    SELECT id FROM products WHERE category_id = :category_id AND id > :indexed_to
    ORDER BY id LIMIT :most FOR UPDATE
""")

_PROGRESS = text("""
    UPDATE renamed_categories SET indexed_to = :indexed_to, waits_since = now()
    WHERE category_id = :category_id
""")

_FINISH = text("DELETE FROM renamed_categories WHERE category_id = :category_id")


def index_product(session: Session, product_id: UUID) -> None:
    """Make the product findable by what its rows say now."""
    index_products(session, [product_id])


def index_products(session: Session, product_ids: Sequence[UUID]) -> None:
    """The same for many."""
    session.execute(_INDEX, {"product_ids": list(product_ids)})


def note_renamed(session: Session, category_id: UUID) -> None:
    """Let index_renamed come to every product of the category."""
    session.execute(_NOTE_RENAMED, {"category_id": category_id})


def index_renamed(session: Session, most: int) -> bool:
    """Index the next products of a category that is noted, `most` of them; False if none is."""
    noted = session.execute(_CLAIM).mappings().first()
    if noted is None:
        return False
    product_ids = session.scalars(_LOCK_NEXT, {**noted, "most": most}).all()
    index_products(session, product_ids)
    if len(product_ids) < most:
        session.execute(_FINISH, {"category_id": noted["category_id"]})
    else:
        session.execute(_PROGRESS, {**noted, "indexed_to": product_ids[-1]})
    return True
