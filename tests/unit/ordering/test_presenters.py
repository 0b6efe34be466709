"""What clients see of orders and carts."""

from dataclasses import replace
from uuid import uuid4

import pytest

from ordering.domain.cart import Cart
from ordering.domain.order import OrderStatus
from ordering.domain.values import HistoryEntry, Money
from ordering.entrypoints.http import presenters, schemas
from ordering.use_cases.ports import CartView
from tests.support.ordering import NOW, an_offer, an_order


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (OrderStatus.PLACED, "pending"),
        (OrderStatus.AWAITING_PAYMENT, "pending"),
        (OrderStatus.PROCESSING, "processing"),
        (OrderStatus.SHIPPED, "shipped"),
        (OrderStatus.COMPLETED, "completed"),
        (OrderStatus.CANCELLED, "cancelled"),
    ],
)
def test_customers_see_five_statuses_and_can_filter_by_them(status: OrderStatus, seen: str) -> None:
    assert presenters.order(an_order(status))["status"] == seen
    assert status in (presenters.inner_statuses(seen) or [])


def test_without_a_filter_there_is_no_condition() -> None:
    assert presenters.inner_statuses(None) is None


@pytest.mark.parametrize("status", OrderStatus)
def test_an_order_has_exactly_the_documented_fields(status: OrderStatus) -> None:
    shown = presenters.order(an_order(status))

    assert shown.keys() == schemas.OrderSchema().fields.keys()
    assert shown["items"][0].keys() == schemas.OrderLineSchema().fields.keys()
    assert shown["shipping_address"].keys() == schemas.AddressSchema().fields.keys()


def test_a_cart_has_exactly_the_documented_fields() -> None:
    cart = Cart(uuid4())
    cart.add(an_offer(), 1)

    shown = presenters.cart(CartView(cart, {}))

    assert shown.keys() == schemas.CartSchema().fields.keys()
    assert shown["items"][0].keys() == schemas.CartLineSchema().fields.keys()


def test_a_cart_is_shown_at_todays_prices_and_warns() -> None:
    cart = Cart(uuid4())
    cart.add(an_offer("MUG", price=100), 2)
    cart.add(an_offer("CAP", price=50), 1)
    today = {"MUG": an_offer("MUG", price=120), "CAP": an_offer("CAP", price=50, available=0)}

    shown = presenters.cart(CartView(cart, today))

    assert [item["sku"] for item in shown["items"]] == ["CAP", "MUG"]
    assert shown["subtotal"] == {"amount": 2 * 120 + 50, "currency": "NGN"}
    assert shown["item_count"] == 3
    assert shown["problems"] == ["insufficient_stock", "price_changed"]


def test_what_is_sold_no_more_is_shown_at_the_price_that_was_seen() -> None:
    cart = Cart(uuid4())
    cart.add(an_offer(price=100), 1)

    [item] = presenters.cart(CartView(cart, {}))["items"]

    assert item["unit_price"] == {"amount": 100, "currency": "NGN"}
    assert (item["available"], item["problems"]) == (0, ["archived"])


def test_nothing_costs_nothing() -> None:
    shown = presenters.cart(CartView(Cart(uuid4()), {}))

    assert shown["subtotal"] == {"amount": 0, "currency": "NGN"}


def test_staff_see_who_did_what_and_why_and_customers_do_not() -> None:
    entries = [
        HistoryEntry(NOW, "placed", "customer"),
        HistoryEntry(NOW, "cancelled", "staff 0190-bola", "broken"),
    ]

    for_staff = presenters.staff_timeline(entries, [])["items"]
    for_customer = presenters.timeline(entries)["items"]

    assert [item["detail"] for item in for_staff] == ["customer", "staff 0190-bola: broken"]
    assert [item["detail"] for item in for_customer] == [None, None]
    assert [item["title"] for item in for_customer] == ["Order received", "Cancelled"]


def test_every_kind_of_entry_has_a_title() -> None:
    order = an_order(OrderStatus.CANCELLED)
    order.note_refund(uuid4(), "ref-1", order.total, now=NOW)
    kinds = {entry.type for entry in order.pull_history()}
    kinds |= {"placed", "stock_reserved", "paid", "processing", "shipped", "completed"}
    kinds |= {"cancelled", "refund_requested"}

    items = presenters.timeline([HistoryEntry(NOW, kind, "x") for kind in sorted(kinds)])["items"]

    assert all(item["title"] != item["type"] for item in items)


def test_a_cart_of_several_currencies_adds_up_one_of_them_and_warns() -> None:
    cart = Cart(uuid4())
    offers = {
        "CAP": replace(an_offer("CAP"), price=Money(100, "NGN")),
        "MUG": replace(an_offer("MUG"), price=Money(7, "USD")),
    }
    for offer in offers.values():
        cart.add(offer, 2)

    shown = presenters.cart(CartView(cart, offers))

    assert shown["subtotal"] == {"amount": 200, "currency": "NGN"}
    assert shown["problems"] == ["mixed_currencies"]


def test_a_cart_says_that_it_costs_nothing_unless_it_is_empty() -> None:
    gift = an_offer("GIFT", price=0)
    cart = Cart(uuid4())
    empty = presenters.cart(CartView(cart, {}))
    cart.add(gift, 1)

    shown = presenters.cart(CartView(cart, {"GIFT": gift}))

    assert shown["problems"] == ["nothing_to_pay"]
    assert empty["problems"] == []
