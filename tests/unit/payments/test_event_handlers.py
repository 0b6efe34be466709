"""The news of others, in any order and number."""

import itertools
from uuid import UUID

import pytest

from oja_events import contracts
from oja_events.contracts import Event
from oja_events.contracts.catalog import StockRejected, StockReserved
from oja_events.contracts.ordering import OrderCancelled, OrderPlaced, RefundRequested
from oja_events.contracts.payments import PaymentRefunded
from payments.domain.charge import ChargeState
from payments.domain.order import OrderState
from payments.domain.payment import Payment, PaymentStatus
from payments.domain.refund import NotRefundable, RefundStatus
from payments.domain.values import Bill
from payments.entrypoints.consumer import SUBSCRIPTIONS
from payments.use_cases.errors import PaymentNotFound
from tests.unit.payments.fakes import (
    NOW,
    PRICE,
    Books,
    FakeUnitOfWork,
    a_bill,
    a_charge,
    a_payment,
    an_order,
)


@pytest.fixture
def books() -> Books:
    return Books()


def hear(books: Books, *news: Event) -> None:
    for event in news:
        SUBSCRIPTIONS[type(event)](event, uow=FakeUnitOfWork(books))


def placed(bill: Bill) -> OrderPlaced:
    return OrderPlaced(
        order_id=bill.order_id,
        number=bill.number,
        customer_id=bill.customer_id,
        contact=bill.contact.told(),
        lines=(),
        total=bill.total.told(),
        placed_at=NOW,
        pay_before=bill.pay_before,
    )


def reserved(order_id: UUID) -> StockReserved:
    return StockReserved(order_id=order_id, lines=(), reserved_at=NOW)


def rejected(order_id: UUID) -> StockRejected:
    return StockRejected(order_id=order_id, shortages=(), rejected_at=NOW)


def cancelled(bill: Bill) -> OrderCancelled:
    return OrderCancelled(
        order_id=bill.order_id,
        number=bill.number,
        customer_id=bill.customer_id,
        contact=bill.contact.told(),
        lines=(),
        total=bill.total.told(),
        reason="customer",
        was_paid=False,
        cancelled_at=NOW,
    )


def refund_requested(payment: Payment, amount: int = PRICE.amount) -> RefundRequested:
    return RefundRequested(
        order_id=payment.bill.order_id,
        number=payment.bill.number,
        customer_id=payment.bill.customer_id,
        contact=payment.bill.contact.told(),
        payment_reference=payment.reference,
        amount=contracts.Money(amount=amount, currency="NGN"),
        reason="the order was cancelled",
        requested_at=NOW,
    )


def captured(books: Books) -> Payment:
    payment = a_payment()
    payment.learn(a_charge(payment, ChargeState.CAPTURED), mode="test", now=NOW)
    payment.pull_events()
    books.learn(an_order(payment.bill), payment)
    return payment


def test_an_order_is_payable_whichever_of_its_news_comes_first_or_twice():
    for order_of_news in itertools.permutations(range(3)):
        books, bill = Books(), a_bill()
        news = [placed(bill), reserved(bill.order_id), placed(bill)]

        hear(books, *(news[each] for each in order_of_news))

        assert books.orders[bill.order_id].payable_bill(NOW) == bill


def test_an_order_stays_closed_whichever_of_its_news_comes_first():
    for end in (cancelled, lambda bill: rejected(bill.order_id)):
        for order_of_news in itertools.permutations(range(3)):
            books, bill = Books(), a_bill()
            news = [placed(bill), reserved(bill.order_id), end(bill)]

            hear(books, *(news[each] for each in order_of_news))

            assert books.orders[bill.order_id].state is OrderState.CLOSED
            assert books.orders[bill.order_id].next_look_at is None


def test_a_cancellation_ends_the_payment_that_is_open(books: Books):
    payment = a_payment()
    books.learn(an_order(payment.bill), payment)

    hear(books, cancelled(payment.bill))

    assert books.payments[payment.reference].status is PaymentStatus.ABANDONED


def test_a_refund_is_asked_for_once_per_payment(books: Books):
    payment = captured(books)

    hear(books, refund_requested(payment), refund_requested(payment))

    (refund,) = books.refunds.values()
    assert (refund.amount, refund.reason) == (PRICE, "the order was cancelled")
    assert refund.next_look_at == NOW


def test_a_refund_is_never_more_than_what_is_left(books: Books):
    payment = captured(books)

    hear(books, refund_requested(payment, amount=PRICE.amount * 2))

    (refund,) = books.refunds.values()
    assert refund.amount == PRICE


def test_money_that_staff_had_sent_back_already_is_told_again(books: Books):
    payment = captured(books)
    hear(books, refund_requested(payment))
    (refund,) = books.refunds.values()
    by_staff = type(refund.kind).STAFF
    refund.kind = by_staff
    refund.found(1, RefundStatus.PROCESSED, now=NOW)
    refund.pull_events()
    books.learn(refund)

    hear(books, refund_requested(payment))

    assert len(books.refunds) == 1
    assert [type(event) for event in books.outbox] == [PaymentRefunded]


def test_a_refund_of_what_was_not_paid_is_refused(books: Books):
    payment = a_payment()
    books.learn(an_order(payment.bill), payment)

    with pytest.raises(NotRefundable):
        hear(books, refund_requested(payment))


def test_a_refund_of_an_unknown_payment_is_tried_again_later(books: Books):
    with pytest.raises(PaymentNotFound):
        hear(books, refund_requested(a_payment()))
