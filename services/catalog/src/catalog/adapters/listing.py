"""Lists of products: what narrows them, how they are sorted, where a page goes on.

The functions take what to read the columns of: the table itself, or an alias of a part of it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, func, literal, select, tuple_

from catalog.adapters.tables import CategoryRow, ProductRow
from catalog.use_cases.ports import Position, ProductFilter, Sort

Condition = ColumnElement[bool]
Columns = Any
"""Those of the products or of a part of them, or `id` and `sort_key` of a query."""

# Of the table, not of the mapped class, with which every statement takes twice as long to build.
PRODUCTS: Columns = ProductRow.__table__.c


@dataclass(frozen=True, slots=True)
class Order:
    """`column` None stands for the id alone, which grows with time."""

    column: str | None
    descending: bool = False

    def key(self, of: Columns) -> ColumnElement[Any]:
        """What the items are sorted by before their id."""
        column: ColumnElement[Any] = getattr(of, self.column or "id")
        return column

    def after(self, position: Position, of: Columns) -> Condition:
        """Everything behind that place. Ties are broken by the id, so nothing falls between."""
        values = position[1:] if self.column is None else position
        columns = self._columns(of)
        here = tuple_(*columns)
        there = tuple_(*(literal(v, c.type) for v, c in zip(values, columns, strict=True)))
        return here < there if self.descending else here > there

    def clauses(self, of: Columns) -> list[ColumnElement[Any]]:
        return [each.desc() if self.descending else each.asc() for each in self._columns(of)]

    def _columns(self, of: Columns) -> list[ColumnElement[Any]]:
        return [of.id] if self.column is None else [self.key(of), of.id]


def order_of(sort: Sort, q: str | None) -> Order:
    """Without words to compare with, the newest are the most relevant."""
    match sort:
        case Sort.RELEVANCE if q:
            return Order("relevance", descending=True)
        case Sort.PRICE | Sort.PRICE_DOWN:
            return Order("price_amount", sort is Sort.PRICE_DOWN)
        case Sort.RATING:
            return Order("rating_average", descending=True)
        case Sort.NAME:
            return Order("sort_name")
        case _:
            return Order(None, descending=True)


def conditions(
    wanted: ProductFilter, of: Columns = PRODUCTS, leaving_out: Collection[str] = ()
) -> list[Condition]:
    """One for each thing that is asked for, but for those whose names are left out."""
    asked = {each.name: getattr(wanted, each.name) for each in fields(wanted)}
    return [
        _NARROWINGS[name](of, value)
        for name, value in asked.items()
        if value not in (None, ()) and name not in leaving_out
    ]


def matches(q: str) -> Condition:
    """Whether a product is found by these words."""
    found: Condition = PRODUCTS.search.bool_op("@@")(words(q))
    return found


def words(q: str) -> ColumnElement[Any]:
    """The query as it is typed, or with its last word as the beginning of one.

    Nothing that people type is an error: websearch_to_tsquery takes anything, and the last word
    goes in as one quoted operand, from which `folded` has taken what could end the quotes.
    """
    typed = func.websearch_to_tsquery("simple", func.folded(q))
    before, unfinished = split_last_word(q)
    if not unfinished:
        return typed
    # The blanks keep the operand from being empty, which would be a syntax error.
    beginning = func.to_tsquery("simple", func.concat("' ", func.folded(unfinished), " ':*"))
    going_on = func.websearch_to_tsquery("simple", func.folded(before)).op("&&")(beginning)
    return typed.op("||")(going_on)


def split_last_word(q: str) -> tuple[str, str]:
    """What stands before the last word, and that word; a phrase at the end is no such word."""
    head, _, tail = q.strip().rpartition(" ")
    if '"' in tail or q.count('"') % 2:
        return q, ""
    return head, tail


def _any_inside(slug: str) -> ColumnElement[Any]:
    """The category or anything inside of it. An array, so that an index can look them all up."""
    tree = select(CategoryRow.id).where(CategoryRow.slug == slug).cte("inside", recursive=True)
    tree = tree.union(select(CategoryRow.id).where(CategoryRow.parent_id == tree.c.id))
    return any_(func.array(select(tree.c.id).scalar_subquery(), type_=ARRAY(Uuid)))


_NARROWINGS: dict[str, Callable[[Columns, Any], Condition]] = {
    "status": lambda of, status: of.status == status,
    "featured": lambda of, featured: of.featured == featured,
    "in_stock": lambda of, in_stock: of.in_stock == in_stock,
    "min_price": lambda of, amount: of.price_amount >= amount,
    "max_price": lambda of, amount: of.price_amount <= amount,
    "min_rating": lambda of, stars: of.rating_average >= stars * 100,
    "tags": lambda of, tags: of.tags.contains(list(tags)),
    "category": lambda of, slug: of.category_id == _any_inside(slug),
    "q": lambda _, q: matches(q),
}
