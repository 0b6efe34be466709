"""Small values of the ordering language."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Money:
    """Minor units (kobo) of one currency."""

    amount: int
    currency: str

    def __add__(self, other: Self) -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.amount * quantity, self.currency)


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to write to about an order."""

    email: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a parcel goes. `country` is ISO 3166-1 alpha-2."""

    full_name: str
    phone: str
    line1: str
    city: str
    state: str
    country: str
    line2: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where the customer can follow the parcel."""

    carrier: str
    number: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What ordering knows of one variant: told by catalog's events, so possibly seconds old."""

    sku: str
    product_id: UUID
    name: str
    price: Money
    available: int
    buyable: bool
    image_url: str | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line as it was bought; it never changes when the product does."""

    sku: str
    product_id: UUID
    name: str
    options: dict[str, str]
    quantity: int
    unit_price: Money

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Refunded:
    """Money that is back with the customer: a payment, or a part of it."""

    reference: str
    amount: Money


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to the order: what, when, through whom, and why.

    `cause` is the event that led to it, None if somebody asked for it.
    """

    at: datetime
    type: str
    actor: str
    detail: str | None = None
    cause: UUID | None = None
