from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oja_events.contracts.payments import PaymentConfirmed
from payments.domain.charge import ChargeState
from payments.domain.payment import CHECK_AFTER, OPENING_LEASE, Payment, PaymentStatus
from payments.domain.values import Money
from tests.unit.payments.fakes import NOW, PRICE, a_bill, a_charge, a_payment


def hear(payment: Payment, state: ChargeState, **changes: Any) -> list[str]:
    return payment.learn(a_charge(payment, state, **changes), mode="test", now=NOW)


def test_the_reference_is_the_orders_number_and_the_attempt():
    assert a_payment(a_bill(number="OJ-100042"), attempt=2).reference == "oj-100042-2"


def test_a_capture_is_told_once_with_what_was_captured():
    payment = a_payment()

    assert hear(payment, ChargeState.CAPTURED) == []
    assert hear(payment, ChargeState.CAPTURED) == []

    (event,) = payment.pull_events()
    assert isinstance(event, PaymentConfirmed)
    assert (event.reference, event.amount) == (payment.reference, PRICE.told())
    assert (payment.status, payment.paid_at) == (PaymentStatus.SUCCEEDED, NOW)
    assert payment.next_check_at is None


@given(st.lists(st.sampled_from(list(ChargeState)), max_size=12))
def test_whatever_is_heard_in_whatever_order_money_counts_once(states: list[ChargeState]):
    payment = a_payment()

    for state in states:
        hear(payment, state)

    money = [state for state in states if state in (ChargeState.CAPTURED, ChargeState.RETURNED)]
    captured = money[:1] == [ChargeState.CAPTURED]
    assert len(payment.pull_events()) == captured
    assert (payment.status is PaymentStatus.SUCCEEDED) == captured


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": Money(PRICE.amount - 1, "NGN")}, "amount is 449999, not 450000"),
        ({"amount": Money(PRICE.amount + 1, "NGN")}, "amount is 450001, not 450000"),
        ({"amount": Money(PRICE.amount, "GHS")}, "currency is GHS, not NGN"),
        ({"mode": "live"}, "mode is live, not test"),
        ({"reference": "oj-1-1"}, "reference is oj-1-1"),
        ({"order_id": "1"}, "order is 1"),
    ],
)
def test_money_that_does_not_fit_is_disputed_and_not_told(changes: dict[str, Any], said: str):
    payment = a_payment()

    (problem,) = hear(payment, ChargeState.CAPTURED, **changes)

    assert problem.startswith(said)
    assert payment.status is PaymentStatus.DISPUTED
    assert payment.pull_events() == []


def test_metadata_that_got_lost_is_no_contradiction():
    payment = a_payment()

    assert hear(payment, ChargeState.CAPTURED, order_id=None) == []
    assert payment.status is PaymentStatus.SUCCEEDED


def test_money_that_went_back_before_we_heard_of_it_is_disputed():
    payment = a_payment()

    assert hear(payment, ChargeState.RETURNED)
    assert payment.status is PaymentStatus.DISPUTED


@pytest.mark.parametrize("state", [ChargeState.OPEN, ChargeState.MOVING])
def test_a_payment_that_may_still_be_paid_stays_pending(state: ChargeState):
    payment = a_payment()

    hear(payment, state)

    assert payment.is_pending


def test_a_failed_payment_may_still_succeed():
    payment = a_payment()

    hear(payment, ChargeState.FAILED)
    assert payment.status is PaymentStatus.FAILED
    hear(payment, ChargeState.CAPTURED)

    assert payment.status is PaymentStatus.SUCCEEDED


def test_an_abandoned_payment_stays_watched():
    payment = a_payment()

    payment.abandon()

    assert payment.status is PaymentStatus.ABANDONED
    assert payment.next_check_at is not None


def test_only_one_opens_a_payment_at_a_time():
    payment = a_payment()

    assert payment.claim_opening(NOW)
    assert not payment.claim_opening(NOW)
    assert payment.claim_opening(NOW + OPENING_LEASE)
    payment.opened("https://checkout.example.com/x", "x")
    assert not payment.claim_opening(NOW + timedelta(hours=1))


def test_the_planned_looks_end_after_three_days():
    payment = a_payment()
    planned = []
    while payment.next_check_at is not None:
        planned.append(payment.next_check_at - NOW)
        payment.count_check()

    assert tuple(planned) == CHECK_AFTER
    assert payment.status is PaymentStatus.ABANDONED
