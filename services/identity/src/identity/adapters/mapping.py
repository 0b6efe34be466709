"""Rows <-> aggregates, spelled out, so that the domain stays free of tables."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from identity.adapters.tables import AddressRow, UserRow
from identity.domain.address_book import AddressBook
from identity.domain.user import User
from identity.domain.values import EmailAddress, PostalAddress, Profile


def user_from(row: UserRow, roles: Iterable[str]) -> User:
    return User(
        id=row.id,
        email=EmailAddress(row.email, row.email_canonical),
        profile=Profile(row.first_name, row.last_name, row.phone),
        password_hash=row.password_hash,
        password_changed_at=row.password_changed_at,
        roles=frozenset(roles),
        created_at=row.created_at,
        email_verified=row.email_verified,
        is_active=row.is_active,
        access_generation=row.access_generation,
        version=row.version,
    )


def new_user_values(user: User) -> dict[str, Any]:
    return {
        **user_values(user),
        "id": user.id,
        "created_at": user.created_at,
        "updated_at": user.created_at,
        "version": 1,
    }


def user_values(user: User) -> dict[str, Any]:
    """The columns that may change."""
    return {
        "email": user.email.text,
        "email_canonical": user.email.canonical,
        "email_verified": user.email_verified,
        "first_name": user.profile.first_name,
        "last_name": user.profile.last_name,
        "phone": user.profile.phone,
        "password_hash": user.password_hash,
        "password_changed_at": user.password_changed_at,
        "is_active": user.is_active,
        "access_generation": user.access_generation,
    }


def book_from(rows: Iterable[AddressRow], book: AddressBook) -> AddressBook:
    """Fill the book; `rows` in the order in which they were added."""
    for row in rows:
        book.entries[row.id] = _address_from(row)
        if row.is_default:
            book.default = row.id
    return book


def book_rows(book: AddressBook) -> list[dict[str, Any]]:
    return [
        {
            "id": address_id,
            "user_id": book.user_id,
            "is_default": address_id == book.default,
            **asdict(address),
        }
        for address_id, address in book.entries.items()
    ]


def _address_from(row: AddressRow) -> PostalAddress:
    return PostalAddress(
        full_name=row.full_name,
        phone=row.phone,
        line1=row.line1,
        line2=row.line2,
        city=row.city,
        state=row.state,
        postal_code=row.postal_code,
        country=row.country,
    )
