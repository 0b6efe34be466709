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
    id: UUID
    url: str
    thumbnail_url: str
    alt: str
    position: int
