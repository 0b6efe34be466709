"""The life of one order: every move that it may make, and every one that it may not."""

from collections.abc import Callable

import pytest

from oja_events.contracts.ordering import (
    OrderCancelled,
    OrderCompleted,
    OrderPaid,
    OrderPlaced,
    OrderShipped,
    RefundRequested,
)
from ordering.domain.order import (
    CancelReason,
    IllegalTransition,
    Order,
    OrderStatus,
    PaymentStatus,
)
from ordering.domain.values import Money, Tracking
from tests.support.ordering import (
    NOW,
    REFERENCE,
    WINDOW,
    a_line,
    a_new_order,
    an_order,
    naira,
)

Verb = Callable[[Order], None]

PLACED, AWAITING, PROCESSING, SHIPPED, COMPLETED, CANCELLED = OrderStatus


def hold(order: Order) -> None:
    order.hold_stock(now=NOW)


def pay(order: Order, reference: str = "ref-2") -> None:
    order.confirm_payment(reference, order.total, now=NOW)


def ship(order: Order) -> None:
    order.ship(order.tracking or Tracking("GIG", "GIG-7"), by="staff", now=NOW)


def complete(order: Order) -> None:
    order.complete(by="staff", now=NOW)


def cancel(order: Order) -> None:
    order.cancel(CancelReason.CUSTOMER, by="customer", now=NOW)


def kinds(order: Order) -> list[type]:
    return [type(event) for event in order.pull_events()]


# From each status, what each verb leads to; None stands for a refusal.
LIFE: dict[Verb, dict[OrderStatus, OrderStatus | None]] = {
    hold: {
        PLACED: AWAITING,
        AWAITING: AWAITING,
        PROCESSING: PROCESSING,
        SHIPPED: SHIPPED,
        COMPLETED: COMPLETED,
        CANCELLED: CANCELLED,
    },
    pay: {
        PLACED: PLACED,
        AWAITING: PROCESSING,
        PROCESSING: PROCESSING,
        SHIPPED: SHIPPED,
        COMPLETED: COMPLETED,
        CANCELLED: CANCELLED,
    },
    ship: {
        PLACED: None,
        AWAITING: None,
        PROCESSING: SHIPPED,
        SHIPPED: SHIPPED,
        COMPLETED: None,
        CANCELLED: None,
    },
    complete: {
        PLACED: None,
        AWAITING: None,
        PROCESSING: None,
        SHIPPED: COMPLETED,
        COMPLETED: COMPLETED,
        CANCELLED: None,
    },
    cancel: {
        PLACED: CANCELLED,
        AWAITING: CANCELLED,
        PROCESSING: CANCELLED,
        SHIPPED: None,
        COMPLETED: None,
        CANCELLED: CANCELLED,
    },
}


