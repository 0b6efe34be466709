from uuid import uuid4

import pytest

from identity.domain.address_book import (
    MAX_ADDRESSES,
    AddressBook,
    AddressBookFull,
    AddressNotFound,
)
from identity.domain.values import PostalAddress

HOME, WORK, BEACH = uuid4(), uuid4(), uuid4()


def an_address(city: str = "Lagos") -> PostalAddress:
    return PostalAddress(
        full_name="Ada Obi",
        phone="+2348031234567",
        line1="1 Broad Street",
        city=city,
        state="Lagos",
        country="NG",
    )


def a_book() -> AddressBook:
    book = AddressBook(uuid4())
    for address_id in (HOME, WORK, BEACH):
        book.add(address_id, an_address(), as_default=False)
    return book


def test_the_first_address_is_the_default():
    assert a_book().default == HOME


def test_a_new_default_takes_the_place_of_the_old_one():
    book = a_book()
    book.change(WORK, an_address(), as_default=True)
    assert book.default == WORK


def test_a_change_does_not_take_the_default_away():
    book = a_book()
    book.change(HOME, an_address("Abuja"), as_default=False)
    assert (book.default, book.entries[HOME].city) == (HOME, "Abuja")


def test_without_the_default_the_oldest_of_the_others_is_it():
    book = a_book()
    book.remove(HOME)
    assert book.default == WORK


def test_removing_another_address_leaves_the_default_alone():
    book = a_book()
    book.remove(BEACH)
    assert book.default == HOME


def test_an_empty_book_has_no_default():
    book = a_book()
    for address_id in (HOME, WORK, BEACH):
        book.remove(address_id)
    assert book.default is None


def test_a_book_is_full_at_some_point():
    book = AddressBook(uuid4())
    for _ in range(MAX_ADDRESSES):
        book.add(uuid4(), an_address(), as_default=False)
    with pytest.raises(AddressBookFull):
        book.add(uuid4(), an_address(), as_default=False)


def test_an_address_of_another_book_is_not_found():
    with pytest.raises(AddressNotFound):
        a_book().change(uuid4(), an_address(), as_default=False)
