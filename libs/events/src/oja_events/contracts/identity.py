"""What identity tells: who has joined, what happened to their account. No event carries a password
or a token, nor a link that contains one: `request_id` is good for asking identity for such a link,
which is answered to notifier only."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from oja_events.contracts.base import Event, MessageParked


@dataclass(frozen=True, kw_only=True)
class CustomerRegistered(Event):
    """Somebody opened an account."""

    TYPE: ClassVar[str] = "oja.identity.customer_registered.v1"
    SUBJECT: ClassVar[str] = "customer_id"

    customer_id: UUID
    email: str
    first_name: str
    last_name: str
    registered_at: datetime


@dataclass(frozen=True, kw_only=True)
class EmailVerificationRequested(Event):
    """Somebody is to prove that they read the mail of `email`."""

    TYPE: ClassVar[str] = "oja.identity.email_verification_requested.v1"
    SUBJECT: ClassVar[str] = "user_id"

    user_id: UUID
    request_id: UUID
    email: str
    name: str
    requested_at: datetime


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequested(Event):
    """Somebody, perhaps the owner of the account, says that they forgot its password."""

    TYPE: ClassVar[str] = "oja.identity.password_reset_requested.v1"
    SUBJECT: ClassVar[str] = "user_id"

    user_id: UUID
    request_id: UUID
    email: str
    name: str
    requested_at: datetime


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    """The account has another password, and everybody who was signed in is out.

    `how` is `change` (who did it knew the old one) or `reset` (they had a link from a mail).
    """

    TYPE: ClassVar[str] = "oja.identity.password_changed.v1"
    SUBJECT: ClassVar[str] = "user_id"

    user_id: UUID
    email: str
    name: str
    how: str
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class EmailChangeRequested(Event):
    """Whoever knows the account's password wants it to have the address `email`; they are to prove
    that they read its mail. Until then nothing changes."""

    TYPE: ClassVar[str] = "oja.identity.email_change_requested.v1"
    SUBJECT: ClassVar[str] = "user_id"

    user_id: UUID
    request_id: UUID
    email: str
    name: str
    requested_at: datetime


@dataclass(frozen=True, kw_only=True)
class EmailChanged(Event):
    """The account has another address, and everybody who was signed in is out. `email` is the
    address that it had before."""

    TYPE: ClassVar[str] = "oja.identity.email_changed.v1"
    SUBJECT: ClassVar[str] = "user_id"

    user_id: UUID
    email: str
    name: str
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class RefreshTokenReused(Event):
    """A refresh token came back after it was spent: somebody else may have had a copy. The sign-in
    that it belongs to was ended."""

    TYPE: ClassVar[str] = "oja.identity.refresh_token_reused.v1"
    SUBJECT: ClassVar[str] = "user_id"

    user_id: UUID
    email: str
    name: str
    noticed_at: datetime


@dataclass(frozen=True, kw_only=True)
class AccessRevoked(Event):
    """Access tokens that are good for some minutes more are worth nothing from now on.

    With `generation`: all of the user's of an earlier generation. With `sign_in_id`: those that
    came from this sign-in.
    """

    TYPE: ClassVar[str] = "oja.identity.access_revoked.v1"
    SUBJECT: ClassVar[str] = "user_id"

    user_id: UUID
    revoked_at: datetime
    generation: int | None = None
    sign_in_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class StaffChanged(Event):
    """Who somebody on the staff is from now on, and what they may do: told whenever that may have
    changed, of everybody who has, or had until now, another role than `customer`.

    It is the whole truth: of two about one user, the one with the higher `version` counts.
    Permissions are worth nothing while `is_active` is false.
    """

    TYPE: ClassVar[str] = "oja.identity.staff_changed.v1"
    SUBJECT: ClassVar[str] = "user_id"

    user_id: UUID
    version: int
    email: str
    name: str
    is_active: bool
    permissions: tuple[str, ...]
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class SavedAddress:
    """An address that a customer keeps. `country` is ISO 3166-1 alpha-2."""

    address_id: UUID
    full_name: str
    phone: str
    line1: str
    city: str
    state: str
    country: str
    line2: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class AddressesChanged(Event):
    """All addresses that a customer keeps now. The newest `changed_at` counts."""

    TYPE: ClassVar[str] = "oja.identity.addresses_changed.v1"
    SUBJECT: ClassVar[str] = "customer_id"

    customer_id: UUID
    addresses: tuple[SavedAddress, ...]
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class CustomerErased(Event):
    """Somebody closed their account: whoever knows more of them than this id removes or masks it,
    and gives a receipt."""

    TYPE: ClassVar[str] = "oja.identity.customer_erased.v1"
    SUBJECT: ClassVar[str] = "customer_id"

    customer_id: UUID
    erased_at: datetime


@dataclass(frozen=True, kw_only=True)
class IdentityMessageParked(MessageParked):
    """A message to identity was put away."""

    TYPE: ClassVar[str] = "oja.identity.identity_message_parked.v1"
