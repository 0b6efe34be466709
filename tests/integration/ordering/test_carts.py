"""The cart, as customers use it."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from oja_events.contracts.catalog import ProductArchived
from oja_web.testing import problem
from tests.integration.ordering.conftest import Ordering
from tests.support.ordering import NOW, product_changed


def test_a_new_customer_has_an_empty_cart(ordering: Ordering) -> None:
    answer = ordering.customer().get("/api/cart")

    assert answer.get_json() == {
        "items": [],
        "item_count": 0,
        "subtotal": {"amount": 0, "currency": "NGN"},
        "problems": [],
    }


def test_every_call_answers_the_whole_cart(ordering: Ordering) -> None:
    customer, mug, cap = ordering.customer(), ordering.offer("MUG"), ordering.offer("CAP", price=7)

    customer.post("/api/cart/items", {"sku": mug, "quantity": 1})
    added = customer.post("/api/cart/items", {"sku": mug, "quantity": 2})
    both = customer.post("/api/cart/items", {"sku": cap, "quantity": 1})
    changed = customer.patch(f"/api/cart/items/{mug}", {"quantity": 9})
    removed = customer.delete(f"/api/cart/items/{cap}")

    assert [item["quantity"] for item in added.get_json()["items"]] == [3]
    assert both.get_json()["subtotal"]["amount"] == 307
    assert changed.get_json()["item_count"] == 10
    assert [item["sku"] for item in removed.get_json()["items"]] == [mug]
    assert customer.get("/api/cart").get_json() == removed.get_json()


def test_an_emptied_cart_is_empty(ordering: Ordering) -> None:
    customer = ordering.customer()
    customer.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 1})

    assert customer.delete("/api/cart").status_code == 204
    assert customer.get("/api/cart").get_json()["items"] == []


def test_two_devices_that_add_at_once_both_count(ordering: Ordering) -> None:
    customer, mug = ordering.customer(), ordering.offer()

    def add(_: int) -> int:
        return customer.post("/api/cart/items", {"sku": mug, "quantity": 1}).status_code

    with ThreadPoolExecutor(8) as devices:
        statuses = list(devices.map(add, range(16)))

    assert statuses == [200] * 16
    assert customer.get("/api/cart").get_json()["item_count"] == 16


@pytest.mark.parametrize(
    "body",
    [
        {"sku": "X", "quantity": 0},
        {"sku": "X", "quantity": 1001},
        {"sku": "X", "quantity": "1"},
        {"sku": "X", "quantity": True},
        {"sku": "", "quantity": 1},
        {"sku": "X", "quantity": 1, "price": 1},
        {"sku": "X"},
        [],
    ],
    ids=str,
)
def test_what_is_not_a_sensible_wish_is_refused(ordering: Ordering, body: object) -> None:
    problem(ordering.customer().post("/api/cart/items", body), 422, "invalid")


def test_what_is_not_for_sale_is_refused_by_name(ordering: Ordering) -> None:
    answer = ordering.customer().post("/api/cart/items", {"sku": "NO-SUCH", "quantity": 1})

    assert problem(answer, 422)["errors"] == {"sku": ["Not for sale."]}


def test_more_than_a_thousand_of_one_thing_is_refused(ordering: Ordering) -> None:
    customer, mug = ordering.customer(), ordering.offer()
    customer.post("/api/cart/items", {"sku": mug, "quantity": 1000})

    problem(customer.post("/api/cart/items", {"sku": mug, "quantity": 1}), 422, "cart_full")


def test_what_is_not_in_the_cart_cannot_be_changed(ordering: Ordering) -> None:
    answer = ordering.customer().patch(f"/api/cart/items/{ordering.offer()}", {"quantity": 2})

    problem(answer, 404, "not_found")


def test_a_stranger_has_no_cart(ordering: Ordering) -> None:
    problem(ordering.app.test_client().get("/api/cart"), 401, "unauthenticated")


def test_a_cart_warns_when_prices_and_stock_have_changed(ordering: Ordering) -> None:
    customer, product_id = ordering.customer(), uuid4()
    sku = f"MUG-{product_id.hex[:8]}"
    ordering.hear(product_changed(product_id, {sku: (100, 9)}, version=1))
    customer.post("/api/cart/items", {"sku": sku, "quantity": 5})

    ordering.hear(product_changed(product_id, {sku: (120, 3)}, version=2))
    cart = customer.get("/api/cart").get_json()

    assert cart["problems"] == ["insufficient_stock", "price_changed"]
    assert cart["subtotal"]["amount"] == 5 * 120


def test_news_of_a_product_that_come_late_or_again_change_nothing(ordering: Ordering) -> None:
    customer, product_id = ordering.customer(), uuid4()
    sku = f"MUG-{product_id.hex[:8]}"
    ordering.hear(product_changed(product_id, {sku: (300, 9)}, version=3))
    for version, price in ((2, 200), (3, 999)):
        ordering.hear(product_changed(product_id, {sku: (price, 9)}, version=version))

    answer = customer.post("/api/cart/items", {"sku": sku, "quantity": 1})

    assert answer.get_json()["subtotal"]["amount"] == 300


def test_an_archived_product_stays_in_carts_with_a_warning(ordering: Ordering) -> None:
    customer, product_id = ordering.customer(), uuid4()
    sku = f"MUG-{product_id.hex[:8]}"
    ordering.hear(product_changed(product_id, {sku: (100, 9)}, version=1))
    customer.post("/api/cart/items", {"sku": sku, "quantity": 1})
    archived = ProductArchived(product_id=product_id, version=2, skus=(sku,), archived_at=NOW)

    ordering.hear(archived)
    ordering.hear(archived)

    assert customer.get("/api/cart").get_json()["items"][0]["problems"] == ["archived"]
    problem(customer.checkout(), 409, "out_of_stock")


def test_an_archive_that_overtakes_the_product_is_remembered(ordering: Ordering) -> None:
    product_id = uuid4()
    sku = f"MUG-{product_id.hex[:8]}"
    ordering.hear(ProductArchived(product_id=product_id, version=2, skus=(sku,), archived_at=NOW))

    ordering.hear(product_changed(product_id, {sku: (100, 9)}, version=1))

    answer = ordering.customer().post("/api/cart/items", {"sku": sku, "quantity": 1})
    problem(answer, 422)


def test_a_variant_that_a_product_no_longer_has_is_not_sold(ordering: Ordering) -> None:
    product_id = uuid4()
    small, large = f"S-{product_id.hex[:8]}", f"L-{product_id.hex[:8]}"
    ordering.hear(product_changed(product_id, {small: (100, 9), large: (100, 9)}, version=1))

    ordering.hear(product_changed(product_id, {large: (100, 9)}, version=2))

    customer = ordering.customer()
    problem(customer.post("/api/cart/items", {"sku": small, "quantity": 1}), 422)
    assert customer.post("/api/cart/items", {"sku": large, "quantity": 1}).status_code == 200
