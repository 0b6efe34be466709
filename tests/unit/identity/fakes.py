"""Identity without Postgres and without slow hashes."""

import uuid
from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from identity.domain.address_book import AddressBook
from identity.domain.one_time_request import OneTimeRequest, Purpose
from identity.domain.roles import ADMIN
from identity.domain.user import User
from identity.domain.values import EmailAddress, Profile
from identity.use_cases.errors import EmailTaken, InvalidCredentials, UserNotFound
from identity.use_cases.ports import AuditEntry, Receipt, SessionOwner, SignIn
from oja_events.contracts import Event

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PERMISSIONS = {
    "customer": frozenset[str](),
    "support": frozenset({"orders:read", "users:read"}),
    "user_manager": frozenset({"orders:read", "users:read", "users:write"}),
    "admin": frozenset({"orders:read", "orders:write", "users:read", "users:write"}),
}


def a_user(
    email: str = "ada@example.com", *, roles: Collection[str] = ("customer",), **changes: Any
) -> User:
    """Their password is `correct horse`, as FakeHasher writes it."""
    given = {
        "id": uuid.uuid4(),
        "email": EmailAddress(email, email.casefold()),
        "profile": Profile("Ada", "Obi"),
        "password_hash": "strong:correct horse",
        "password_changed_at": NOW,
        "roles": frozenset(roles),
        "created_at": NOW,
    }
    return User(**(given | changes))


class FakeHasher:
    """Writes passwords down behind their strength, and counts how often it was asked."""

    def __init__(self) -> None:
        self.verified = 0
        self.hashed = 0

    def hash(self, password: str) -> str:
        self.hashed += 1
        return f"strong:{password}"

    def verify(self, password: str, expected: str | None) -> bool:
        self.verified += 1
        return expected is not None and expected.partition(":")[2] == password

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith("strong:")


@dataclass
class Token:
    family: UUID
    spent: bool = False


@dataclass
class Stored:
    users: dict[UUID, User] = field(default_factory=dict)
    families: dict[UUID, UUID] = field(default_factory=dict)
    tokens: dict[bytes, Token] = field(default_factory=dict)
    sessions: dict[bytes, UUID] = field(default_factory=dict)
    books: dict[UUID, AddressBook] = field(default_factory=dict)
    requests: dict[UUID, OneTimeRequest] = field(default_factory=dict)
    links: dict[bytes, UUID] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    erasures: dict[UUID, dict[str, Receipt]] = field(default_factory=dict)
    outbox: list[Event] = field(default_factory=list)


class FakeUnitOfWork:
    """Copies on the way in and out, so code that forgets to save or commit fails here too."""

    def __init__(self, *users: User) -> None:
        self.stored = Stored(users={user.id: deepcopy(user) for user in users})
        self._draft: Stored | None = None

    @property
    def draft(self) -> Stored:
        assert self._draft is not None, "the unit of work is not open"
        return self._draft

    @property
    def users(self) -> "FakeUsers":
        return FakeUsers(self.draft)

    @property
    def roles(self) -> "FakeRoles":
        return FakeRoles()

    @property
    def refresh_tokens(self) -> "FakeRefreshTokens":
        return FakeRefreshTokens(self.draft)

    @property
    def sessions(self) -> "FakeSessions":
        return FakeSessions(self.draft)

    @property
    def one_time_requests(self) -> "FakeOneTimeRequests":
        return FakeOneTimeRequests(self.draft)

    @property
    def address_books(self) -> "FakeAddressBooks":
        return FakeAddressBooks(self.draft)

    @property
    def erasures(self) -> "FakeErasures":
        return FakeErasures(self.draft)

    @property
    def audit(self) -> "FakeAuditLog":
        return FakeAuditLog(self.draft)

    def actions(self) -> list[str]:
        return [entry.action for entry in self.stored.audit]

    def tell(self, *events: Event) -> None:
        self.draft.outbox += events

    def now(self) -> datetime:
        return NOW

    def commit(self) -> None:
        self.stored = deepcopy(self.draft)

    def __enter__(self) -> Self:
        self._draft = deepcopy(self.stored)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self._draft = None


class FakeUsers:
    def __init__(self, draft: Stored) -> None:
        self._draft = draft

    def new_id(self) -> UUID:
        return uuid.uuid4()

    def add(self, user: User) -> None:
        if self.find_by_email(user.email.canonical):
            raise EmailTaken
        self.save(user)

    def get(self, user_id: UUID) -> User:
        user = self.find(user_id)
        if user is None:
            raise UserNotFound(user_id)
        return user

    def get_active(self, user_id: UUID) -> User:
        user = self.get(user_id)
        if not user.is_active:
            raise InvalidCredentials
        return user

    def lock(self, user_ids: Collection[UUID]) -> dict[UUID, User]:
        found = {user_id: self.find(user_id) for user_id in user_ids}
        return {user_id: user for user_id, user in found.items() if user}

    def find(self, user_id: UUID) -> User | None:
        return deepcopy(self._draft.users.get(user_id))

    def find_by_email(self, canonical: str) -> User | None:
        users = self._draft.users.values()
        return deepcopy(next((user for user in users if user.email.canonical == canonical), None))

    def save(self, user: User) -> None:
        user.version += 1
        self._draft.outbox += user.pull_events()
        self._draft.users[user.id] = deepcopy(user)

    def staff(self) -> list[UUID]:
        return [user.id for user in self._draft.users.values() if user.roles - {"customer"}]

    def has_other_admin(self, user_id: UUID) -> bool:
        others = [user for user in self._draft.users.values() if user.id != user_id]
        return any(user.is_active and not user.is_erased and ADMIN in user.roles for user in others)


