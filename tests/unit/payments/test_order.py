from datetime import timedelta

import pytest

from oja_events.contracts.payments import PaymentFailed
from payments.domain.order import (
    GRACE,
    ClosedReason,
    Order,
    OrderNotPayable,
    OrderNotReady,
    OrderState,
)
from payments.domain.values import Money
from tests.unit.payments.fakes import NOW, a_bill, an_order


def test_an_order_can_be_paid_once_it_is_known_and_its_stock_is_held():
    bill = a_bill()
    order = Order(id=bill.order_id)

    order.hold_stock()
    with pytest.raises(OrderNotReady):
        order.payable_bill(NOW)
    order.place(bill)

    assert order.payable_bill(NOW) == bill


def test_an_order_without_stock_news_is_not_ready():
    with pytest.raises(OrderNotReady):
        an_order(state=OrderState.WAITING).payable_bill(NOW)


def test_the_last_moment_to_pay_is_just_before_the_deadline():
    order = an_order()
    assert order.bill is not None

    order.payable_bill(order.bill.pay_before - timedelta(microseconds=1))
    with pytest.raises(OrderNotPayable):
        order.payable_bill(order.bill.pay_before)


def test_an_expired_order_is_refused_though_its_stock_news_never_came():
    order = an_order(state=OrderState.WAITING)

    with pytest.raises(OrderNotPayable):
        order.payable_bill(NOW + timedelta(hours=1))


@pytest.mark.parametrize("reason", list(ClosedReason))
def test_a_closed_order_stays_closed(reason: ClosedReason):
    order = an_order(state=OrderState.WAITING)
    order.close(reason)

    order.close(ClosedReason.CANCELLED)
    order.hold_stock()

    assert (order.state, order.closed_reason) == (OrderState.CLOSED, reason)
    with pytest.raises(OrderNotPayable):
        order.payable_bill(NOW)


def test_an_order_that_was_closed_before_it_was_heard_of_has_no_deadline():
    bill = a_bill()
    order = Order(id=bill.order_id)
    order.close(ClosedReason.CANCELLED)

    order.place(bill)

    assert order.next_look_at is None
    assert order.state is OrderState.CLOSED


def test_a_paid_order_cannot_be_paid_again():
    order = an_order()
    order.note_capture("oj-1-1")

    with pytest.raises(OrderNotPayable):
        order.payable_bill(NOW)
    assert order.next_look_at is None


def test_the_first_capture_is_the_one_that_pays():
    order = an_order()

    order.note_capture("oj-1-2")
    order.note_capture("oj-1-1")

    assert order.paid_reference == "oj-1-2"


def test_a_free_order_needs_no_payment():
    order = an_order(a_bill(total=Money(0, "NGN")))

    with pytest.raises(OrderNotPayable):
        order.payable_bill(NOW)


def test_expiry_is_told_once():
    order = an_order()

    order.expire(NOW)
    order.expire(NOW)

    (event,) = order.pull_events()
    assert isinstance(event, PaymentFailed)
    assert (event.order_id, event.reason) == (order.id, "expired")


def test_a_paid_order_does_not_expire():
    order = an_order()
    order.note_capture("oj-1-1")

    order.expire(NOW)

    assert order.pull_events() == []
    assert order.state is OrderState.PAYABLE


def test_money_under_way_gets_a_little_more_time_and_then_no_more():
    order = an_order()
    assert order.bill is not None

    assert order.may_wait_for_money(order.bill.pay_before)
    assert not order.may_wait_for_money(order.bill.pay_before + GRACE)
