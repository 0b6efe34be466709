"""Users and their belongings as clients see them: plain data, ready to be encoded."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from identity.domain.address_book import AddressBook
from identity.domain.secrets import csrf_token
from identity.domain.user import User
from identity.use_cases.commands.sessions import Session
from identity.use_cases.ports import Role
from identity.use_cases.queries import Permission, SessionEntry


def user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email.text,
        "first_name": user.profile.first_name,
        "last_name": user.profile.last_name,
        "phone": user.profile.phone,
        "roles": sorted(user.roles),
        "email_verified": user.email_verified,
        "is_active": user.is_active,
        "created_at": user.created_at,
    }


def session(session: Session) -> dict[str, Any]:
    return {
        "user": user(session.holder.user),
        "permissions": sorted(session.holder.permissions),
        "csrf_token": csrf_token(session.secret),
    }


def address(book: AddressBook, address_id: UUID) -> dict[str, Any]:
    """Raises AddressNotFound."""
    return {
        "id": address_id,
        **asdict(book.find(address_id)),
        "is_default": address_id == book.default,
    }


def addresses(book: AddressBook) -> list[dict[str, Any]]:
    return [address(book, address_id) for address_id in book.entries]


def role(role: Role) -> dict[str, Any]:
    shown = asdict(role)
    del shown["version"]
    return shown


def plain(items: Sequence[Permission | SessionEntry]) -> list[dict[str, Any]]:
    return [asdict(item) for item in items]
