"""Which products stand on a page: bounded work whatever is asked for in whatever combination.

The planner takes filters for independent of each other and of the order. So it may walk the whole
catalogue in the order of prices because it expects a match soon, and none comes. Here it has no
such choice: a short piece of the order is walked, and if that does not fill the page, what the
indexes say about the filters is brought together first and then sorted.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    case,
    cast,
    func,
    select,
    union,
)
from sqlalchemy.orm import Session

from catalog.adapters.listing import (
    PRODUCTS,
    PUBLISHED,
    Asked,
    Order,
    asked,
    conditions,
    values,
    words,
)
from catalog.adapters.tables import ProductRow, VariantRow
from catalog.use_cases.queries import ProductFilter

MOST_WALKED = 1000
"""How many products are looked at in the order of the list before the indexes are asked."""
MOST_RANKED = 2000
"""How many products are compared with the words: of more that match, the newest."""

_EXACT_SKU = 10**9
_NARROWED = [
    PRODUCTS.id,
    PRODUCTS.status,
    PRODUCTS.category_id,
    PRODUCTS.tags,
    PRODUCTS.featured,
    PRODUCTS.in_stock,
    PRODUCTS.price_amount,
    PRODUCTS.rating_average,
    PRODUCTS.sort_name,
]

Place = Select[Any]
"""Finds `id` and `sort_key` of the products on a page, `size` of them at most."""


def count(session: Session, wanted: ProductFilter) -> int:
    """How many there are, on all pages. On a connection that uses indexes only."""
    matching = select(func.count()).select_from(ProductRow.__table__)
    return session.scalar(matching.where(*conditions(asked(wanted))), values(wanted)) or 0


def walk(asked: Asked, order: Order, *, going_on: bool) -> Place:
    """The first that fit, in the order of the list, as far as MOST_WALKED goes: less than a page
    may be all there is, or not."""
    piece = select(*_NARROWED).where(*conditions(asked & PUBLISHED))
    if going_on:
        piece = piece.where(order.after(PRODUCTS))
    walked = MOST_WALKED if asked - PUBLISHED else _size()
    near = piece.order_by(*order.clauses(PRODUCTS)).limit(walked).subquery("near").c
    query = select(near.id, order.key(near).label("sort_key"))
    query = query.where(*conditions(asked, near, leaving_out=PUBLISHED))
    return query.order_by(*order.clauses(near)).limit(_size())


def gather(asked: Asked, order: Order, *, going_on: bool) -> Place:
    """All that fit, brought together by the indexes, then sorted; by relevance, MOST_RANKED of
    them."""
    found = _ranked(asked, order) if order.column == "relevance" else _sorted(asked, order)
    query = select(found.c.id, found.c[order.column or "id"].label("sort_key"))
    if going_on:
        query = query.where(order.after(found.c))
    return query.order_by(*order.clauses(found.c)).limit(_size())


def _sorted(asked: Asked, order: Order) -> CTE:
    columns = [PRODUCTS.id, *([order.key(PRODUCTS)] if order.column else [])]
    return _at_once(select(*columns).where(*conditions(asked)), "found")


def _ranked(asked: Asked, order: Order) -> CTE:
    matching = _at_once(select(PRODUCTS.id).where(*conditions(asked)), "matching")
    newest = select(matching.c.id).order_by(matching.c.id.desc()).limit(MOST_RANKED)
    of_sku = select(matching.c.id).where(matching.c.id.in_(_with_sku()))
    compared = union(newest.subquery("newest").select(), of_sku).subquery("compared")
    ranking = select(PRODUCTS.id, _rank(asked).label("relevance"))
    return _at_once(ranking.join(compared, compared.c.id == PRODUCTS.id), "found")


def _rank(asked: Asked) -> ColumnElement[Any]:
    # Asked for on its own, or Postgres would read the words anew for every product.
    read = select(words(asked)).scalar_subquery()
    # A whole number, because a cursor must name the same rank again to the last digit.
    rank = cast(func.ts_rank(PRODUCTS.search, read) * 1_000_000, BigInteger)
    return rank + case((PRODUCTS.id.in_(_with_sku()), _EXACT_SKU), else_=0)


def _with_sku() -> Select[UUID]:
    same = func.lower(VariantRow.sku) == func.lower(bindparam("sku"))
    return select(VariantRow.product_id).where(same, VariantRow.offered)


def _size() -> BindParameter[int]:
    return bindparam("size", type_=Integer)


def _at_once(query: Select[Any], name: str) -> CTE:
    """A part that the planner does as a whole: nothing from outside reaches into it."""
    return query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")
