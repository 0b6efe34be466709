"""From a cart to an order: once, at the price that the customer agreed to."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import text

from oja_web.testing import problem
from tests.integration.ordering.conftest import ADDRESS, Client, Ordering
from tests.support.ordering import product_changed


@pytest.fixture
def customer(ordering: Ordering) -> Client:
    """With two mugs of 100 kobo in the cart."""
    customer = ordering.customer()
    customer.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 2})
    return customer


def test_s33_an_order_is_a_snapshot_of_the_cart_and_empties_it(customer: Client) -> None:
    cart = customer.get("/api/cart").get_json()

    answer = customer.checkout(note="Ring twice")

    order = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/orders/{order['id']}"
    assert (order["status"], order["payment_status"]) == ("pending", "unpaid")
    assert order["total"] == cart["subtotal"] == {"amount": 200, "currency": "NGN"}
    assert order["number"].startswith("OJ-")
    assert order["pay_before"] > order["placed_at"]
    assert order["note"] == "Ring twice"
    assert order["shipping_address"].items() >= ADDRESS.items()
    assert customer.get("/api/cart").get_json()["items"] == []
    assert customer.get(f"/api/orders/{order['id']}").get_json() == order


def test_an_order_is_told_in_the_transaction_that_places_it(
    ordering: Ordering, customer: Client
) -> None:
    order = customer.checkout().get_json()

    assert ordering.told(order) == ["order_placed"]


def test_the_same_key_gets_the_same_bytes(ordering: Ordering, customer: Client) -> None:
    first = customer.checkout("key-1")
    again = customer.checkout("key-1")

    assert again.data == first.data
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(customer.get("/api/orders").get_json()["items"]) == 1


def test_the_same_key_with_another_body_is_refused(customer: Client) -> None:
    customer.checkout("key-1")

    problem(customer.checkout("key-1", note="changed"), 422, "idempotency_key_reused")


def test_a_key_belongs_to_its_customer(ordering: Ordering, customer: Client) -> None:
    customer.checkout("key-1")

    problem(ordering.customer().checkout("key-1"), 409, "cart_empty")


def test_without_a_key_nothing_is_ordered(customer: Client) -> None:
    answer = customer.post("/api/checkout", {"shipping_address": ADDRESS})

    problem(answer, 400, "idempotency_key_required")
    assert customer.get("/api/cart").get_json()["item_count"] == 2


def test_s38_twenty_checkouts_of_one_cart_at_once_are_one_order(
    ordering: Ordering, customer: Client
) -> None:
    with ThreadPoolExecutor(20) as devices:
        answers = list(devices.map(lambda _: customer.checkout(), range(20)))

    placed = [answer for answer in answers if answer.status_code == 201]
    assert len(placed) == 1
    for answer in answers:
        if answer not in placed:
            problem(answer, 409, "cart_empty")
    assert len(customer.get("/api/orders").get_json()["items"]) == 1
    assert ordering.told(placed[0].get_json()) == ["order_placed"]


def test_twenty_repetitions_of_one_checkout_at_once_are_one_order(customer: Client) -> None:
    with ThreadPoolExecutor(20) as devices:
        answers = list(devices.map(lambda _: customer.checkout("key-1"), range(20)))

    placed = {answer.data for answer in answers if answer.status_code == 201}
    assert len(placed) == 1
    for answer in answers:
        if answer.status_code != 201:
            problem(answer, 409, "request_in_progress")
    assert len(customer.get("/api/orders").get_json()["items"]) == 1


def test_s33_the_total_that_was_agreed_to_is_the_total(customer: Client) -> None:
    wrong = customer.checkout(expected_total={"amount": 199, "currency": "NGN"})
    right = customer.checkout(expected_total={"amount": 200, "currency": "NGN"})

    problem(wrong, 409, "price_changed")
    assert right.status_code == 201


def test_what_is_known_to_be_sold_out_is_named_and_the_cart_stays(ordering: Ordering) -> None:
    customer, product_id = ordering.customer(), uuid4()
    sku = f"MUG-{product_id.hex[:8]}"
    ordering.hear(product_changed(product_id, {sku: (100, 1)}, version=1))
    customer.post("/api/cart/items", {"sku": sku, "quantity": 1})
    ordering.hear(product_changed(product_id, {sku: (100, 0)}, version=2))

    answer = customer.checkout()

    assert problem(answer, 409, "out_of_stock")["errors"] == {sku: ["Sold out."]}
    assert customer.get("/api/cart").get_json()["item_count"] == 1


def test_a_cart_that_costs_nothing_is_no_order_and_stays(ordering: Ordering) -> None:
    customer = ordering.customer()
    customer.post("/api/cart/items", {"sku": ordering.offer(price=0), "quantity": 1})

    problem(customer.checkout(), 409, "nothing_to_pay")

    cart = customer.get("/api/cart").get_json()
    assert (cart["item_count"], cart["problems"]) == (1, ["nothing_to_pay"])
    assert customer.get("/api/orders").get_json()["items"] == []


def test_what_costs_nothing_may_come_along(ordering: Ordering, customer: Client) -> None:
    customer.post("/api/cart/items", {"sku": ordering.offer("GIFT", price=0), "quantity": 1})

    assert customer.checkout().get_json()["total"]["amount"] == 200


def test_an_empty_cart_is_no_order(ordering: Ordering) -> None:
    problem(ordering.customer().checkout(), 409, "cart_empty")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "shipping_address"),
        ({"shipping_address": ADDRESS, "total": 1}, "total"),
        ({"shipping_address": {**ADDRESS, "country": "Nigeria"}}, "shipping_address.country"),
        ({"shipping_address": {**ADDRESS, "country": "XX"}}, "shipping_address.country"),
        ({"shipping_address": {**ADDRESS, "phone": "a\u0000b"}}, None),
        (
            {"shipping_address": ADDRESS, "expected_total": {"amount": 2.5, "currency": "NGN"}},
            "expected_total.amount",
        ),
    ],
    ids=[
        "nothing",
        "a field of their own",
        "a country by name",
        "no country",
        "a NUL",
        "half a kobo",
    ],
)
def test_s33_what_is_not_an_order_is_refused_by_field(
    customer: Client, body: object, field: str | None
) -> None:
    answer = customer.post("/api/checkout", body, Idempotency_Key=uuid4().hex)

    refusal = problem(answer)
    assert refusal["status"] in (400, 422)
    assert field is None or field in refusal["errors"]


def test_a_failed_checkout_leaves_no_trace(ordering: Ordering, customer: Client) -> None:
    def rows() -> object:
        with ordering.deps.engine.connect() as connection:
            return connection.execute(
                text("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM event_log)")
            ).one()

    before = rows()
    customer.checkout(expected_total={"amount": 1, "currency": "NGN"})

    assert rows() == before
