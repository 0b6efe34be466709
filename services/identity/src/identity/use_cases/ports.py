"""What the use cases need from the outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import UUID

from identity.domain.address_book import AddressBook
from identity.domain.one_time_request import OneTimeRequest, Purpose
from identity.domain.patience import Patience
from identity.domain.user import User
from oja_events.contracts import Event


@dataclass(frozen=True, slots=True)
class Holder:
    """A user with the permissions that their roles give them now, and the sign-in they come from
    (None at the admin console, which has sessions)."""

    user: User
    permissions: frozenset[str]
    sign_in_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in of a user: a family of refresh tokens, and the access tokens got with them."""

    id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom. `actor_id` is None for strangers and for operators of the machine;
    `target_id` is a user's id or a role's name."""

    action: str
    actor_id: UUID | None = None
    target_id: UUID | str | None = None
    address: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


class PasswordHasher(Protocol):
    """Slow and hungry on purpose: never call it inside a transaction. Raises TooBusy."""

    def hash(self, password: str) -> str: ...

    def verify(self, password: str, expected: str | None) -> bool:
        """One verification, whatever comes out; with None of a hash that no password has."""

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than the present ones."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose failures are counted, and by which rule."""

    patience: Patience
    who: str


class Strikes(Protocol):
    """Failures of late. All but `leave` and `forgive` raise CannotCount."""

    def enter(self, subjects: Sequence[Subject]) -> None:
        """Raises TooManyAttempts if one of them has to wait."""

    def add(self, subjects: Sequence[Subject]) -> None:
        """One more failure of each."""

    def leave(self, subjects: Sequence[Subject]) -> None:
        """What they entered for did not happen, so the next one may try."""

    def forgive(self, subjects: Sequence[Subject]) -> None:
        """Forget the failures of each."""


class AccessTokens(Protocol):
    def issue(self, holder: Holder, lifetime: timedelta) -> str:
        """A signed token that says who the holder is and what they may do."""


class Profiles(Protocol):
    """Profiles of users as clients see them, kept for a short time."""

    def get(self, user_id: UUID) -> bytes | None: ...

    def keep(self, user_id: UUID, profile: bytes) -> None:
        """Unless it was cleared a moment ago: then this one may be older than the change."""

    def clear(self, user_id: UUID) -> None:
        """It is about to change; call this before the commit."""


class UserRepository(Protocol):
    def new_id(self) -> UUID: ...

    def add(self, user: User) -> None:
        """Keep a new user and their events; raises EmailTaken."""

    def get(self, user_id: UUID) -> User:
        """The user, locked until the end of the transaction; raises UserNotFound."""

    def get_active(self, user_id: UUID) -> User:
        """The same for somebody who does something to their own account, whose token may be older
        than the end of it; raises InvalidCredentials."""

    def lock(self, user_ids: Collection[UUID]) -> dict[UUID, User]:
        """Those of them that exist, locked in an order in which nobody can deadlock."""

    def find(self, user_id: UUID) -> User | None: ...

    def find_by_email(self, canonical: str) -> User | None: ...

    def save(self, user: User) -> None:
        """Keep the changes, with their events."""

    def staff(self) -> list[UUID]:
        """Everybody who has another role than `customer`."""

    def has_other_admin(self, user_id: UUID) -> bool:
        """Whether another administrator who can sign in will be left; others who ask the same
        wait."""


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    description: str
    built_in: bool
    permissions: tuple[str, ...]
    version: int = 1


class RoleRepository(Protocol):
    def unknown(self, roles: Collection[str]) -> frozenset[str]:
        """Those that do not exist."""

    def permissions_of(self, roles: Collection[str]) -> frozenset[str]: ...

    def hold(self, roles: Collection[str]) -> None:
        """Keep those that exist as they are until the end of the transaction, which gives them to
        somebody. Called before users are locked: who changes a role locks it before its holders."""

    def unknown_permissions(self, names: Collection[str]) -> frozenset[str]:
        """Those that do not exist."""

    def add(self, role: Role) -> None:
        """Raises RoleTaken."""

    def lock(self, name: str) -> Role:
        """The role, locked until the end of the transaction, so that nobody is given it meanwhile;
        raises RoleNotFound."""

    def save(self, role: Role) -> Role:
        """Keep the changes; the role with its new version."""

    def remove(self, name: str) -> None: ...

    def holders(self, name: str) -> list[UUID]:
        """Who has the role."""


