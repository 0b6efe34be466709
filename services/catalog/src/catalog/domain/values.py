"""Small values of the catalogue's language."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Money:
    """Minor units (kobo) of one currency."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class CategoryRef:
    """The shelf that a product stands on."""

    id: UUID
    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """`public_id` is its name where it is stored; `position` counts from 0."""

    id: UUID
    public_id: str
    url: str
    thumbnail_url: str
    alt: str
    position: int
