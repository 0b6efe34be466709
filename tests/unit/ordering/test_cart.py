"""What goes into a cart, what it warns of, and when it can be ordered."""

from dataclasses import replace
from uuid import uuid4

import pytest

from ordering.domain.cart import (
    MAX_LINES,
    MAX_QUANTITY,
    Cart,
    CartEmpty,
    CartFull,
    CartItem,
    MixedCurrencies,
    NothingToPay,
    NotInCart,
    OutOfStock,
    problems,
)
from ordering.domain.values import Money, Offer
from tests.support.ordering import an_offer, naira


def a_cart(*offers: Offer, quantity: int = 1) -> Cart:
    cart = Cart(uuid4())
    for offer in offers:
        cart.add(offer, quantity)
    return cart


def test_adding_again_adds_up_and_takes_the_price_of_today() -> None:
    cart = a_cart(an_offer(price=100), quantity=2)

    cart.add(an_offer(price=120), 3)

    assert cart.items == {"MUG": CartItem(5, naira(120))}


def test_setting_replaces_the_quantity() -> None:
    cart = a_cart(an_offer(), quantity=2)

    cart.set_quantity(an_offer(), 7)

    assert cart.items["MUG"].quantity == 7


def test_what_is_not_there_cannot_be_set() -> None:
    with pytest.raises(NotInCart):
        a_cart().set_quantity(an_offer(), 1)


def test_removing_is_done_whether_it_was_there_or_not() -> None:
    cart = a_cart(an_offer())

    cart.remove("MUG")
    cart.remove("MUG")

    assert cart.items == {}


def test_a_line_has_a_limit() -> None:
    cart = a_cart(an_offer(), quantity=MAX_QUANTITY)

    with pytest.raises(CartFull):
        cart.add(an_offer(), 1)
    assert cart.items["MUG"].quantity == MAX_QUANTITY


def test_a_cart_has_a_limit_of_lines_but_those_in_it_can_still_grow() -> None:
    cart = a_cart(*(an_offer(f"SKU-{number}") for number in range(MAX_LINES)))

    with pytest.raises(CartFull):
        cart.add(an_offer("ONE-MORE"), 1)
    cart.add(an_offer("SKU-0"), 1)
    assert cart.items["SKU-0"].quantity == 2


def test_an_order_has_todays_prices_and_a_fixed_order_of_lines() -> None:
    mug, cap = an_offer("MUG", price=100), an_offer("CAP", price=50)
    cart = a_cart(mug, cap, quantity=2)
    today = {"MUG": an_offer("MUG", price=110), "CAP": cap}

    lines = cart.order_lines(today)

    assert [(line.sku, line.unit_price.amount, line.quantity) for line in lines] == [
        ("CAP", 50, 2),
        ("MUG", 110, 2),
    ]


def test_an_empty_cart_cannot_be_ordered() -> None:
    with pytest.raises(CartEmpty):
        a_cart().order_lines({})


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (an_offer(available=0), "Sold out."),
        (an_offer(buyable=False), "No longer sold."),
        (None, "No longer sold."),
    ],
)
def test_what_is_known_to_be_gone_cannot_be_ordered(offer: Offer | None, reason: str) -> None:
    cart = a_cart(an_offer())

    with pytest.raises(OutOfStock) as refusal:
        cart.order_lines({"MUG": offer} if offer else {})
    assert refusal.value.errors == {"MUG": [reason]}


def test_wanting_more_than_was_last_heard_of_can_be_ordered_for_the_reservation_decides() -> None:
    cart = a_cart(an_offer(), quantity=9)

    assert cart.order_lines({"MUG": an_offer(available=1)})


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        (an_offer(price=100, available=2), []),
        (an_offer(price=101, available=2), ["price_changed"]),
        (an_offer(price=100, available=1), ["insufficient_stock"]),
        (an_offer(price=101, available=1), ["price_changed", "insufficient_stock"]),
        (an_offer(price=100, available=2, buyable=False), ["archived"]),
        (None, ["archived"]),
    ],
)
def test_a_line_says_what_is_wrong_with_it(offer: Offer | None, expected: list[str]) -> None:
    assert problems(CartItem(2, naira(100)), offer) == expected


def test_s34_an_order_has_a_limit_of_worth() -> None:
    cart = a_cart(an_offer("GOLD", price=10**13), quantity=1000)

    with pytest.raises(CartFull):
        cart.order_lines({"GOLD": an_offer("GOLD", price=10**13)})


def test_what_costs_nothing_cannot_be_ordered_but_may_come_along() -> None:
    gift, mug = an_offer("GIFT", price=0), an_offer("MUG", price=100)

    with pytest.raises(NothingToPay):
        a_cart(gift).order_lines({"GIFT": gift})
    assert len(a_cart(gift, mug).order_lines({"GIFT": gift, "MUG": mug})) == 2


def test_what_is_priced_in_several_currencies_is_not_one_order() -> None:
    dollars = replace(an_offer("CAP"), price=Money(100, "USD"))
    cart = a_cart(an_offer("MUG"))
    cart.add(dollars, 1)

    with pytest.raises(MixedCurrencies):
        cart.order_lines({"MUG": an_offer("MUG"), "CAP": dollars})