class RefreshTokenRepository(Protocol):
    """Tokens are known by digest. All tokens that follow from one sign-in are a family."""

    def open_family(
        self, user_id: UUID, digest: bytes, *, idle: timedelta, longest: timedelta
    ) -> SignIn: ...

    def rotate(self, old: bytes, new: bytes, *, idle: timedelta) -> SignIn | None:
        """Spend one, keep its successor; None unless `old` was good. Atomic: until the end of the
        transaction nobody can end the sign-in."""

    def revoke_reused(self, digest: bytes) -> SignIn | None:
        """If this token was spent before, end its family; None if that made no difference."""

    def revoke(self, digest: bytes) -> SignIn | None:
        """End the token's family; None if that made no difference."""

    def revoke_all(self, user_id: UUID) -> None: ...

    def purge(self, limit: int) -> int:
        """Drop up to `limit` expired ones; how many there were."""


@dataclass(frozen=True, slots=True)
class SessionOwner:
    """Whose a session is, and the generation of their access at the moment it was found."""

    user_id: UUID
    access_generation: int


class SessionRepository(Protocol):
    """Admin sessions, known by the digest of their secret."""

    def add(
        self, user_id: UUID, digest: bytes, *, longest: timedelta, address: str | None
    ) -> None: ...

    def use(self, digest: bytes, *, idle: timedelta) -> SessionOwner | None:
        """Whose session this is, while it lasts; counts as activity."""

    def remove(self, digest: bytes) -> UUID | None:
        """End it; whose it was, None if there was none."""

    def remove_by_id(self, session_id: UUID, user_id: UUID) -> bool:
        """End one of the user's; False if there was none."""

    def remove_all(self, user_id: UUID) -> None: ...

    def purge(self, limit: int, *, idle: timedelta) -> int:
        """Drop up to `limit` expired ones; how many there were."""


@dataclass(frozen=True, slots=True)
class ForgottenPassword:
    """Somebody says so. `email` is canonical, None if it cannot be an address."""

    email: str | None
    address: str | None


class OneTimeRequestRepository(Protocol):
    """At most one request per user and purpose; the secrets of their links by digest."""

    def new_id(self) -> UUID: ...

    def put(self, request: OneTimeRequest) -> None:
        """Keep it, with its events; an older one for the same purpose is worth nothing any more."""

    def put_aside(self, forgotten: ForgottenPassword) -> None:
        """Keep it for `take`, whether there is such an account or not."""

    def take(self, limit: int) -> list[ForgottenPassword]:
        """Up to `limit` that were put aside, the oldest first; they are gone with the commit."""

    def find(self, request_id: UUID) -> OneTimeRequest | None:
        """While it is not too old to be answered."""

    def issue(self, request_id: UUID, digest: bytes) -> None:
        """From now on, and for LINK_LIFETIME, this secret opens the door, and no earlier one."""

    def find_issued(self, digest: bytes, purpose: Purpose) -> OneTimeRequest | None:
        """The request whose link this is, while the link lasts."""

    def spend(self, digest: bytes, purpose: Purpose) -> bool:
        """Use the link up: of many who try, one gets True. Atomic."""

    def remove_all(self, user_id: UUID) -> None: ...

    def purge(self, limit: int) -> int:
        """Drop up to `limit` that are too old; how many there were."""


class AddressBookRepository(Protocol):
    def new_id(self) -> UUID: ...

    def get(self, user_id: UUID) -> AddressBook:
        """The user's book, locked; raises InvalidCredentials where `get_active` does."""

    def save(self, book: AddressBook) -> None: ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """A service has removed or masked this many records of somebody."""

    service: str
    records: int
    erased_at: datetime


class Erasures(Protocol):
    """Accounts that were closed, and which services have forgotten their owners."""

    def begin(self, user_id: UUID) -> None:
        """From now on the others' receipts are waited for."""

    def keep(self, user_id: UUID, receipt: Receipt) -> None:
        """The first one of a service stays."""


class AuditLog(Protocol):
    def note(self, entry: AuditEntry) -> None:
        """Write it down for good, with the id of the request."""

    def forget(self, user_id: UUID) -> None:
        """Keep what this user did and what was done to them, but not from where."""


class UnitOfWork(Protocol):
    """One transaction. Leaving it without `commit` rolls back; `now` is the database's clock."""

    @property
    def users(self) -> UserRepository: ...
    @property
    def roles(self) -> RoleRepository: ...
    @property
    def refresh_tokens(self) -> RefreshTokenRepository: ...
    @property
    def sessions(self) -> SessionRepository: ...
    @property
    def one_time_requests(self) -> OneTimeRequestRepository: ...
    @property
    def address_books(self) -> AddressBookRepository: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def audit(self) -> AuditLog: ...

    def tell(self, *events: Event) -> None:
        """Tell of what happened to no aggregate in particular, if the transaction commits."""

    def now(self) -> datetime: ...
    def commit(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
