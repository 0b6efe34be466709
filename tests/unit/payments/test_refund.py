from datetime import timedelta

import pytest

from oja_events.contracts.payments import PaymentRefunded, RefundFailed
from payments.domain.charge import ChargeState
from payments.domain.payment import Payment
from payments.domain.refund import (
    NotRefundable,
    Refund,
    RefundKind,
    RefundStatus,
    public_status,
    refundable,
)
from payments.domain.values import Money
from tests.unit.payments.fakes import NOW, PRICE, a_charge, a_payment


def paid() -> Payment:
    payment = a_payment()
    payment.learn(a_charge(payment, ChargeState.CAPTURED), mode="test", now=NOW)
    return payment


def a_refund(payment: Payment, amount: int = PRICE.amount, looks: int = 1) -> Refund:
    return Refund(
        id=payment.id,
        reference=payment.reference,
        bill=payment.bill,
        kind=RefundKind.STAFF,
        amount=Money(amount, "NGN"),
        reason="broken",
        requested_by="staff",
        requested_at=NOW,
        looks=looks,
    )


def in_state(payment: Payment, status: RefundStatus, amount: int = PRICE.amount) -> Refund:
    refund = a_refund(payment, amount)
    refund.found(1, status, now=NOW)
    return refund


def test_money_that_is_back_is_told_once():
    refund = a_refund(paid())

    refund.found(1, RefundStatus.PROCESSED, now=NOW)
    refund.found(1, RefundStatus.PROCESSED, now=NOW)
    refund.found(1, RefundStatus.FAILED, now=NOW)

    (event,) = refund.pull_events()
    assert isinstance(event, PaymentRefunded)
    assert (event.refund_id, event.amount) == (refund.id, PRICE.told())
    assert refund.next_look_at is None


def test_a_refund_that_failed_is_told_once_and_stays_failed():
    refund = a_refund(paid())

    refund.found(1, RefundStatus.FAILED, now=NOW)
    refund.refuse("again", now=NOW)
    refund.found(1, RefundStatus.PROCESSED, now=NOW)

    (event,) = refund.pull_events()
    assert isinstance(event, RefundFailed)
    assert refund.status is RefundStatus.FAILED


def test_a_refund_that_needed_attention_can_still_end_well():
    refund = a_refund(paid())

    refund.found(1, RefundStatus.NEEDS_ATTENTION, now=NOW)
    refund.found(1, RefundStatus.PROCESSING, now=NOW)
    refund.found(1, RefundStatus.PROCESSED, now=NOW)

    assert len(refund.pull_events()) == 1


def test_looks_become_rarer():
    waits = []
    for looks in (1, 2, 5, 50):
        refund = a_refund(paid(), looks=looks)
        refund.look_later(NOW)
        assert refund.next_look_at is not None
        waits.append(refund.next_look_at - NOW)

    assert waits[:2] == [timedelta(seconds=5), timedelta(seconds=15)]
    assert waits[2:] == [timedelta(hours=1)] * 2


def test_news_during_a_look_has_another_one_follow_at_once():
    refund = a_refund(paid())
    refund.next_look_at = NOW  # as a webhook sets it

    refund.found(1, RefundStatus.PROCESSING, now=NOW)

    assert refund.next_look_at == NOW


def test_what_is_on_its_way_or_back_cannot_go_back_again():
    payment = paid()
    refunds = [in_state(payment, RefundStatus.PROCESSED, 100), a_refund(payment, 50)]

    assert refundable(payment, refunds) == Money(PRICE.amount - 150, "NGN")


def test_a_failed_refund_frees_its_money():
    payment = paid()

    assert refundable(payment, [in_state(payment, RefundStatus.FAILED)]) == PRICE


def test_what_was_not_paid_cannot_go_back():
    with pytest.raises(NotRefundable):
        refundable(a_payment(), [])


def test_clients_see_payment_and_refunds_in_one_word():
    payment = paid()

    assert public_status(a_payment(), []) == "pending"
    assert public_status(payment, []) == "succeeded"
    assert public_status(payment, [a_refund(payment)]) == "refund_pending"
    assert public_status(payment, [in_state(payment, RefundStatus.NEEDS_ATTENTION)]) == (
        "refund_pending"
    )
    assert public_status(payment, [in_state(payment, RefundStatus.FAILED)]) == "succeeded"
    assert public_status(payment, [in_state(payment, RefundStatus.PROCESSED, 1)]) == (
        "partially_refunded"
    )
    assert public_status(payment, [in_state(payment, RefundStatus.PROCESSED)]) == "refunded"


def test_money_that_does_not_fit_is_a_failed_payment_to_the_customer():
    payment = a_payment()
    charge = a_charge(payment, ChargeState.CAPTURED, amount=Money(1, "NGN"))
    payment.learn(charge, mode="test", now=NOW)

    assert public_status(payment, []) == "failed"
