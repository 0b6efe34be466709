"""Small values of the ordering language."""

from dataclasses import dataclass, field
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
