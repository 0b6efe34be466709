"""Ordering to an address that the customer keeps: ordering's own copy of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from oja_events.contracts.identity import AddressesChanged, CustomerErased, SavedAddress
from oja_web.testing import problem
from tests.integration.ordering.conftest import ADDRESS, Client, Ordering

HOME = uuid4()
NOW = datetime.now(UTC)


@pytest.fixture
def ada(ordering: Ordering) -> Client:
    """With something in the cart."""
    customer = ordering.customer()
    customer.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 1})
    return customer


def keeps(customer: Client, at: datetime = NOW, **lines: str) -> AddressesChanged:
    """The news that the customer keeps one address at home, with this in it."""
    fields = {name: value for name, value in (ADDRESS | lines).items() if value is not None}
    saved = SavedAddress(address_id=HOME, **fields)
    return AddressesChanged(customer_id=customer.user_id, addresses=(saved,), changed_at=at)


def check_out(customer: Client, address_id: UUID = HOME, **more: Any) -> Any:
    body = {"address_id": str(address_id), **more}
    return customer.post("/api/checkout", body, Idempotency_Key=uuid4().hex)


def test_an_order_goes_to_the_address_that_was_named(ordering: Ordering, ada: Client) -> None:
    ordering.hear(keeps(ada, line1="1 Marina"))

    answer = check_out(ada)

    assert answer.status_code == 201, answer.text
    assert (
        answer.get_json()["shipping_address"].items() >= (ADDRESS | {"line1": "1 Marina"}).items()
    )


def test_an_order_does_not_follow_the_address_when_that_changes(
    ordering: Ordering, ada: Client
) -> None:
    ordering.hear(keeps(ada, line1="1 Marina"))
    order = check_out(ada).get_json()

    ordering.hear(keeps(ada, NOW + timedelta(seconds=1), line1="2 Marina"))

    shown = ada.get(f"/api/orders/{order['id']}").get_json()
    assert shown["shipping_address"]["line1"] == "1 Marina"


def test_older_news_of_addresses_changes_nothing(ordering: Ordering, ada: Client) -> None:
    ordering.hear(keeps(ada, line1="new"))
    ordering.hear(keeps(ada, NOW - timedelta(seconds=1), line1="old"))

    assert check_out(ada).get_json()["shipping_address"]["line1"] == "new"


def test_an_address_that_was_removed_is_unknown(ordering: Ordering, ada: Client) -> None:
    ordering.hear(keeps(ada))
    later = NOW + timedelta(seconds=1)
    ordering.hear(AddressesChanged(customer_id=ada.user_id, addresses=(), changed_at=later))

    assert "address_id" in problem(check_out(ada), 422)["errors"]


def test_an_address_of_somebody_else_is_unknown_and_the_cart_stays(
    ordering: Ordering, ada: Client
) -> None:
    ordering.hear(keeps(ordering.customer()))

    assert "address_id" in problem(check_out(ada), 422)["errors"]
    assert ada.get("/api/cart").get_json()["item_count"] == 1


@pytest.mark.parametrize(
    "where", [{}, {"shipping_address": ADDRESS, "address_id": str(HOME)}], ids=["none", "both"]
)
def test_an_order_goes_to_exactly_one_address(ada: Client, where: dict[str, Any]) -> None:
    answer = ada.post("/api/checkout", where, Idempotency_Key=uuid4().hex)

    assert "shipping_address" in problem(answer, 422)["errors"]


def test_nothing_is_kept_of_the_addresses_of_who_has_left(ordering: Ordering, ada: Client) -> None:
    ordering.hear(keeps(ada))

    ordering.hear(CustomerErased(customer_id=ada.user_id, erased_at=NOW))
    ordering.hear(keeps(ada, NOW + timedelta(seconds=1)))

    ada.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 1})
    assert "address_id" in problem(check_out(ada), 422)["errors"]
