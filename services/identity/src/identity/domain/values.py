"""Small values of the language of identity."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """Mail goes to `text`; two spellings of one mailbox have the same `canonical`."""

    text: str
    canonical: str

    @property
    def local_part(self) -> str:
        return self.text.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Profile:
    """What people say about themselves. `phone` is in E.164 form."""

    first_name: str
    last_name: str
    phone: str | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def with_changes(self, changes: Mapping[str, Any]) -> "Profile":
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """Where a parcel goes. `country` is ISO 3166-1 alpha-2, `phone` in E.164 form."""

    full_name: str
    phone: str
    line1: str
    city: str
    state: str
    country: str
    line2: str | None = None
    postal_code: str | None = None

    def with_changes(self, changes: Mapping[str, Any]) -> "PostalAddress":
        return replace(self, **changes)
