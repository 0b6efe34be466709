"""What people ask for, in one transaction each."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from oja_events.contracts.ordering import OrderCancelled, OrderPlaced, RefundRequested
from ordering.domain.cart import Cart, CartEmpty, NothingToPay, NotInCart, OutOfStock
from ordering.domain.order import CancelReason, IllegalTransition, Order, OrderStatus
from ordering.domain.values import Money, Offer, Tracking
from ordering.use_cases import commands
from ordering.use_cases.errors import NotCancellable, OrderNotFound, PriceChanged, UnknownSku
from tests.support.ordering import (
    ADA,
    LAGOS,
    NOW,
    WINDOW,
    FakeUnitOfWork,
    an_offer,
    an_order,
    naira,
)


class SeenAnotherVersion(Exception):
    """What a web view raises when the client's version is stale."""


def any_version(version: int) -> None:
    """The caller did not say what they have seen."""


def only_version(seen: int) -> Callable[[int], None]:
    def check(version: int) -> None:
        if version != seen:
            raise SeenAnotherVersion

    return check


def with_cart(*offers: Offer, quantity: int = 1) -> tuple[FakeUnitOfWork, UUID]:
    """A unit of work that knows these offers, and a customer who has some of each in the cart."""
    cart = Cart(uuid4())
    for offer in offers:
        cart.add(offer, quantity)
    uow = FakeUnitOfWork(offers=offers)
    uow.put(cart)
    return uow, cart.customer_id


def place(uow: FakeUnitOfWork, customer_id: UUID, *, expected: Money | None = None) -> Order:
    return commands.place_order(
        customer_id,
        contact=ADA,
        shipping_address=LAGOS,
        note=None,
        expected_total=expected,
        payment_window=WINDOW,
        uow=uow,
    )


def test_what_is_added_is_kept_and_shown_with_what_is_known_of_it() -> None:
    mug = an_offer()
    uow = FakeUnitOfWork(offers=[mug])
    customer_id = uuid4()

    view = commands.add_to_cart(customer_id, "MUG", 2, uow=uow)

    assert view.offers == {"MUG": mug}
    assert uow.cart(customer_id) == view.cart
    assert uow.cart(customer_id).items["MUG"].quantity == 2


@pytest.mark.parametrize("offers", [[], [an_offer(buyable=False)]], ids=["unknown", "archived"])
def test_what_is_not_sold_cannot_be_added(offers: list[Offer]) -> None:
    uow, customer_id = FakeUnitOfWork(offers=offers), uuid4()

    with pytest.raises(UnknownSku) as refusal:
        commands.add_to_cart(customer_id, "MUG", 1, uow=uow)

    assert refusal.value.errors == {"sku": ["Not for sale."]}
    assert uow.cart(customer_id).items == {}


def test_a_quantity_is_set_for_what_is_in_the_cart_only() -> None:
    uow, customer_id = with_cart(an_offer("MUG"))

    commands.set_quantity(customer_id, "MUG", 4, uow=uow)

    assert uow.cart(customer_id).items["MUG"].quantity == 4
    uow, customer_id = with_cart(an_offer("MUG"))
    commands.remove_from_cart(customer_id, "MUG", uow=uow)
    with pytest.raises(NotInCart):
        commands.set_quantity(customer_id, "MUG", 4, uow=uow)


def test_an_item_that_is_sold_no_more_can_still_be_taken_out() -> None:
    uow, customer_id = with_cart(an_offer(buyable=False))

    view = commands.remove_from_cart(customer_id, "MUG", uow=uow)

    assert view.cart.items == {}
    assert uow.cart(customer_id).items == {}


def test_a_cart_is_emptied() -> None:
    uow, customer_id = with_cart(an_offer("MUG"), an_offer("CAP"))

    commands.clear_cart(customer_id, uow=uow)

    assert uow.cart(customer_id).items == {}


def test_an_order_takes_the_cart_along_and_tells_of_itself() -> None:
    uow, customer_id = with_cart(an_offer(price=100), quantity=3)

    order = place(uow, customer_id, expected=naira(300))

    assert uow.order(order.id).total == naira(300)
    assert order.pay_before == NOW + WINDOW
    assert uow.cart(customer_id).items == {}
    assert [type(event) for event in uow.outbox] == [OrderPlaced]


def test_the_same_cart_is_not_ordered_twice() -> None:
    uow, customer_id = with_cart(an_offer())
    place(uow, customer_id)

    with pytest.raises(CartEmpty):
        place(uow, customer_id)

    assert len(uow.outbox) == 1


