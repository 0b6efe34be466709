"""A wish to prove that one reads some mail: to verify an address, to get back in, to take another
address.

    requested ──notifier asks for the link──▶ issued ──the link is shown──▶ spent (gone)
        └────────────── another wish for the same purpose replaces it ──────────────┘

The link holds a secret that is made when the mail leaves, so it is never in an event, a queue or a
ledger; here only its digest is. It is worth something for an hour, and only while the account has
the address, and for a reset the password, that it had when the wish was made; a wish for another
address depends on the password too, which was asked for.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from identity.domain.user import User
from identity.domain.values import EmailAddress
from oja_events.contracts import Event
from oja_events.contracts.identity import (
    EmailChangeRequested,
    EmailVerificationRequested,
    PasswordResetRequested,
)

LINK_LIFETIME = timedelta(minutes=60)
# A mail server may be away for a day; after that nobody waits for the mail any more.
REQUEST_LIFETIME = timedelta(days=1)


class InvalidOneTimeToken(Exception):
    """Unknown, used, replaced, too old, or another purpose's: the caller is not to learn which."""

    def __init__(self) -> None:
        super().__init__("The link is not good, or no longer: ask for another one.")
        self.errors = {"token": ["Is not good, or no longer."]}


class RequestGone(Exception):
    """There is nothing to send any more: the wish was fulfilled, replaced, or is too old."""


class Purpose(StrEnum):
    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  a purpose, not a password  # nosec B105
    CHANGE_EMAIL = "change_email"


_TOLD = {
    Purpose.VERIFY_EMAIL: EmailVerificationRequested,
    Purpose.RESET_PASSWORD: PasswordResetRequested,
    Purpose.CHANGE_EMAIL: EmailChangeRequested,
}


@dataclass(slots=True, kw_only=True)
class OneTimeRequest:
    """Bound to the user's address and password of the moment in which it was made. `email` is where
    the mail goes, for CHANGE_EMAIL the address that is wanted."""

    id: UUID
    user_id: UUID
    purpose: Purpose
    email: EmailAddress
    password_changed_at: datetime
    requested_at: datetime
    _events: list[Event] = field(default_factory=list, repr=False)

    @classmethod
    def made_by(
        cls,
        user: User,
        purpose: Purpose,
        *,
        request_id: UUID,
        now: datetime,
        email: EmailAddress | None = None,
    ) -> "OneTimeRequest":
        """`email` is the address that is wanted, None where it is about the one that they have."""
        email = email or user.email
        request = cls(
            id=request_id,
            user_id=user.id,
            purpose=purpose,
            email=email,
            password_changed_at=user.password_changed_at,
            requested_at=now,
        )
        request._events.append(
            _TOLD[purpose](
                user_id=user.id,
                request_id=request_id,
                email=email.text,
                name=user.profile.name,
                requested_at=now,
            )
        )
        return request

    def still_fits(self, user: User) -> bool:
        """Whether the account is the one that the wish was made for."""
        same_password = user.password_changed_at == self.password_changed_at
        same_email = user.email.canonical == self.email.canonical
        return (
            user.is_active
            and (same_email or self.purpose is Purpose.CHANGE_EMAIL)
            and (same_password or self.purpose is Purpose.VERIFY_EMAIL)
        )

    def pull_events(self) -> list[Event]:
        """Hand over what there is to tell since the last call, oldest first."""
        events, self._events = self._events, []
        return events
