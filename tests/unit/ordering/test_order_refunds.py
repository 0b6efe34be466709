"""Money on its way back, as an order sees it: what is back of what was paid, told in any order."""

from uuid import UUID, uuid4

import pytest

from oja_events.contracts.ordering import OrderCancelled
from ordering.domain.order import Order, OrderStatus, PaymentStatus
from tests.support.ordering import NOW, REFERENCE, an_order, naira
from tests.unit.ordering.test_order import cancel, kinds, pay

PLACED, AWAITING, PROCESSING, SHIPPED, COMPLETED, CANCELLED = OrderStatus


def money_back(
    order: Order, reference: str = REFERENCE, *, share: int = 1, refund_id: UUID | None = None
) -> None:
    """The news that a part of the order's money is back: one half if `share` is 2."""
    amount = naira(order.total.amount // share)
    order.note_refund(refund_id or uuid4(), reference, amount, now=NOW)


def test_a_refund_is_shown_when_the_money_is_back() -> None:
    order = an_order(CANCELLED)

    money_back(order)

    assert order.payment_status is PaymentStatus.REFUNDED
    assert [entry.type for entry in order.pull_history()] == ["refunded"]


def test_a_refund_told_twice_is_noted_once() -> None:
    order, refund_id = an_order(CANCELLED), uuid4()
    money_back(order, share=2, refund_id=refund_id)
    order.pull_history()

    money_back(order, share=2, refund_id=refund_id)

    assert order.pull_history() == []
    assert order.payment_status is PaymentStatus.REFUND_PENDING


def test_an_order_is_refunded_when_all_of_its_parts_are_back() -> None:
    """Staff sent back a part before the customer cancelled: ordering asks for all, payments sends
    what is left."""
    order = an_order(PROCESSING)
    money_back(order, share=2)
    assert order.payment_status is PaymentStatus.PAID
    cancel(order)
    assert order.payment_status is PaymentStatus.REFUND_PENDING

    money_back(order, share=2)

    assert order.payment_status is PaymentStatus.REFUNDED


def test_a_part_that_staff_sent_back_leaves_the_order_paid() -> None:
    order = an_order(PROCESSING)

    money_back(order, share=2)

    assert (order.status, order.payment_status) == (PROCESSING, PaymentStatus.PAID)
    assert order.pull_events() == []


def test_an_order_of_which_staff_sent_all_money_back_gives_its_stock_back_too() -> None:
    order = an_order(PROCESSING)

    money_back(order)

    assert (order.status, order.payment_status) == (CANCELLED, PaymentStatus.REFUNDED)
    assert kinds(order) == [OrderCancelled]


def test_a_parcel_that_has_left_stays_sold_when_its_money_is_back() -> None:
    order = an_order(SHIPPED)

    money_back(order)

    assert (order.status, order.payment_status) == (SHIPPED, PaymentStatus.REFUNDED)
    assert order.pull_events() == []


@pytest.mark.parametrize("status", [PLACED, AWAITING])
def test_money_that_was_back_before_it_was_told_of_pays_nothing(status: OrderStatus) -> None:
    order = an_order(status)
    money_back(order)

    pay(order, REFERENCE)

    assert (order.status, order.payment_status) == (CANCELLED, PaymentStatus.REFUNDED)
    assert order.pull_events()[-1].TYPE == OrderCancelled.TYPE


def test_late_money_that_was_back_before_it_was_told_of_is_shown_as_refunded() -> None:
    order = an_order(CANCELLED, paid=False)
    money_back(order)

    pay(order, REFERENCE)

    assert order.payment_status is PaymentStatus.REFUNDED


def test_money_that_payments_sent_back_as_misfit_changes_nothing() -> None:
    order = an_order(AWAITING)

    money_back(order, "another")

    assert (order.status, order.payment_status) == (AWAITING, PaymentStatus.UNPAID)


def test_the_refund_of_a_second_payment_does_not_pass_for_that_of_the_first() -> None:
    order = an_order(PROCESSING)
    pay(order, "second")
    cancel(order)

    seen = []
    for reference in ("second", REFERENCE):
        money_back(order, reference)
        seen.append(order.payment_status)

    assert seen == [PaymentStatus.REFUND_PENDING, PaymentStatus.REFUNDED]


def test_the_refund_of_a_second_payment_leaves_the_order_paid() -> None:
    order = an_order(PROCESSING)
    pay(order, "second")
    order.pull_history()

    money_back(order, "second")

    assert order.payment_status is PaymentStatus.PAID
    assert [entry.type for entry in order.pull_history()] == ["refunded"]
