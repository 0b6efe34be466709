"""Asking Paystack to send money back, when answers get lost or are not what one hopes for."""

from datetime import timedelta

import pytest

from payments.domain.charge import ChargeState
from payments.domain.refund import Refund, RefundStatus
from payments.domain.values import Money
from payments.use_cases import refunding
from payments.use_cases.errors import ProviderRefused, ProviderUnavailable, ProviderUnclear
from payments.use_cases.ports import ProviderRefund
from tests.unit.payments.fakes import (
    NOW,
    PRICE,
    Books,
    FakePaystack,
    FakeUnitOfWork,
    FakeUnitsOfWork,
    a_charge,
    a_payment,
    an_order,
)

HALF = Money(PRICE.amount // 2, "NGN")


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def paystack() -> FakePaystack:
    return FakePaystack()


@pytest.fixture
def reference(books: Books) -> str:
    payment = a_payment()
    payment.learn(a_charge(payment, ChargeState.CAPTURED), mode="test", now=NOW)
    payment.pull_events()
    books.learn(an_order(payment.bill), payment)
    return payment.reference


def request(books: Books, reference: str, amount: Money | None = HALF) -> Refund:
    return refunding.request_by_staff(
        reference, amount, "broken", by="staff", uow=FakeUnitOfWork(books)
    )


def advance(books: Books, paystack: FakePaystack, later: timedelta = timedelta(0)) -> None:
    uow = FakeUnitsOfWork(books, NOW + later)
    refunding.advance(unit_of_work=uow, provider=paystack)


def test_a_lost_answer_is_looked_for_before_asking_again(
    books: Books, paystack: FakePaystack, reference: str
):
    refund = request(books, reference)
    paystack.breaks("refund", ProviderUnclear("cut"), after=True)

    advance(books, paystack)
    advance(books, paystack, timedelta(minutes=2))

    assert len(paystack.refunds_made) == 1
    assert books.refunds[refund.id].provider_id == 1


def test_what_paystack_may_still_be_at_is_given_a_minute(
    books: Books, paystack: FakePaystack, reference: str
):
    refund = request(books, reference)
    paystack.breaks("refund", ProviderUnclear("slow"))

    advance(books, paystack)
    advance(books, paystack, timedelta(seconds=59))
    assert paystack.refunds_made == []
    advance(books, paystack, timedelta(seconds=61))

    assert [each.note for each in paystack.refunds_made] == [refund.note]


def test_a_refusal_because_the_first_request_was_done_after_all_is_none(
    books: Books, reference: str
):
    refund = request(books, reference)

    class Slow(FakePaystack):
        """Does the first request only when the second one comes."""

        def refund(self, refund: Refund) -> ProviderRefund:
            if refund.looks == 1:
                raise ProviderUnclear("slow")
            super().refund(refund)
            raise ProviderRefused("Transaction has been fully reversed")

    paystack = Slow()
    advance(books, paystack)
    advance(books, paystack, timedelta(minutes=2))

    assert books.refunds[refund.id].provider_id == 1
    assert books.outbox == []


def test_of_two_equal_refunds_each_finds_its_own(
    books: Books, paystack: FakePaystack, reference: str
):
    first, second = request(books, reference), request(books, reference)
    for _ in range(2):
        paystack.breaks("refund", ProviderUnclear("cut"), after=True)

    advance(books, paystack)
    paystack.refunds_made.reverse()
    paystack.refunds_made = [
        ProviderRefund(number, each.status, each.amount, each.note)
        for number, each in enumerate(paystack.refunds_made, 1)
    ]
    advance(books, paystack, timedelta(minutes=2))

    notes = {each.id: each.note for each in paystack.refunds_made}
    for refund in (first, second):
        found = books.refunds[refund.id].provider_id
        assert found is not None
        assert notes[found] == refund.note
    assert len(paystack.refunds_made) == 2


def test_a_refund_that_lost_its_note_is_recognised_by_its_amount(
    books: Books, paystack: FakePaystack, reference: str
):
    refund = request(books, reference)
    paystack.breaks("refund", ProviderUnclear("cut"), after=True)
    advance(books, paystack)
    paystack.refunds_made = [ProviderRefund(1, RefundStatus.PROCESSED, HALF.amount, "")]

    advance(books, paystack, timedelta(minutes=2))

    assert books.refunds[refund.id].status is RefundStatus.PROCESSED


def test_a_refund_that_had_to_wait_for_others_is_asked_for_by_one_worker_only(
    books: Books, reference: str
):
    quarter = Money(PRICE.amount // 4, "NGN")
    wanted = [request(books, reference, quarter) for _ in range(4)]
    units_of_work = FakeUnitsOfWork(books)

    class SlowPaystack(FakePaystack):
        """Another worker comes along while the last refund is being asked for."""

        is_alone = True

        def refund(self, refund: Refund) -> ProviderRefund:
            units_of_work.now += timedelta(seconds=20)
            if self.is_alone and refund.id == wanted[-1].id:
                self.is_alone = False
                refunding.advance(unit_of_work=units_of_work, provider=self)
            return super().refund(refund)

    paystack = SlowPaystack()
    refunding.advance(unit_of_work=units_of_work, provider=paystack)

    assert [each.note for each in paystack.refunds_made] == [each.note for each in wanted]


def test_a_refund_waits_while_paystack_is_away(
    books: Books, paystack: FakePaystack, reference: str
):
    refund = request(books, reference)
    paystack.breaks("refund", ProviderUnavailable("away"))

    advance(books, paystack)

    assert books.refunds[refund.id].status is RefundStatus.PENDING
    assert books.outbox == []


def test_a_balance_that_is_too_low_is_an_alert_and_tried_again(
    books: Books, paystack: FakePaystack, reference: str
):
    refund = request(books, reference)
    paystack.breaks("refund", ProviderRefused("Insufficient balance", "insufficient_balance"))

    advance(books, paystack)
    assert list(books.alerts) == [("refund_refused", str(refund.id))]
    advance(books, paystack, timedelta(minutes=2))

    assert len(paystack.refunds_made) == 1


def test_a_refusal_ends_the_refund_and_frees_its_money(
    books: Books, paystack: FakePaystack, reference: str
):
    request(books, reference, None)
    paystack.breaks("refund", ProviderRefused("Transaction has been fully reversed"))

    advance(books, paystack)

    assert [event.TYPE.split(".")[2] for event in books.outbox] == ["refund_failed"]
    request(books, reference, None)
