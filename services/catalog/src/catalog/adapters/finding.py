"""Which products stand on a page: bounded work whatever is asked for in whatever combination.

The planner takes filters for independent of each other and of the order. So it may walk the whole
catalogue in the order of prices because it expects a match soon, and none comes. Here it has no
such choice: a short piece of the order is walked, and if that does not fill the page, what the
indexes say about the filters is brought together first and then sorted.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    case,
    cast,
    func,
    select,
    text,
    union,
)
from sqlalchemy.orm import Session

from catalog.adapters.listing import PRODUCTS, Order, conditions, words
from catalog.adapters.tables import ProductRow, VariantRow
from catalog.use_cases.ports import Position, ProductFilter

MOST_WALKED = 1000
"""How many products are looked at in the order of the list before the indexes are asked."""
MOST_RANKED = 2000
"""How many products are compared with the words: of more that match, the newest."""

_EXACT_SKU = 10**9
_NARROWED = [
    PRODUCTS.id,
    PRODUCTS.category_id,
    PRODUCTS.tags,
    PRODUCTS.featured,
    PRODUCTS.in_stock,
    PRODUCTS.price_amount,
    PRODUCTS.rating_average,
    PRODUCTS.sort_name,
]
_BY_INDEX = text("""
    SET LOCAL enable_seqscan = off;
    SET LOCAL max_parallel_workers_per_gather = 0;
    SET LOCAL jit = off
""")

Place = Select[Any]
"""Finds `id` and `sort_key` of the products on a page."""


def find(
    session: Session,
    wanted: ProductFilter,
    order: Order,
    *,
    size: int,
    after: Position | None,
    show: Callable[[Place], Select[Any]],
) -> Sequence[RowMapping]:
    """At most `size` products behind that place, with what `show` adds to them. By relevance,
    there are MOST_RANKED in all."""
    if wanted.q is None:
        found = session.execute(show(walk(wanted, order, size, after))).mappings().all()
        if len(found) == size or not conditions(wanted, leaving_out=["status"]):
            return found
    use_indexes(session)
    return session.execute(show(gather(wanted, order, size, after))).mappings().all()


def use_indexes(session: Session) -> None:
    """For the rest of the transaction: no reading of whole tables."""
    session.execute(_BY_INDEX)


def count(session: Session, wanted: ProductFilter) -> int:
    """How many there are, on all pages. In a transaction that uses indexes only."""
    matching = select(func.count()).select_from(ProductRow.__table__).where(*conditions(wanted))
    return session.scalar(matching) or 0


def walk(wanted: ProductFilter, order: Order, size: int, after: Position | None) -> Place:
    """The first that fit, in the order of the list, as far as MOST_WALKED goes."""
    narrowing = conditions(wanted, leaving_out=["status"])
    piece = select(*_NARROWED).where(*conditions(ProductFilter(status=wanted.status)))
    if after is not None:
        piece = piece.where(order.after(after, PRODUCTS))
    walked = MOST_WALKED if narrowing else size
    near = piece.order_by(*order.clauses(PRODUCTS)).limit(walked).subquery("near").c
    query = select(near.id, order.key(near).label("sort_key"))
    query = query.where(*conditions(wanted, near, leaving_out=["status"]))
    return query.order_by(*order.clauses(near)).limit(size)


def gather(wanted: ProductFilter, order: Order, size: int, after: Position | None) -> Place:
    """All that fit, brought together by the indexes, then sorted."""
    found = _ranked(wanted, order) if order.column == "relevance" else _sorted(wanted, order)
    query = select(found.c.id, found.c[order.column or "id"].label("sort_key"))
    if after is not None:
        query = query.where(order.after(after, found.c))
    return query.order_by(*order.clauses(found.c)).limit(size)


def _sorted(wanted: ProductFilter, order: Order) -> CTE:
    columns = [PRODUCTS.id, *([order.key(PRODUCTS)] if order.column else [])]
    return _at_once(select(*columns).where(*conditions(wanted)), "found")


def _ranked(wanted: ProductFilter, order: Order) -> CTE:
    q = wanted.q or ""
    matching = _at_once(select(PRODUCTS.id).where(*conditions(wanted)), "matching")
    newest = select(matching.c.id).order_by(matching.c.id.desc()).limit(MOST_RANKED)
    of_sku = select(matching.c.id).where(matching.c.id.in_(_with_sku(q)))
    compared = union(newest.subquery("newest").select(), of_sku).subquery("compared")
    ranking = select(PRODUCTS.id, _rank(q).label("relevance"))
    return _at_once(ranking.join(compared, compared.c.id == PRODUCTS.id), "found")


def _rank(q: str) -> ColumnElement[Any]:
    # A whole number, because a cursor must name the same rank again to the last digit.
    rank = cast(func.ts_rank(PRODUCTS.search, words(q)) * 1_000_000, BigInteger)
    return rank + case((PRODUCTS.id.in_(_with_sku(q)), _EXACT_SKU), else_=0)


def _with_sku(q: str) -> Select[UUID]:
    same = func.lower(VariantRow.sku) == func.lower(q.strip())
    return select(VariantRow.product_id).where(same, VariantRow.offered)


def _at_once(query: Select[Any], name: str) -> CTE:
    """A part that the planner does as a whole: nothing from outside reaches into it."""
    return query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")
