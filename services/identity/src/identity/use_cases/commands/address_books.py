"""A customer's addresses. Whose account was closed or disabled: all raise InvalidCredentials."""

from typing import Any
from uuid import UUID

from identity.domain.address_book import AddressBook
from identity.domain.values import PostalAddress
from identity.use_cases.ports import UnitOfWork


def add_address(
    user_id: UUID, address: PostalAddress, *, as_default: bool, uow: UnitOfWork
) -> tuple[UUID, AddressBook]:
    """Raises AddressBookFull."""
    with uow:
        book = uow.address_books.get(user_id)
        address_id = uow.address_books.new_id()
        book.add(address_id, address, as_default=as_default)
        uow.address_books.save(book)
        uow.commit()
    return address_id, book


def replace_address(
    user_id: UUID, address_id: UUID, address: PostalAddress, *, as_default: bool, uow: UnitOfWork
) -> AddressBook:
    """Raises AddressNotFound."""
    with uow:
        book = uow.address_books.get(user_id)
        book.change(address_id, address, as_default=as_default)
        uow.address_books.save(book)
        uow.commit()
    return book


def change_address(
    user_id: UUID, address_id: UUID, changes: dict[str, Any], *, as_default: bool, uow: UnitOfWork
) -> AddressBook:
    """`changes` holds the fields of PostalAddress that get a new value. Raises AddressNotFound."""
    with uow:
        book = uow.address_books.get(user_id)
        changed = book.find(address_id).with_changes(changes)
        book.change(address_id, changed, as_default=as_default)
        uow.address_books.save(book)
        uow.commit()
    return book


def remove_address(user_id: UUID, address_id: UUID, *, uow: UnitOfWork) -> None:
    """Raises AddressNotFound."""
    with uow:
        book = uow.address_books.get(user_id)
        book.remove(address_id)
        uow.address_books.save(book)
        uow.commit()