class FakeRoles:
    def hold(self, roles: Collection[str]) -> None:
        """Nobody else is there."""

    def unknown(self, roles: Collection[str]) -> frozenset[str]:
        return frozenset(roles) - PERMISSIONS.keys()

    def permissions_of(self, roles: Collection[str]) -> frozenset[str]:
        return frozenset().union(*(PERMISSIONS[role] for role in roles))


class FakeRefreshTokens:
    def __init__(self, draft: Stored) -> None:
        self._draft = draft

    def open_family(
        self, user_id: UUID, digest: bytes, *, idle: timedelta, longest: timedelta
    ) -> SignIn:
        family = uuid.uuid4()
        self._draft.families[family] = user_id
        self._draft.tokens[digest] = Token(family)
        return SignIn(family, user_id)

    def rotate(self, old: bytes, new: bytes, *, idle: timedelta) -> SignIn | None:
        token = self._draft.tokens.get(old)
        if token is None or token.spent or token.family not in self._draft.families:
            return None
        token.spent = True
        self._draft.tokens[new] = Token(token.family)
        return SignIn(token.family, self._draft.families[token.family])

    def revoke_reused(self, digest: bytes) -> SignIn | None:
        token = self._draft.tokens.get(digest)
        return self.revoke(digest) if token and token.spent else None

    def revoke(self, digest: bytes) -> SignIn | None:
        token = self._draft.tokens.get(digest)
        owner = self._draft.families.pop(token.family, None) if token else None
        return SignIn(token.family, owner) if token and owner else None

    def revoke_all(self, user_id: UUID) -> None:
        families = self._draft.families
        self._draft.families = {
            family: owner for family, owner in families.items() if owner != user_id
        }

    def purge(self, limit: int) -> int:
        return 0


class FakeSessions:
    def __init__(self, draft: Stored) -> None:
        self._draft = draft

    def add(self, user_id: UUID, digest: bytes, *, longest: timedelta, address: str | None) -> None:
        self._draft.sessions[digest] = user_id

    def use(self, digest: bytes, *, idle: timedelta) -> SessionOwner | None:
        user_id = self._draft.sessions.get(digest)
        if user_id is None:
            return None
        return SessionOwner(user_id, self._draft.users[user_id].access_generation)

    def remove(self, digest: bytes) -> UUID | None:
        return self._draft.sessions.pop(digest, None)

    def remove_all(self, user_id: UUID) -> None:
        sessions = self._draft.sessions
        self._draft.sessions = {key: owner for key, owner in sessions.items() if owner != user_id}

    def purge(self, limit: int, *, idle: timedelta) -> int:
        return 0


class FakeOneTimeRequests:
    def __init__(self, draft: Stored) -> None:
        self._draft = draft

    def new_id(self) -> UUID:
        return uuid.uuid4()

    def put(self, request: OneTimeRequest) -> None:
        self._draft.outbox += request.pull_events()
        requests = self._draft.requests
        self._draft.requests = {
            key: old
            for key, old in requests.items()
            if (old.user_id, old.purpose) != (request.user_id, request.purpose)
        } | {request.id: deepcopy(request)}

    def find(self, request_id: UUID) -> OneTimeRequest | None:
        return deepcopy(self._draft.requests.get(request_id))

    def issue(self, request_id: UUID, digest: bytes) -> None:
        links = self._draft.links
        self._draft.links = {key: owner for key, owner in links.items() if owner != request_id}
        self._draft.links[digest] = request_id

    def find_issued(self, digest: bytes, purpose: Purpose) -> OneTimeRequest | None:
        request_id = self._draft.links.get(digest)
        found = self.find(request_id) if request_id else None
        return found if found and found.purpose is purpose else None

    def spend(self, digest: bytes, purpose: Purpose) -> bool:
        found = self.find_issued(digest, purpose)
        return bool(found and self._draft.requests.pop(found.id))

    def remove_all(self, user_id: UUID) -> None:
        requests = self._draft.requests
        self._draft.requests = {
            key: request for key, request in requests.items() if request.user_id != user_id
        }

    def purge(self, limit: int) -> int:
        return 0


class FakeAddressBooks:
    def __init__(self, draft: Stored) -> None:
        self._draft = draft

    def new_id(self) -> UUID:
        return uuid.uuid4()

    def get(self, user_id: UUID) -> AddressBook:
        FakeUsers(self._draft).get_active(user_id)
        return deepcopy(self._draft.books.get(user_id)) or AddressBook(user_id)

    def save(self, book: AddressBook) -> None:
        self._draft.books[book.user_id] = deepcopy(book)


class FakeErasures:
    def __init__(self, draft: Stored) -> None:
        self._draft = draft

    def begin(self, user_id: UUID) -> None:
        self._draft.erasures.setdefault(user_id, {})

    def keep(self, user_id: UUID, receipt: Receipt) -> None:
        self._draft.erasures.setdefault(user_id, {}).setdefault(receipt.service, receipt)


class FakeAuditLog:
    def __init__(self, draft: Stored) -> None:
        self._draft = draft

    def note(self, entry: AuditEntry) -> None:
        self._draft.audit.append(entry)

    def forget(self, user_id: UUID) -> None:
        self._draft.audit[:] = [
            replace(entry, address=None) if user_id in (entry.actor_id, entry.target_id) else entry
            for entry in self._draft.audit
        ]
