"""How many products of a list are in each category, under each tag, in each band of prices."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    select,
    true,
)
from sqlalchemy.orm import Session

from catalog.adapters.listing import Asked, asked, conditions, values
from catalog.adapters.tables import CategoryRow, ProductRow
from catalog.use_cases.queries import CategoryCount, Facets, PriceBand, ProductFilter

MOST_TAGS = 100
_OWN = {"category": ["category"], "tags": ["tags"], "price": ["min_price", "max_price"]}


def facets(session: Session, wanted: ProductFilter) -> Facets:
    """Each counts as if nothing had been asked for of its own kind, so that it shows what else
    there is. On a connection that uses indexes only (see finding)."""
    base, given = _base(asked(wanted)), values(wanted)
    bands = session.execute(_bands(base), given).all()
    in_categories = session.execute(_per_category(base), given)
    return Facets(
        categories=_categories(session, {row.category_id: row.products for row in in_categories}),
        tags=[(row.tag, row.products) for row in session.execute(_per_tag(base), given).all()],
        bands=[_band(row.digits, row.reached, row.products) for row in bands],
        lowest=min((row.lowest for row in bands), default=None),
        highest=max((row.highest for row in bands), default=None),
    )


def _base(asked: Asked) -> CTE:
    """What fits in all but the three kinds, and in which of the three it fits too."""
    others = [name for names in _OWN.values() for name in names]
    columns: list[ColumnElement[Any]] = [
        and_(true(), *conditions(asked.intersection(names))).label(f"in_{kind}")
        for kind, names in _OWN.items()
    ]
    query = select(ProductRow.category_id, ProductRow.tags, ProductRow.price_amount, *columns)
    query = query.where(*conditions(asked, leaving_out=others))
    return query.cte("base").prefix_with("MATERIALIZED", dialect="postgresql")


def _per_category(base: CTE) -> Select[Any]:
    fitting = and_(base.c.in_tags, base.c.in_price, base.c.category_id.is_not(None))
    return (
        select(base.c.category_id, func.count().label("products"))
        .where(fitting)
        .group_by(base.c.category_id)
    )


def _per_tag(base: CTE) -> Select[Any]:
    fitting = select(func.unnest(base.c.tags).label("tag"))
    tags = fitting.where(base.c.in_category, base.c.in_price).subquery("tagged")
    query = select(tags.c.tag, func.count().label("products")).group_by(tags.c.tag)
    return query.order_by(func.count().desc(), tags.c.tag).limit(MOST_TAGS)


def _bands(base: CTE) -> Select[Any]:
    """By the number of digits and by what the first of them reaches: 1, 2 or 5."""
    amount = base.c.price_amount
    digits = func.length(cast(amount, Text))
    first = cast(func.left(cast(amount, Text), 1), Integer)
    reached = case((first >= 5, 5), (first >= 2, 2), else_=first)
    query = select(
        digits.label("digits"),
        reached.label("reached"),
        func.count().label("products"),
        func.min(amount).label("lowest"),
        func.max(amount).label("highest"),
    ).where(base.c.in_category, base.c.in_tags)
    return query.group_by(digits, reached).order_by(digits, reached)


def _band(digits: int, reached: int, count: int) -> PriceBand:
    """From 1, 2 or 5 times a power of ten to just below the next of them; free things are apart."""
    if not reached:
        return PriceBand(0, 0, count)
    power = 10 ** (digits - 1)
    following = {1: 2, 2: 5, 5: 10}[reached]
    return PriceBand(reached * power, following * power - 1, count)


def _categories(session: Session, counts: Mapping[UUID, int]) -> list[CategoryCount]:
    """The categories with something in them or inside of them, in the order of the tree."""
    order = (CategoryRow.position, CategoryRow.name, CategoryRow.id)
    rows = session.execute(
        select(CategoryRow.id, CategoryRow.slug, CategoryRow.name, CategoryRow.parent_id).order_by(
            *order
        )
    ).all()
    parents = {row.id: row.parent_id for row in rows}
    total: Counter[UUID] = Counter()
    for category, count in counts.items():
        place: UUID | None = category
        while place is not None:
            total[place] += count
            place = parents.get(place)
    return [CategoryCount(row.slug, row.name, total[row.id]) for row in rows if total[row.id]]
