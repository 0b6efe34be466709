"""What the read side offers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from identity.domain.address_book import AddressBook
from identity.domain.user import User
from identity.use_cases.ports import Receipt, Role


@dataclass(frozen=True, slots=True)
class UserPage:
    """Newest first. `next` is the id to continue after, None on the last page."""

    users: list[User]
    next: UUID | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session of the admin console, without its secret."""

    id: UUID
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    address: str | None
    current: bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """A closed account. `missing` names the services that have not given a receipt yet."""

    user_id: UUID
    asked_at: datetime
    receipts: list[Receipt]
    missing: list[str]


@dataclass(frozen=True, slots=True)
class ErasurePage:
    """Newest first. `next` is where to continue after, None on the last page."""

    items: list[Erasure]
    next: tuple[datetime, UUID] | None
    total: int | None = None


class Queries(Protocol):
    """The read side."""

    def user(self, user_id: UUID) -> User:
        """Raises UserNotFound."""

    def users(
        self,
        *,
        size: int,
        search: str | None = None,
        role: str | None = None,
        is_active: bool | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> UserPage:
        """`search` is a part of a name or of an address."""

    def address_book(self, user_id: UUID) -> AddressBook: ...

    def roles(self) -> list[Role]: ...

    def role(self, name: str) -> Role:
        """Raises RoleNotFound."""

    def permissions(self) -> list[Permission]: ...

    def erasures(
        self,
        *,
        size: int,
        finished: bool | None = None,
        after: tuple[datetime, UUID] | None = None,
        with_total: bool = False,
    ) -> ErasurePage: ...

    def sessions(self, user_id: UUID, *, idle: timedelta, current: bytes) -> list[SessionEntry]:
        """The user's good sessions, the newest first; `current` is the digest of the caller's."""
