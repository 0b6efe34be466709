"""What the read side offers, and what of it is remembered."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


class Sort(StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE = "price"
    PRICE_DOWN = "-price"
    RATING = "rating"
    NAME = "name"


Position = tuple[Any, Any]
"""Where a page ended: the last item's sort key (None when it is sorted by id) and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    """What a list is narrowed to; everything that is given must hold. Prices in minor units.

    `category` is a slug and includes what is inside of it. `status` None stands for all.
    """

    q: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    min_price: int | None = None
    max_price: int | None = None
    min_rating: int | None = None
    featured: bool | None = None
    in_stock: bool | None = None
    status: str | None = "published"


@dataclass(frozen=True, slots=True)
class CategoryCount:
    slug: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class PriceBand:
    """From `lowest` to `highest` minor units, both included."""

    lowest: int
    highest: int
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How many products there are in what a list may be narrowed to next (see adapters.counting).

    `lowest` and `highest` are the prices there are, None if there is nothing.
    """

    categories: list[CategoryCount]
    tags: list[tuple[str, int]]
    bands: list[PriceBand]
    lowest: int | None
    highest: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page. `next` is where to go on after, None on the last page."""

    items: list[Mapping[str, Any]]
    next: Any | None
    total: int | None = None
    suggestion: str | None = None
    facets: Facets | None = None


class Queries(Protocol):
    """The read side: rows as plain mappings, named after the columns (see adapters.read_models)."""

    def products(
        self,
        narrowed: ProductFilter,
        *,
        sort: Sort,
        size: int,
        after: Position | None = None,
        with_total: bool = False,
        with_facets: bool = False,
    ) -> Page:
        """`next` is a Position; `suggestion` what was searched for because `q` finds nothing."""

    def product(self, key: UUID | str, *, public: bool) -> Mapping[str, Any]:
        """With its `variants`, by id or slug; raises ProductNotFound."""

    def categories(self) -> list[Mapping[str, Any]]:
        """All of them, parents before children are not promised; by position and name."""

    def tags(self) -> list[Mapping[str, Any]]:
        """Tags of published products with their counts, the most used first."""

    def inventory(
        self,
        *,
        size: int,
        low_stock: bool = False,
        after: str | None = None,
        with_total: bool = False,
    ) -> Page:
        """What is for sale, by SKU; `next` is a SKU."""

    def stock(self, sku: str) -> Mapping[str, Any]:
        """Also of variants that are no longer sold; raises SkuNotFound."""

    def movements(
        self, sku: str, *, size: int, after: int | None = None, with_total: bool = False
    ) -> Page:
        """Newest first; `next` is a number."""

    def known(self, skus: Collection[str]) -> set[str]:
        """Which of these SKUs exist."""


class ReviewQueries(Protocol):
    """Reviews as rows, each with `verified_purchase`; `next` of a page is a review's id."""

    def of_product(
        self, product_id: UUID, *, size: int, after: UUID | None = None, with_total: bool = False
    ) -> Page:
        """What everybody may see, newest first; raises ProductNotFound."""

    def all(
        self,
        *,
        status: str | None = None,
        size: int,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> Page: ...

    def one(self, review_id: UUID) -> Mapping[str, Any]:
        """Raises ReviewNotFound."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out for a public read: JSON bytes and their tag.

    With `product_id` it tells of that product and the names of categories only; without, of
    anything that lists show.
    """

    body: bytes
    etag: str
    product_id: UUID | None = None


class Answers(Protocol):
    """Public answers that were given before. What has changed since is never among them."""

    def get(self, key: str) -> Answer | None:
        """The answer, if it is remembered and still holds."""

    def get_or_make(self, key: str, make: Callable[[], Answer | None]) -> Answer | None:
        """Make it and remember it; of many callers at once, one makes it for all.

        None where `make` gives None; then each caller's own `make` was called.
        """

    def announce(self) -> bool:
        """Something was committed, so everybody looks again; False if that could not be said."""


class BulkQueries(Protocol):
    def job(self, import_id: UUID) -> Mapping[str, Any]:
        """With its `errors` and `changes`; raises ImportNotFound."""

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """Every SKU that is offered, named as the columns of domain.sheet, in short queries."""