def test_a_cart_that_costs_nothing_is_refused_and_stays() -> None:
    uow, customer_id = with_cart(an_offer(price=0))

    with pytest.raises(NothingToPay):
        place(uow, customer_id)

    assert uow.outbox == []
    assert uow.cart(customer_id).items["MUG"].quantity == 1


@pytest.mark.parametrize("expected", [naira(99), Money(100, "USD")])
def test_another_total_than_the_customer_agreed_to_is_no_order(expected: Money) -> None:
    uow, customer_id = with_cart(an_offer(price=100))

    with pytest.raises(PriceChanged, match="100 NGN"):
        place(uow, customer_id, expected=expected)

    assert uow.outbox == []
    assert uow.cart(customer_id).items != {}


def test_what_is_sold_out_keeps_the_cart_as_it_is() -> None:
    uow, customer_id = with_cart(an_offer("MUG", available=0), an_offer("CAP"))

    with pytest.raises(OutOfStock) as refusal:
        place(uow, customer_id)

    assert refusal.value.errors == {"MUG": ["Sold out."]}
    assert set(uow.cart(customer_id).items) == {"MUG", "CAP"}


def test_customers_cancel_their_own_orders() -> None:
    order = an_order(OrderStatus.PROCESSING)
    uow = FakeUnitOfWork(order)

    commands.cancel_order(order.id, by=order.customer_id, uow=uow)

    assert uow.order(order.id).cancel_reason is CancelReason.CUSTOMER
    assert [type(event) for event in uow.outbox] == [OrderCancelled, RefundRequested]


@pytest.mark.parametrize("order_id", ["somebody else's", "nobody's"])
def test_a_strangers_order_is_not_found(order_id: str) -> None:
    order = an_order()
    uow = FakeUnitOfWork(order)
    wanted = order.id if order_id == "somebody else's" else uuid4()

    with pytest.raises(OrderNotFound):
        commands.cancel_order(wanted, by=uuid4(), uow=uow)

    assert uow.outbox == []


@pytest.mark.parametrize("status", [OrderStatus.SHIPPED, OrderStatus.COMPLETED])
def test_what_has_left_cannot_be_cancelled_by_the_customer(status: OrderStatus) -> None:
    order = an_order(status)
    uow = FakeUnitOfWork(order)

    with pytest.raises(NotCancellable, match=status):
        commands.cancel_order(order.id, by=order.customer_id, uow=uow)


def test_staff_ship_complete_and_cancel_in_their_own_name() -> None:
    paid, shipped, other = (
        an_order(OrderStatus.PROCESSING),
        an_order(OrderStatus.SHIPPED),
        an_order(OrderStatus.PROCESSING),
    )
    uow = FakeUnitOfWork(paid, shipped, other)
    by = "staff 0190-bola"

    commands.ship_order(paid.id, Tracking("GIG", "GIG-9"), by=by, precondition=any_version, uow=uow)
    commands.complete_order(shipped.id, by=by, precondition=any_version, uow=uow)
    commands.cancel_for_staff(other.id, "broken", by=by, precondition=any_version, uow=uow)

    assert uow.order(paid.id).tracking == Tracking("GIG", "GIG-9")
    assert uow.order(shipped.id).status is OrderStatus.COMPLETED
    assert uow.order(other.id).cancel_reason is CancelReason.STAFF
    assert [(entry.type, entry.detail) for entry in uow.told_history if entry.actor == by] == [
        ("shipped", "GIG GIG-9"),
        ("completed", None),
        ("cancelled", "broken"),
    ]


def test_staff_who_have_seen_another_version_change_nothing() -> None:
    order = an_order(OrderStatus.PROCESSING)
    uow = FakeUnitOfWork(order)

    with pytest.raises(SeenAnotherVersion):
        commands.ship_order(order.id, None, by="staff", precondition=only_version(9), uow=uow)

    assert uow.order(order.id).status is OrderStatus.PROCESSING
    assert uow.outbox == []


def test_staff_cannot_ship_what_is_not_paid() -> None:
    order = an_order(OrderStatus.AWAITING_PAYMENT)
    uow = FakeUnitOfWork(order)

    with pytest.raises(IllegalTransition):
        commands.ship_order(order.id, None, by="staff", precondition=any_version, uow=uow)

    assert uow.outbox == []
