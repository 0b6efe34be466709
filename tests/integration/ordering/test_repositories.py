"""What is kept of an order comes back as it was."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from ordering.domain.cart import Cart
from ordering.domain.order import Order, OrderStatus
from ordering.domain.values import Tracking
from ordering.use_cases.errors import OrderNotFound
from tests.integration.ordering.conftest import Ordering
from tests.support.ordering import LAGOS, NOW, a_line, a_new_order, an_offer, an_order


def keep(ordering: Ordering, order: Order) -> None:
    with ordering.deps.unit_of_work() as uow:
        uow.orders.add(order)
        uow.commit()


def kept(ordering: Ordering, order: Order) -> Order:
    with ordering.deps.unit_of_work() as uow:
        return uow.orders.get(order.id)


@pytest.mark.parametrize("status", OrderStatus)
def test_an_order_comes_back_as_it_was_added(ordering: Ordering, status: OrderStatus) -> None:
    order = an_order(status)
    order.note = "Ring twice"
    order.shipping_address = replace(LAGOS, line2="second floor", postal_code="100001")

    keep(ordering, order)

    assert kept(ordering, order) == replace(order, version=1)


def test_everything_that_happens_to_an_order_is_kept(ordering: Ordering) -> None:
    order = a_new_order(lines=(a_line("CAP", quantity=3), a_line("MUG", price=99)))
    keep(ordering, order)

    with ordering.deps.unit_of_work() as uow:
        order = uow.orders.get(order.id)
        order.hold_stock(now=NOW)
        order.confirm_payment("first", order.total, now=NOW)
        order.confirm_payment("second", order.total, now=NOW)
        order.ship(Tracking("GIG", "GIG-1", "https://gig.example/1"), by="staff", now=NOW)
        order.complete(by="staff", now=NOW)
        uow.orders.save(order)
        uow.commit()

    found = kept(ordering, order)
    assert found == order
    assert found.version == 2
    history = [entry.type for entry in ordering.deps.queries.history(order.id)]
    assert history == [
        "placed", "stock_reserved", "paid", "processing", "refund_requested", "shipped",
        "completed",
    ]  # fmt: skip


def test_what_nothing_happened_to_is_kept_all_the_same(ordering: Ordering) -> None:
    order = a_new_order()
    keep(ordering, order)

    with ordering.deps.unit_of_work() as uow:
        uow.orders.save(uow.orders.get(order.id))
        uow.commit()

    assert kept(ordering, order) == replace(order, version=2)
    assert len(ordering.deps.queries.history(order.id)) == 1


def test_an_unknown_order_is_not_found(ordering: Ordering) -> None:
    with pytest.raises(OrderNotFound):
        kept(ordering, a_new_order())


def test_numbers_are_given_once(ordering: Ordering) -> None:
    first, second = a_new_order(), a_new_order()
    second.number = first.number
    keep(ordering, first)

    with pytest.raises(IntegrityError, match="orders_number_key"):
        keep(ordering, second)


def test_a_change_by_somebody_who_did_not_lock_is_noticed(ordering: Ordering) -> None:
    order = a_new_order()
    keep(ordering, order)
    unlocked = ordering.deps.queries.order(order.id)

    with ordering.deps.unit_of_work() as uow:
        held = uow.orders.get(order.id)
        held.hold_stock(now=NOW)
        uow.orders.save(held)
        uow.commit()

    with pytest.raises(StaleDataError), ordering.deps.unit_of_work() as uow:
        uow.orders.save(unlocked)


def test_a_cart_comes_back_as_it_was_saved(ordering: Ordering) -> None:
    cart = Cart(uuid4())
    cart.add(an_offer("MUG", price=100), 2)
    cart.add(an_offer("CAP", price=50), 1)

    with ordering.deps.unit_of_work() as uow:
        uow.carts.get(cart.customer_id, "MUG")
        uow.carts.save(cart)
        uow.commit()

    with ordering.deps.unit_of_work() as uow:
        assert uow.carts.get(cart.customer_id, "MUG").cart == cart