@pytest.mark.parametrize("verb", LIFE, ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("status", OrderStatus)
def test_s39_every_verb_from_every_status(verb: Verb, status: OrderStatus) -> None:
    order, expected = an_order(status), LIFE[verb][status]

    if expected is None:
        with pytest.raises(IllegalTransition):
            verb(order)
        assert (order.status, order.pull_events(), order.pull_history()) == (status, [], [])
    else:
        verb(order)
        assert order.status is expected


@pytest.mark.parametrize("verb", [ship, complete, cancel], ids=lambda verb: verb.__name__)
def test_doing_it_again_changes_nothing_and_tells_nothing(verb: Verb) -> None:
    order = an_order(SHIPPED if verb is complete else PROCESSING)
    verb(order)
    order.pull_events()
    order.pull_history()

    verb(order)

    assert order.pull_events() == []
    assert order.pull_history() == []


def test_a_new_order_tells_what_was_bought_for_how_much_and_until_when_to_pay() -> None:
    order = a_new_order(lines=(a_line("MUG", quantity=2, price=100), a_line("CAP", quantity=1)))

    [event] = order.pull_events()

    assert isinstance(event, OrderPlaced)
    assert event.total.amount == order.total.amount == 2 * 100 + 250_000
    assert [line.sku for line in event.lines] == ["MUG", "CAP"]
    assert event.pay_before == NOW + WINDOW
    assert event.contact.email == "ada@example.com"


def test_events_are_handed_over_once() -> None:
    order = a_new_order()

    assert len(order.pull_events()) == 1
    assert order.pull_events() == []


def test_money_after_the_stock_news_starts_processing() -> None:
    order = an_order(AWAITING)

    pay(order)

    assert order.payment_status is PaymentStatus.PAID
    assert order.paid_at == NOW
    assert kinds(order) == [OrderPaid]


def test_money_before_the_stock_news_is_kept_until_that_comes() -> None:
    order = an_order(PLACED)
    pay(order)
    assert (order.status, kinds(order)) == (PLACED, [])

    hold(order)

    assert order.status is PROCESSING
    assert kinds(order) == [OrderPaid]


def test_the_timeline_names_the_stock_before_the_processing_that_it_allowed() -> None:
    order = an_order(PLACED)
    pay(order)
    hold(order)

    assert [entry.type for entry in order.pull_history()] == [
        "paid",
        "stock_reserved",
        "processing",
    ]


def test_the_same_money_told_twice_counts_once() -> None:
    order = an_order(AWAITING)
    pay(order, REFERENCE)
    order.pull_events()

    pay(order, REFERENCE)

    assert order.pull_events() == []


@pytest.mark.parametrize("status", [PLACED, PROCESSING, SHIPPED, COMPLETED])
def test_a_second_payment_goes_back_and_the_order_stays_paid(status: OrderStatus) -> None:
    order = an_order(status)
    if status is PLACED:
        pay(order, REFERENCE)

    pay(order, "ref-2")

    [event] = order.pull_events()
    assert isinstance(event, RefundRequested)
    assert event.payment_reference == "ref-2"
    assert order.payment_status is PaymentStatus.PAID
    assert order.payment_reference == REFERENCE


def test_money_for_a_cancelled_order_goes_back() -> None:
    order = an_order(CANCELLED, paid=False)

    order.confirm_payment("late", naira(777), now=NOW)

    [event] = order.pull_events()
    assert isinstance(event, RefundRequested)
    assert (event.payment_reference, event.amount.amount) == ("late", 777)
    assert order.payment_status is PaymentStatus.REFUND_PENDING


def test_money_that_went_back_is_not_asked_back_again() -> None:
    order = an_order(CANCELLED, paid=False)
    pay(order, "late")
    order.pull_events()

    pay(order, "late")

    assert order.pull_events() == []


@pytest.mark.parametrize("status", [PLACED, AWAITING])
def test_cancelling_an_unpaid_order_moves_no_money(status: OrderStatus) -> None:
    order = an_order(status)

    cancel(order)

    [event] = order.pull_events()
    assert isinstance(event, OrderCancelled)
    assert event.was_paid is False
    assert order.payment_status is PaymentStatus.UNPAID


def test_cancelling_a_paid_order_gives_the_whole_money_back() -> None:
    order = an_order(PROCESSING)

    cancel(order)

    cancelled, refund = order.pull_events()
    assert isinstance(cancelled, OrderCancelled)
    assert isinstance(refund, RefundRequested)
    assert (cancelled.was_paid, cancelled.reason) == (True, "customer")
    assert (refund.payment_reference, refund.amount) == (REFERENCE, cancelled.total)
    assert order.payment_status is PaymentStatus.REFUND_PENDING


def test_money_that_overtook_the_news_of_no_stock_goes_back() -> None:
    order = an_order(PLACED)
    pay(order)

    order.cancel(CancelReason.OUT_OF_STOCK, by="catalog", now=NOW)

    assert kinds(order) == [OrderCancelled, RefundRequested]


def test_shipping_without_a_parcel_number_is_told_as_such() -> None:
    order = an_order(PROCESSING)

    order.ship(None, by="staff", now=NOW)

    [event] = order.pull_events()
    assert isinstance(event, OrderShipped)
    assert event.tracking is None


def test_shipping_and_completing_are_told() -> None:
    order = an_order(PROCESSING)

    ship(order)
    complete(order)

    assert kinds(order) == [OrderShipped, OrderCompleted]


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="USD"):
        naira(1) + Money(1, "USD")


def test_a_parcel_does_not_change_its_number_unnoticed() -> None:
    order = an_order(OrderStatus.PROCESSING)
    ship(order)

    with pytest.raises(IllegalTransition):
        order.ship(Tracking("another", "2"), by="staff", now=NOW)
