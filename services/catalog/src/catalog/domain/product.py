"""A product: one card in the shop, with the variants that can be bought.

    draft ◀──▶ published ──▶ archived (and back, if staff want it again)

Whatever the public may see of it is told as one event with a version that grows each time.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from catalog.domain.values import CategoryRef, Image, Money
from oja_events import contracts
from oja_events.contracts import Event
from oja_events.contracts import catalog as told


class ProductStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class InvalidProduct(Exception):
    """The product breaks a rule; `errors` says which, by the path of the field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("the product is not valid")
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One thing that can be bought."""

    sku: str
    price: Money
    options: dict[str, str] = field(default_factory=dict)
    compare_at_price: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What staff write about a product."""

    name: str
    description: str
    category: CategoryRef | None
    tags: tuple[str, ...]
    featured: bool
    status: ProductStatus
    variants: tuple[Variant, ...]

    def check(self, currency: str) -> None:
        """Raises InvalidProduct unless this can be sold in a shop that takes `currency`."""
        errors = _sku_errors(self.variants) | _option_errors(self.variants)
        errors |= _currency_errors(self.variants, currency)
        if errors:
            raise InvalidProduct(errors)


@dataclass(slots=True, kw_only=True)
class Product:
    """`available` has what can be bought by SKU, also of variants that are no longer offered."""

    id: UUID
    slug: str
    content: Content
    created_at: datetime
    updated_at: datetime
    available: dict[str, int]
    images: tuple[Image, ...] = ()
    version: int = 0
    _events: list[Event] = field(default_factory=list, repr=False)

    @classmethod
    def create(
        cls,
        *,
        product_id: UUID,
        slug: str,
        content: Content,
        available: Mapping[str, int],
        now: datetime,
    ) -> "Product":
        """A new product. Its slug stays, whatever it is called later."""
        product = cls(
            id=product_id,
            slug=slug,
            content=content,
            created_at=now,
            updated_at=now,
            available=dict(available),
        )
        product.tell(now)
        return product

    @property
    def price(self) -> Money:
        """Of the cheapest variant."""
        return min((variant.price for variant in self.content.variants), key=lambda p: p.amount)

    @property
    def in_stock(self) -> bool:
        return any(self.available_of(variant) > 0 for variant in self.content.variants)

    @property
    def sole_sku(self) -> str | None:
        """The SKU of a product that has only one."""
        variants = self.content.variants
        return variants[0].sku if len(variants) == 1 else None

    def available_of(self, variant: Variant) -> int:
        return self.available.get(variant.sku, 0)

    def rewrite(self, content: Content, *, initial: Mapping[str, int], now: datetime) -> None:
        """Replace what is written about it; `initial` is the stock of variants that are new.

        The same content again changes and tells nothing.
        """
        if content == self.content:
            return
        self.available = {**initial, **self.available}
        archived = content.status is ProductStatus.ARCHIVED is not self.content.status
        self.content = content
        self.updated_at = now
        if archived:
            self._tell_archived(now)
        else:
            self.tell(now)

    def show(self, images: tuple[Image, ...], *, now: datetime) -> None:
        """Have these images from now on; the same ones again change and tell nothing."""
        if images == self.images:
            return
        self.images = images
        self.updated_at = now
        self.tell(now)

    def tell(self, now: datetime) -> None:
        """Tell the whole public state as it is now, stock included."""
        self.version += 1
        content = self.content
        self._events.append(
            told.ProductChanged(
                product_id=self.id,
                version=self.version,
                slug=self.slug,
                name=content.name,
                status=content.status.value,
                variants=tuple(self._told_variant(variant) for variant in content.variants),
                changed_at=now,
                image_url=self.images[0].url if self.images else None,
                category=content.category.slug if content.category else None,
                tags=content.tags,
                featured=content.featured,
            )
        )

    def retell(self, now: datetime) -> None:
        """Tell once more what it is, although nothing has changed."""
        if self.content.status is ProductStatus.ARCHIVED:
            self._tell_archived(now)
        else:
            self.tell(now)

    def pull_events(self) -> list[Event]:
        """Hand over what there is to tell since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def _tell_archived(self, now: datetime) -> None:
        self.version += 1
        self._events.append(
            told.ProductArchived(
                product_id=self.id,
                version=self.version,
                skus=tuple(variant.sku for variant in self.content.variants),
                archived_at=now,
            )
        )

    def _told_variant(self, variant: Variant) -> told.Variant:
        before = variant.compare_at_price
        return told.Variant(
            sku=variant.sku,
            options=variant.options,
            price=_told_money(variant.price),
            available=self.available_of(variant),
            compare_at_price=_told_money(before) if before else None,
        )


def _sku_errors(variants: tuple[Variant, ...]) -> dict[str, list[str]]:
    counts = Counter(variant.sku for variant in variants)
    return {
        f"variants.{n}.sku": ["occurs more than once"]
        for n, variant in enumerate(variants)
        if counts[variant.sku] > 1
    }


def _option_errors(variants: tuple[Variant, ...]) -> dict[str, list[str]]:
    """A customer chooses by the options, so they must tell the variants apart."""
    if len(variants) == 1:
        return {}
    counts = Counter(tuple(sorted(variant.options.items())) for variant in variants)
    return {
        f"variants.{n}.options": ["must differ from those of the other variants"]
        for n, variant in enumerate(variants)
        if not variant.options or counts[tuple(sorted(variant.options.items()))] > 1
    }


def _currency_errors(variants: tuple[Variant, ...], currency: str) -> dict[str, list[str]]:
    prices = [
        (f"variants.{n}.{name}.currency", price)
        for n, variant in enumerate(variants)
        for name, price in (
            ("price", variant.price),
            ("compare_at_price", variant.compare_at_price),
        )
    ]
    return {
        path: [f"must be {currency}"]
        for path, price in prices
        if price and price.currency != currency
    }


def _told_money(money: Money) -> contracts.Money:
    return contracts.Money(amount=money.amount, currency=money.currency)
