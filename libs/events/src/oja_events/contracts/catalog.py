"""What catalog tells: products as the public sees them, and stock."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from oja_events.contracts.base import Event, MessageParked, Money, SkuQuantity


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One thing that can be bought. `available` is the number at the time of the event."""

    sku: str
    options: dict[str, str]
    price: Money
    available: int
    compare_at_price: Money | None = None


@dataclass(frozen=True, kw_only=True)
class ProductChanged(Event):
    """The whole public state of a product after a change.

    `version` grows with every change of the product, so a reader keeps the highest one and
    ignores the rest, whatever the order of arrival. Also told when a variant sells out or is back.
    """

    TYPE: ClassVar[str] = "oja.catalog.product_changed.v1"
    SUBJECT: ClassVar[str] = "product_id"

    product_id: UUID
    version: int
    slug: str
    name: str
    status: str
    variants: tuple[Variant, ...]
    changed_at: datetime
    image_url: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    featured: bool = False


@dataclass(frozen=True, kw_only=True)
class ProductArchived(Event):
    """The product is no longer sold; orders that hold it go on."""

    TYPE: ClassVar[str] = "oja.catalog.product_archived.v1"
    SUBJECT: ClassVar[str] = "product_id"

    product_id: UUID
    version: int
    skus: tuple[str, ...]
    archived_at: datetime


@dataclass(frozen=True, kw_only=True)
class StockReserved(Event):
    """Every line of the order is held for it."""

    TYPE: ClassVar[str] = "oja.catalog.stock_reserved.v1"
    SUBJECT: ClassVar[str] = "order_id"

    order_id: UUID
    lines: tuple[SkuQuantity, ...]
    reserved_at: datetime


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """How far one SKU falls short of an order."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, kw_only=True)
class StockRejected(Event):
    """At least one line cannot be held, so none is."""

    TYPE: ClassVar[str] = "oja.catalog.stock_rejected.v1"
    SUBJECT: ClassVar[str] = "order_id"

    order_id: UUID
    shortages: tuple[Shortage, ...]
    rejected_at: datetime


@dataclass(frozen=True, kw_only=True)
class StockReleased(Event):
    """What was held for a cancelled order is free again, or back on the shelf if it was sold."""

    TYPE: ClassVar[str] = "oja.catalog.stock_released.v1"
    SUBJECT: ClassVar[str] = "order_id"

    order_id: UUID
    lines: tuple[SkuQuantity, ...]
    released_at: datetime


@dataclass(frozen=True, kw_only=True)
class StockCommitted(Event):
    """What was held is sold."""

    TYPE: ClassVar[str] = "oja.catalog.stock_committed.v1"
    SUBJECT: ClassVar[str] = "order_id"

    order_id: UUID
    lines: tuple[SkuQuantity, ...]
    committed_at: datetime


@dataclass(frozen=True, kw_only=True)
class _StockLevel(Event):
    TYPE: ClassVar[str] = ""
    SUBJECT: ClassVar[str] = "sku"

    sku: str
    product_id: UUID
    name: str
    available: int
    threshold: int
    at: datetime
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StockLow(_StockLevel):
    """`available` just fell from above the threshold to it or below: once per crossing."""

    TYPE: ClassVar[str] = "oja.catalog.stock_low.v1"


@dataclass(frozen=True, kw_only=True)
class StockReplenished(_StockLevel):
    """`available` just rose from the threshold or below to above it: once per crossing."""

    TYPE: ClassVar[str] = "oja.catalog.stock_replenished.v1"


@dataclass(frozen=True, kw_only=True)
class ReviewPosted(Event):
    """A customer has said something about a product.

    `status` is `published`, or `pending` where staff read reviews first. Changes are not told.
    """

    TYPE: ClassVar[str] = "oja.catalog.review_posted.v1"
    SUBJECT: ClassVar[str] = "review_id"

    review_id: UUID
    product_id: UUID
    customer_id: UUID
    rating: int
    status: str
    verified_purchase: bool
    posted_at: datetime


@dataclass(frozen=True, kw_only=True)
class CustomerReviewsErased(Event):
    """Catalog's receipt: their reviews stay without their name.

    `reviews` is how many were masked.
    """

    TYPE: ClassVar[str] = "oja.catalog.customer_reviews_erased.v1"
    SUBJECT: ClassVar[str] = "customer_id"

    customer_id: UUID
    reviews: int
    erased_at: datetime


@dataclass(frozen=True, kw_only=True)
class CatalogMessageParked(MessageParked):
    """A message to catalog was put away."""

    TYPE: ClassVar[str] = "oja.catalog.catalog_message_parked.v1"
