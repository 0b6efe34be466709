from dataclasses import replace
from datetime import timedelta

import pytest

from payments.domain.charge import ChargeState
from payments.domain.order import GRACE, OrderState
from payments.domain.payment import Payment
from payments.use_cases import deadlines
from payments.use_cases.errors import ProviderUnavailable
from tests.unit.payments.fakes import NOW, Books, FakePaystack, FakeUnitsOfWork, a_payment, an_order

LATE = NOW + timedelta(minutes=31)


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def paystack() -> FakePaystack:
    return FakePaystack()


@pytest.fixture
def payment(books: Books, paystack: FakePaystack) -> Payment:
    """Opened, and not paid so far."""
    payment = a_payment()
    paystack.initialize(payment)
    books.learn(an_order(payment.bill), payment)
    return payment


def sweep(books: Books, paystack: FakePaystack, at=LATE) -> list[str]:
    deadlines.sweep(unit_of_work=FakeUnitsOfWork(books, at), provider=paystack)
    return [event.TYPE.split(".")[2] for event in books.outbox]


def test_an_unpaid_order_fails_when_paystack_knows_of_no_money(
    books: Books, paystack: FakePaystack, payment: Payment
):
    assert sweep(books, paystack) == ["payment_failed"]
    assert sweep(books, paystack) == ["payment_failed"]


def test_a_reference_that_paystack_never_heard_of_brought_no_money(
    books: Books, paystack: FakePaystack, payment: Payment
):
    paystack.charges.clear()

    assert sweep(books, paystack) == ["payment_failed"]


def test_money_is_found_before_the_order_is_given_up(
    books: Books, paystack: FakePaystack, payment: Payment
):
    paystack.come_to(payment.reference, ChargeState.CAPTURED)

    assert sweep(books, paystack) == ["payment_confirmed"]


def test_unknown_means_wait(books: Books, paystack: FakePaystack, payment: Payment):
    paystack.breaks("charge", ProviderUnavailable("away"))

    assert sweep(books, paystack) == []
    assert books.orders[payment.bill.order_id].state is OrderState.PAYABLE


def test_one_order_that_waits_does_not_hold_up_the_others(books: Books, paystack: FakePaystack):
    for _ in range(2):
        payment = a_payment()
        books.learn(an_order(payment.bill), payment)
    paystack.breaks("charge", ProviderUnavailable("away"))

    assert sweep(books, paystack) == ["payment_failed"]


def test_money_under_way_gets_more_time_but_not_for_ever(
    books: Books, paystack: FakePaystack, payment: Payment
):
    charge = paystack.charges[payment.reference]
    paystack.charges[payment.reference] = replace(charge, state=ChargeState.MOVING)

    assert sweep(books, paystack) == []
    assert sweep(books, paystack, at=LATE + GRACE) == ["payment_failed"]
