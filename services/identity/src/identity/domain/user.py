"""A user: customer, member of staff, or both, as their roles say."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from identity.domain.roles import CUSTOMER
from identity.domain.values import EmailAddress, Profile
from oja_events.contracts import Event
from oja_events.contracts.identity import (
    AccessRevoked,
    CustomerErased,
    CustomerRegistered,
    EmailChanged,
    PasswordChanged,
)

ERASED_DOMAIN = "erased.invalid"  # reserved: no mail can get there
NO_PASSWORD = "!"  # noqa: S105  no hash looks like this  # nosec B105


@dataclass(slots=True, kw_only=True)
class User:
    """`password_changed_at` moves with a new password, not with a stronger hash of the old one.
    Access tokens of an earlier `access_generation` are refused."""

    id: UUID
    email: EmailAddress
    profile: Profile
    password_hash: str = field(repr=False)
    password_changed_at: datetime
    roles: frozenset[str]
    created_at: datetime
    email_verified: bool = False
    is_active: bool = True
    access_generation: int = 1
    version: int = 0
    _events: list[Event] = field(default_factory=list, repr=False)

    @classmethod
    def register(
        cls,
        *,
        user_id: UUID,
        email: EmailAddress,
        profile: Profile,
        password_hash: str,
        now: datetime,
    ) -> "User":
        """Somebody opens an account of their own."""
        user = cls(
            id=user_id,
            email=email,
            profile=profile,
            password_hash=password_hash,
            password_changed_at=now,
            roles=frozenset({CUSTOMER}),
            created_at=now,
        )
        user._events.append(
            CustomerRegistered(
                customer_id=user_id,
                email=email.text,
                first_name=profile.first_name,
                last_name=profile.last_name,
                registered_at=now,
            )
        )
        return user

    def set_password(self, password_hash: str, *, how: str, now: datetime) -> None:
        """`how` is `change` or `reset`, as in the event."""
        self.password_hash = password_hash
        self.password_changed_at = now
        self._events.append(
            PasswordChanged(
                user_id=self.id,
                email=self.email.text,
                name=self.profile.name,
                how=how,
                changed_at=now,
            )
        )

    def move_to(self, email: EmailAddress, *, now: datetime) -> None:
        """Have this address from now on, which was proved to be theirs."""
        before, self.email, self.email_verified = self.email, email, True
        self._events.append(
            EmailChanged(user_id=self.id, email=before.text, name=self.profile.name, changed_at=now)
        )

    def revoke_access(self, *, now: datetime) -> None:
        """Every access token issued until now is worth nothing any more, in all services."""
        self.access_generation += 1
        self._events.append(
            AccessRevoked(user_id=self.id, revoked_at=now, generation=self.access_generation)
        )

    def erase(self, *, now: datetime) -> None:
        """Keep nothing of the person; the id stays, since orders refer to it."""
        nobody = f"erased-{self.id}@{ERASED_DOMAIN}"
        self.email, self.email_verified = EmailAddress(nobody, nobody), False
        self.profile = Profile("Erased", "Customer")
        self.password_hash, self.password_changed_at = NO_PASSWORD, now
        self.roles, self.is_active = frozenset(), False
        self._events.append(CustomerErased(customer_id=self.id, erased_at=now))

    @property
    def is_erased(self) -> bool:
        """Whether there is nobody any more whose account this is."""
        return self.password_hash == NO_PASSWORD

    def standing(self) -> dict[str, Any]:
        """What staff decide about a user, as the audit log keeps it."""
        return {"is_active": self.is_active, "roles": sorted(self.roles)}

    def pull_events(self) -> list[Event]:
        """Hand over what there is to tell since the last call, oldest first."""
        events, self._events = self._events, []
        return events
