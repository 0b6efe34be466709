"""Lists of products: what narrows them, how they are sorted, where a page goes on.

The conditions hold names instead of values, so that a statement is built once for all lists of its
kind: building one takes longer than executing it. The functions take what to read the columns of:
the table itself, or an alias of a part of it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    select,
    tuple_,
)

from catalog.adapters.tables import CategoryRow, ProductRow
from catalog.use_cases.queries import Position, ProductFilter, Sort

Asked = frozenset[str]
"""What a list is narrowed to, by name. Words are `q`, or `unfinished` if the last may go on; of
the values of `status`, `published` is a name of its own, because it has its own indexes."""

PUBLISHED = frozenset(["published"])

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

    def after(self, of: Columns) -> Condition:
        """Everything behind a position. Ties are broken by the id, so nothing falls between."""
        columns = self._columns(of)
        names = ["after_key", "after_id"][-len(columns) :]
        here = tuple_(*columns)
        there = tuple_(*(bindparam(n, type_=c.type) for n, c in zip(names, columns, strict=True)))
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


def asked(wanted: ProductFilter) -> Asked:
    """The names of the conditions."""
    given = {each.name for each in fields(wanted) if getattr(wanted, each.name) not in (None, ())}
    if wanted.q and _split_last_word(wanted.q)[1]:
        given = given - {"q"} | {"unfinished"}
    if wanted.status == "published":
        given = given - {"status"} | PUBLISHED
    return frozenset(given)


def values(wanted: ProductFilter, after: Position | None = None) -> dict[str, Any]:
    """What the names in the conditions, and in those of a position, stand for."""
    given = {each.name: getattr(wanted, each.name) for each in fields(wanted)}
    given["tags"] = list(wanted.tags)
    if wanted.min_rating is not None:
        given["min_rating"] = wanted.min_rating * 100
    if wanted.q:
        before, unfinished = _split_last_word(wanted.q)
        given |= {"before": before, "unfinished": unfinished, "sku": wanted.q.strip()}
    if after is not None:
        given["after_key"], given["after_id"] = after
    return given


def conditions(
    asked: Asked, of: Columns = PRODUCTS, leaving_out: Collection[str] = ()
) -> list[Condition]:
    """One for each thing that is asked for, but for those whose names are left out."""
    left = asked.difference(leaving_out)
    return [narrow(of) for name, narrow in _NARROWINGS.items() if name in left]


def words(asked: Asked) -> ColumnElement[Any]:
    """The query as it is typed, or with its last word as the beginning of one.

    Nothing that people type is an error: websearch_to_tsquery takes anything, and the last word
    goes in as one quoted operand, from which `folded` has taken what could end the quotes.
    """
    typed = func.websearch_to_tsquery("simple", func.folded(_text("q")))
    if "unfinished" not in asked:
        return typed
    # The blanks keep the operand from being empty, which would be a syntax error.
    last = func.concat("' ", func.folded(_text("unfinished")), " ':*")
    before = func.websearch_to_tsquery("simple", func.folded(_text("before")))
    return typed.op("||")(before.op("&&")(func.to_tsquery("simple", last)))


def _text(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text)


def _matches(asked: Asked) -> Condition:
    found: Condition = PRODUCTS.search.bool_op("@@")(words(asked))
    return found


def _split_last_word(q: str) -> tuple[str, str]:
    """What stands before the last word, and that word; a phrase at the end is no such word."""
    head, _, tail = q.strip().rpartition(" ")
    if '"' in tail or q.count('"') % 2:
        return q, ""
    return head, tail


def _any_inside() -> ColumnElement[Any]:
    """The category or anything inside of it. An array, so that an index can look them all up."""
    named = CategoryRow.slug == bindparam("category")
    tree = select(CategoryRow.id).where(named).cte("inside", recursive=True)
    tree = tree.union(select(CategoryRow.id).where(CategoryRow.parent_id == tree.c.id))
    return any_(func.array(select(tree.c.id).scalar_subquery(), type_=ARRAY(Uuid)))


_NARROWINGS: dict[str, Callable[[Columns], Condition]] = {
    "published": lambda of: of.status == "published",
    "status": lambda of: of.status == bindparam("status"),
    "featured": lambda of: of.featured == bindparam("featured"),
    "in_stock": lambda of: of.in_stock == bindparam("in_stock"),
    "min_price": lambda of: of.price_amount >= bindparam("min_price"),
    "max_price": lambda of: of.price_amount <= bindparam("max_price"),
    "min_rating": lambda of: of.rating_average >= bindparam("min_rating"),
    "tags": lambda of: of.tags.contains(bindparam("tags", type_=PRODUCTS.tags.type)),
    "category": lambda of: of.category_id == _any_inside(),
    "q": lambda _: _matches(frozenset(["q"])),
    "unfinished": lambda _: _matches(frozenset(["unfinished"])),
}
