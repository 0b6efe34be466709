"""Lists of products: what narrows them, how they are sorted, where a page goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from catalog.adapters.tables import CategoryRow, ProductRow
from catalog.use_cases.ports import Position, ProductFilter, Sort

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Order:
    """`key` None stands for the id alone, which grows with time."""

    key: ColumnElement[Any] | None
    descending: bool = False

    def after(self, position: Position) -> Condition:
        """Everything behind that place. Ties are broken by the id, so nothing falls between."""
        values = position[1:] if self.key is None else position
        columns = self._columns()
        here = tuple_(*columns)
        there = tuple_(*(literal(v, c.type) for v, c in zip(values, columns, strict=True)))
        return here < there if self.descending else here > there

    def clauses(self) -> list[ColumnElement[Any]]:
        return [each.desc() if self.descending else each.asc() for each in self._columns()]

    def _columns(self) -> list[ColumnElement[Any]]:
        by_id = _element(ProductRow.id)
        return [by_id] if self.key is None else [self.key, by_id]


def _element(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    element: ColumnElement[Any] = column.expression
    return element


def order_of(sort: Sort, q: str | None) -> Order:
    """Without words to compare with, the newest are the most relevant."""
    match sort:
        case Sort.RELEVANCE if q:
            return Order(_rank(q), descending=True)
        case Sort.PRICE | Sort.PRICE_DOWN:
            return Order(_element(ProductRow.price_amount), sort is Sort.PRICE_DOWN)
        case Sort.RATING:
            return Order(_element(ProductRow.rating_average), descending=True)
        case Sort.NAME:
            return Order(_element(ProductRow.sort_name))
        case _:
            return Order(None, descending=True)


def conditions(wanted: ProductFilter) -> list[Condition]:
    """One for each thing that is asked for."""
    asked = ((narrow, getattr(wanted, name)) for name, narrow in _NARROWINGS.items())
    return [narrow(value) for narrow, value in asked if value not in (None, ())]


def _inside(slug: str) -> Select[Any]:
    """The ids of the category and of everything inside of it."""
    tree = select(CategoryRow.id).where(CategoryRow.slug == slug).cte("inside", recursive=True)
    tree = tree.union(select(CategoryRow.id).where(CategoryRow.parent_id == tree.c.id))
    return select(tree.c.id)


def _rank(q: str) -> ColumnElement[Any]:
    # A whole number, because a cursor must name the same rank again to the last digit.
    return cast(func.ts_rank(ProductRow.search, _words(q)) * 1_000_000, BigInteger)


def _words(q: str) -> ColumnElement[Any]:
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


_NARROWINGS: dict[str, Callable[[Any], Condition]] = {
    "status": lambda status: ProductRow.status == status,
    "featured": lambda featured: ProductRow.featured.is_(featured),
    "in_stock": lambda in_stock: ProductRow.in_stock.is_(in_stock),
    "min_price": lambda amount: ProductRow.price_amount >= amount,
    "max_price": lambda amount: ProductRow.price_amount <= amount,
    "min_rating": lambda stars: ProductRow.rating_average >= stars * 100,
    "tags": lambda tags: ProductRow.tags.contains(list(tags)),
    "category": lambda slug: ProductRow.category_id.in_(_inside(slug)),
    "q": lambda q: ProductRow.search.bool_op("@@")(_words(q)),
}
