"""What a payment may be opened with."""

import json
from typing import Any

import pytest

from sandbox.paystack.errors import PaystackError
from sandbox.paystack.rules import check
from sandbox.paystack.shapes import fees


def a_request(**fields: Any) -> dict[str, Any]:
    return {"email": "ada@example.com", "amount": 250_000, **fields}


@pytest.mark.parametrize("amount", [250_000, "250000", 250_000.0])
def test_an_amount_is_a_whole_number_in_any_spelling(amount: Any) -> None:
    assert check(a_request(amount=amount), "NGN").amount == 250_000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"email": None}, "Email Address is required"),
        ({"email": "ada"}, "Invalid Email Address Passed"),
        ({"amount": None}, "Amount is required"),
        ({"amount": 100.5}, '"amount" must be an integer'),
        ({"amount": "100.50"}, '"amount" must be an integer'),
        ({"amount": True}, '"amount" must be an integer'),
        ({"amount": 0}, "Invalid Amount Sent"),
        ({"amount": -250_000}, "Invalid Amount Sent"),
        ({"amount": 4_999}, "Invalid Amount Sent"),
        ({"amount": 1_000_000_001}, "Transaction amount limit exceeded"),
        ({"currency": "EUR"}, "Currency not supported by merchant"),
        ({"reference": "with space"}, "Invalid character in transaction reference"),
        ({"reference": "a/b"}, "Invalid character in transaction reference"),
    ],
)
def test_a_bad_request_is_refused_in_paystacks_words(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PaystackError) as refusal:
        check(a_request(**fields), "NGN")

    assert (refusal.value.http, refusal.value.message) == (400, message)


def test_each_currency_has_its_own_minimum() -> None:
    assert check(a_request(amount=10, currency="GHS"), "NGN").amount == 10


def test_a_payment_without_a_currency_takes_the_accounts() -> None:
    assert check(a_request(), "KES").currency == "KES"


def test_metadata_as_text_keeps_its_numbers_and_as_an_object_loses_them() -> None:
    as_text = check(a_request(metadata='{"order": 42}'), "NGN")
    as_object = check(a_request(metadata={"order": 42, "gift": True}), "NGN")

    assert json.loads(as_text.metadata) == {"order": 42}
    assert json.loads(as_object.metadata) == {"order": "42", "gift": True}


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (5_641_000, "NGN", 94_615),
        (25_000, "NGN", 375),
        (250_000, "NGN", 13_750),
        (100_000_000, "NGN", 200_000),
        (10_000, "KES", 290),
    ],
)
def test_fees_are_those_of_published_samples(amount: int, currency: str, expected: int) -> None:
    assert fees(amount, currency) == expected
