import pytest

from payments.domain.charge import ChargeState
from payments.domain.payment import Payment
from payments.use_cases import webhooks
from payments.use_cases.errors import ProviderUnavailable
from tests.unit.payments.fakes import (
    Books,
    FakePaystack,
    FakeUnitOfWork,
    FakeUnitsOfWork,
    a_payment,
    an_order,
)


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def paystack() -> FakePaystack:
    return FakePaystack()


@pytest.fixture
def payment(books: Books, paystack: FakePaystack) -> Payment:
    """Opened, and paid at Paystack."""
    payment = a_payment()
    paystack.initialize(payment)
    paystack.come_to(payment.reference, ChargeState.CAPTURED)
    books.learn(an_order(payment.bill), payment)
    return payment


def deliver(books: Books, paystack: FakePaystack, body: str) -> None:
    uow = FakeUnitOfWork(books)
    webhooks.receive(body.encode(), "request", uow=uow, provider=paystack)
    new = FakeUnitsOfWork(books)
    for webhook in webhooks.claim(unit_of_work=new):
        webhooks.apply(webhook, unit_of_work=new, provider=paystack)


def test_a_webhook_is_one_row_and_one_confirmation_however_often_it_comes(
    books: Books, paystack: FakePaystack, payment: Payment
):
    for _ in range(3):
        deliver(books, paystack, f"charge.success {payment.reference}")

    assert len(books.webhooks) == 1
    assert [event.TYPE.split(".")[2] for event in books.outbox] == ["payment_confirmed"]


def test_a_webhook_that_cannot_be_proven_now_stays_to_be_applied(
    books: Books, paystack: FakePaystack, payment: Payment
):
    paystack.breaks("charge", ProviderUnavailable("away"))

    with pytest.raises(ProviderUnavailable):
        deliver(books, paystack, f"charge.success {payment.reference}")

    assert books.outcomes == {}
    assert books.outbox == []


def test_a_webhook_about_a_payment_of_somebody_else_waits_for_nobody(
    books: Books, paystack: FakePaystack
):
    theirs = a_payment()
    paystack.initialize(theirs)
    paystack.breaks("charge", ProviderUnavailable("away"))

    deliver(books, paystack, f"charge.success {theirs.reference}")

    assert list(books.alerts) == [("unknown_reference", theirs.reference)]
    assert list(books.outcomes.values()) == ["refused"]


def test_a_dispute_is_an_alert(books: Books, paystack: FakePaystack, payment: Payment):
    deliver(books, paystack, f"charge.dispute.create {payment.reference}")

    assert [kind for kind, _ in books.alerts] == ["charge.dispute.create"]


def test_an_event_without_a_charge_is_an_alert(books: Books, paystack: FakePaystack):
    deliver(books, paystack, "charge.success unknown")

    assert [kind for kind, _ in books.alerts] == ["webhook_unreadable"]
