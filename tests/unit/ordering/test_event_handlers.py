"""What ordering does about news: in order, repeated, early and late."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from oja_events.contracts import Contact, Money
from oja_events.contracts.catalog import ProductArchived, Shortage, StockRejected, StockReserved
from oja_events.contracts.ordering import OrderCancelled, OrderPaid, RefundRequested
from oja_events.contracts.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded
from ordering.domain.order import CancelReason, IllegalTransition, Order, OrderStatus, PaymentStatus
from ordering.use_cases import event_handlers
from ordering.use_cases.errors import OrderNotFound
from tests.support.ordering import NOW, REFERENCE, FakeUnitOfWork, an_order, product_changed

WRITER = Contact(email="ada@example.com", name="Ada Obi")


def stock_reserved(order_id: UUID) -> StockReserved:
    return StockReserved(order_id=order_id, lines=(), reserved_at=NOW)


def stock_rejected(order_id: UUID) -> StockRejected:
    shortages = (
        Shortage(sku="MUG", requested=2, available=1),
        Shortage(sku="CAP", requested=1, available=0),
    )
    return StockRejected(order_id=order_id, shortages=shortages, rejected_at=NOW)


def payment_confirmed(order: Order, reference: str = REFERENCE) -> PaymentConfirmed:
    return PaymentConfirmed(
        order_id=order.id,
        number=order.number,
        contact=WRITER,
        reference=reference,
        amount=Money(amount=order.total.amount, currency="NGN"),
        channel="card",
        paid_at=NOW,
    )


def payment_failed(order: Order) -> PaymentFailed:
    return PaymentFailed(
        order_id=order.id, number=order.number, contact=WRITER, reason="expired", failed_at=NOW
    )


def payment_refunded(order: Order, reference: str = REFERENCE) -> PaymentRefunded:
    return PaymentRefunded(
        order_id=order.id,
        number=order.number,
        contact=WRITER,
        reference=reference,
        refund_id=uuid4(),
        amount=Money(amount=order.total.amount, currency="NGN"),
        refunded_at=NOW,
    )


def test_an_order_with_its_stock_held_may_be_paid() -> None:
    order = an_order(OrderStatus.PLACED)
    uow = FakeUnitOfWork(order)

    event_handlers.stock_reserved(stock_reserved(order.id), uow=uow)

    assert uow.order(order.id).status is OrderStatus.AWAITING_PAYMENT


def test_stock_that_is_held_too_late_is_left_to_catalog() -> None:
    order = an_order(OrderStatus.CANCELLED)
    uow = FakeUnitOfWork(order)

    event_handlers.stock_reserved(stock_reserved(order.id), uow=uow)

    assert uow.order(order.id).status is OrderStatus.CANCELLED
    assert uow.outbox == []


def test_an_order_without_stock_is_cancelled_and_names_what_is_missing() -> None:
    order = an_order(OrderStatus.PLACED)
    uow = FakeUnitOfWork(order)

    event_handlers.stock_rejected(stock_rejected(order.id), uow=uow)

    assert uow.order(order.id).cancel_reason is CancelReason.OUT_OF_STOCK
    assert [type(event) for event in uow.outbox] == [OrderCancelled]
    assert uow.told_history[-1].detail == "out of stock: MUG, CAP"


def test_no_stock_for_an_order_that_was_cancelled_meanwhile_changes_nothing() -> None:
    order = an_order(OrderStatus.CANCELLED, paid=False)
    uow = FakeUnitOfWork(order)

    event_handlers.stock_rejected(stock_rejected(order.id), uow=uow)

    assert uow.order(order.id).cancel_reason is CancelReason.CUSTOMER
    assert uow.outbox == []


def test_no_stock_for_an_order_that_is_being_packed_is_refused_for_staff_to_see() -> None:
    order = an_order(OrderStatus.SHIPPED)
    uow = FakeUnitOfWork(order)

    with pytest.raises(IllegalTransition):
        event_handlers.stock_rejected(stock_rejected(order.id), uow=uow)


def test_confirmed_money_starts_the_processing() -> None:
    order = an_order(OrderStatus.AWAITING_PAYMENT)
    uow = FakeUnitOfWork(order)

    event_handlers.payment_confirmed(payment_confirmed(order), uow=uow)

    assert uow.order(order.id).status is OrderStatus.PROCESSING
    assert [type(event) for event in uow.outbox] == [OrderPaid]


def test_money_that_is_early_waits_for_the_stock_news() -> None:
    order = an_order(OrderStatus.PLACED)
    uow = FakeUnitOfWork(order)

    event_handlers.payment_confirmed(payment_confirmed(order), uow=uow)
    assert uow.outbox == []
    event_handlers.stock_reserved(stock_reserved(order.id), uow=uow)

    assert uow.order(order.id).status is OrderStatus.PROCESSING
    assert [type(event) for event in uow.outbox] == [OrderPaid]


def test_money_that_is_early_goes_back_when_there_is_no_stock() -> None:
    order = an_order(OrderStatus.PLACED)
    uow = FakeUnitOfWork(order)

    event_handlers.payment_confirmed(payment_confirmed(order), uow=uow)
    event_handlers.stock_rejected(stock_rejected(order.id), uow=uow)

    assert [type(event) for event in uow.outbox] == [OrderCancelled, RefundRequested]


def test_money_that_is_late_goes_back() -> None:
    order = an_order(OrderStatus.CANCELLED, paid=False)
    uow = FakeUnitOfWork(order)

    event_handlers.payment_confirmed(payment_confirmed(order), uow=uow)

    [refund] = uow.outbox
    assert isinstance(refund, RefundRequested)
    assert refund.payment_reference == REFERENCE


def test_money_that_is_told_of_again_is_not_counted_again() -> None:
    order = an_order(OrderStatus.AWAITING_PAYMENT)
    uow = FakeUnitOfWork(order)

    for _ in range(3):
        event_handlers.payment_confirmed(payment_confirmed(order), uow=uow)

    assert [type(event) for event in uow.outbox] == [OrderPaid]


@pytest.mark.parametrize("status", [OrderStatus.PLACED, OrderStatus.AWAITING_PAYMENT])
def test_an_order_that_nobody_paid_is_cancelled(status: OrderStatus) -> None:
    order = an_order(status)
    uow = FakeUnitOfWork(order)

    event_handlers.payment_failed(payment_failed(order), uow=uow)

    assert uow.order(order.id).cancel_reason is CancelReason.EXPIRED
    assert [type(event) for event in uow.outbox] == [OrderCancelled]


@pytest.mark.parametrize(
    "status", [OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.COMPLETED]
)
def test_no_money_told_of_after_the_money_changes_nothing(status: OrderStatus) -> None:
    order = an_order(status)
    uow = FakeUnitOfWork(order)

    event_handlers.payment_failed(payment_failed(order), uow=uow)

    assert uow.order(order.id).status is status
    assert uow.outbox == []


def test_no_money_told_of_after_money_that_waits_for_the_stock_changes_nothing() -> None:
    order = an_order(OrderStatus.PLACED)
    uow = FakeUnitOfWork(order)
    event_handlers.payment_confirmed(payment_confirmed(order), uow=uow)

    event_handlers.payment_failed(payment_failed(order), uow=uow)

    assert uow.order(order.id).status is OrderStatus.PLACED
    assert uow.order(order.id).payment_status is PaymentStatus.PAID


def test_money_that_is_back_is_shown() -> None:
    order = an_order(OrderStatus.CANCELLED)
    uow = FakeUnitOfWork(order)

    event_handlers.payment_refunded(payment_refunded(order), uow=uow)

    assert uow.order(order.id).payment_status is PaymentStatus.REFUNDED


def test_a_part_that_staff_sent_back_changes_nothing() -> None:
    order = an_order(OrderStatus.PROCESSING)
    uow = FakeUnitOfWork(order)
    part = Money(amount=1, currency="NGN")

    event_handlers.payment_refunded(replace(payment_refunded(order), amount=part), uow=uow)

    assert uow.order(order.id).payment_status is PaymentStatus.PAID
    assert uow.outbox == []


def test_an_order_of_which_staff_sent_all_money_back_is_cancelled() -> None:
    order = an_order(OrderStatus.PROCESSING)
    uow = FakeUnitOfWork(order)

    event_handlers.payment_refunded(payment_refunded(order), uow=uow)

    assert uow.order(order.id).status is OrderStatus.CANCELLED


def test_news_of_an_order_that_we_do_not_know_yet_is_an_error_so_that_it_comes_again() -> None:
    with pytest.raises(OrderNotFound):
        event_handlers.stock_reserved(stock_reserved(uuid4()), uow=FakeUnitOfWork())


def test_news_of_products_goes_to_the_copy_of_the_catalogue() -> None:
    uow, product_id = FakeUnitOfWork(), uuid4()
    changed = product_changed(product_id, {"MUG": (100, 3)})
    archived = ProductArchived(product_id=product_id, version=2, skus=("MUG",), archived_at=NOW)

    event_handlers.product_changed(changed, uow=uow)
    event_handlers.product_archived(archived, uow=uow)

    assert uow.offers.learned == [changed, archived]
