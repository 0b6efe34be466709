"""Opening a payment when things go wrong between us and Paystack."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from payments.adapters.lookout import Lookout
from payments.domain.charge import ChargeState
from payments.domain.order import ClosedReason, OrderNotPayable, OrderNotReady, OrderState
from payments.domain.payment import OPENING_LEASE, Payment, PaymentStatus
from payments.domain.values import Bill
from payments.use_cases import opening, ports
from payments.use_cases.errors import (
    OrderNotFound,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnclear,
)
from payments.use_cases.ports import Page, Standing
from tests.unit.payments.fakes import (
    NOW,
    Books,
    FakePaystack,
    FakeUnitsOfWork,
    a_bill,
    a_charge,
    a_payment,
    an_order,
)


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def paystack() -> FakePaystack:
    return FakePaystack()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "STOCK_PATIENCE", 0)


class NoPlaceLeft:
    """A lookout with too many in it."""

    def wait(self, *_: object) -> None:
        return None


def pay(
    books: Books, paystack: FakePaystack, bill: Bill, lookout: ports.Lookout | None = None
) -> Payment:
    units_of_work = FakeUnitsOfWork(books)
    return opening.pay(
        bill.order_id,
        bill.customer_id,
        None,
        unit_of_work=units_of_work,
        provider=paystack,
        lookout=lookout or Lookout(units_of_work, places=2, every=0.001),
    )


def payable(books: Books) -> Bill:
    bill = a_bill()
    books.learn(an_order(bill))
    return bill


def statuses(books: Books) -> list[str]:
    return [payment.status.value for payment in books.payments.values()]


def test_the_attempt_is_on_record_before_paystack_is_called(books: Books, paystack: FakePaystack):
    bill = payable(books)
    paystack.breaks("initialize", RuntimeError("the process dies"))

    with pytest.raises(RuntimeError):
        pay(books, paystack, bill)

    (payment,) = books.payments.values()
    assert payment.is_pending
    assert payment.opening_until is not None


def test_a_dead_process_leaves_nothing_that_the_next_one_cannot_take_up(
    books: Books, paystack: FakePaystack
):
    bill = payable(books)
    left = a_payment(bill)
    paystack.initialize(left)
    books.learn(left)  # its page was lost with the process

    payment = pay(books, paystack, bill)

    assert payment.attempt == 2
    assert statuses(books) == ["abandoned", "pending"]


def test_a_lost_answer_to_a_request_that_was_done_takes_the_next_reference(
    books: Books, paystack: FakePaystack
):
    bill = payable(books)
    paystack.breaks("initialize", ProviderUnclear("cut"), after=True)

    payment = pay(books, paystack, bill)

    assert payment.attempt == 2
    assert statuses(books) == ["abandoned", "pending"]


def test_a_lost_answer_to_a_request_that_never_arrived_keeps_the_reference(
    books: Books, paystack: FakePaystack
):
    bill = payable(books)
    paystack.breaks("initialize", ProviderUnclear("cut"))

    assert pay(books, paystack, bill).attempt == 1
    assert statuses(books) == ["pending"]


def test_without_a_word_from_paystack_nothing_new_is_opened(books: Books, paystack: FakePaystack):
    bill = payable(books)
    paystack.breaks("initialize", ProviderUnclear("cut"), after=True)
    paystack.breaks("charge", ProviderUnavailable("away"))

    with pytest.raises(ProviderUnavailable):
        pay(books, paystack, bill)

    assert statuses(books) == ["pending"]
    assert [payment.opening_until for payment in books.payments.values()] == [None]


def test_a_lost_answer_may_hide_that_the_order_was_paid(books: Books, paystack: FakePaystack):
    bill = payable(books)
    left = a_payment(bill)
    paystack.initialize(left)
    paystack.come_to(left.reference, ChargeState.CAPTURED)
    books.learn(left)

    with pytest.raises(OrderNotPayable):
        pay(books, paystack, bill)

    assert statuses(books) == ["succeeded"]
    assert len(books.outbox) == 1


def test_a_reference_that_paystack_has_for_another_order_is_passed_over(
    books: Books, paystack: FakePaystack
):
    bill = payable(books)
    theirs = a_payment(bill)
    paystack.charges[theirs.reference] = a_charge(theirs, order_id="another")

    payment = pay(books, paystack, bill)

    assert payment.attempt == 2
    assert statuses(books) == ["disputed", "pending"]
    assert list(books.alerts) == [("charge_mismatch", theirs.reference)]


def test_what_paystack_does_not_accept_cannot_be_paid(books: Books, paystack: FakePaystack):
    bill = payable(books)
    paystack.breaks("initialize", ProviderRefused("Invalid Amount Sent"))

    with pytest.raises(OrderNotPayable):
        pay(books, paystack, bill)


def test_an_order_that_is_cancelled_while_it_is_opened_cannot_be_paid(
    books: Books, paystack: FakePaystack, monkeypatch: pytest.MonkeyPatch
):
    bill = payable(books)
    open_at_paystack = paystack.initialize

    def meanwhile(payment: Payment):
        order = an_order(bill, OrderState.WAITING)
        order.close(ClosedReason.CANCELLED)
        abandoned = books.payments[payment.reference]
        abandoned.abandon()
        books.learn(order, abandoned)
        return open_at_paystack(payment)

    monkeypatch.setattr(paystack, "initialize", meanwhile)

    with pytest.raises(OrderNotPayable):
        pay(books, paystack, bill)
    assert statuses(books) == [PaymentStatus.ABANDONED]


def test_somebody_elses_order_does_not_exist(books: Books, paystack: FakePaystack):
    bill = payable(books)

    with pytest.raises(OrderNotFound):
        pay(books, paystack, a_bill(order_id=bill.order_id))


def test_an_order_whose_news_is_on_its_way_is_not_ready(books: Books, paystack: FakePaystack):
    with pytest.raises(OrderNotReady):
        pay(books, paystack, a_bill())


def test_an_order_with_an_id_that_nobody_gave_out_just_now_does_not_exist(
    books: Books, paystack: FakePaystack
):
    with pytest.raises(OrderNotFound):
        pay(books, paystack, a_bill(order_id=uuid4()))


def test_when_many_wait_already_the_next_is_told_to_come_back_at_once(
    books: Books, paystack: FakePaystack
):
    with pytest.raises(OrderNotReady):
        pay(books, paystack, a_bill(), NoPlaceLeft())


def test_who_finds_no_place_to_wait_for_somebody_elses_opening_is_told_to_come_back_at_once(
    books: Books, paystack: FakePaystack
):
    bill = payable(books)
    payment = a_payment(bill)
    payment.claim_opening(NOW)
    books.learn(payment)

    with pytest.raises(ProviderUnavailable):
        pay(books, paystack, bill, NoPlaceLeft())
    assert paystack.asked == []


def test_who_waited_for_somebody_elses_opening_gets_the_same_page(
    books: Books, paystack: FakePaystack
):
    bill = payable(books)
    opened = a_payment(bill)
    opened.claim_opening(NOW)
    books.learn(opened)

    class Meanwhile:
        """The other one is done by the next look."""

        def wait(
            self, order_id: UUID, seconds: float, fits: Callable[[Standing], bool]
        ) -> Standing | None:
            order = books.orders[order_id]
            assert not fits(Standing(order, opened, NOW))
            opened.opened("https://checkout.example.com/1", "code")
            seen = Standing(order, opened, NOW)
            return seen if fits(seen) else None

    assert pay(books, paystack, bill, Meanwhile()) == opened


def test_who_has_to_ask_a_second_time_has_the_payment_for_as_long_as_that_may_take(books: Books):
    bill = payable(books)
    units_of_work = FakeUnitsOfWork(books)

    with pytest.raises(ProviderUnavailable):
        opening.pay(
            bill.order_id,
            bill.customer_id,
            None,
            unit_of_work=units_of_work,
            provider=Dying(units_of_work, books),
            lookout=Lookout(units_of_work, places=2, every=0.001),
        )


def test_who_asks_for_a_page_after_a_look_has_the_payment_for_as_long_as_that_may_take(
    books: Books,
):
    bill = payable(books)
    books.learn(a_payment(bill))  # begun by a process that died
    units_of_work = FakeUnitsOfWork(books)
    seen = []

    class Slow(FakePaystack):
        def charge(self, reference: str, *, patience: float | None = None) -> None:
            units_of_work.now += timedelta(seconds=8)

        def initialize(self, payment: Payment) -> Page:
            seen.append(books.payments[payment.reference].opening_until)
            return super().initialize(payment)

    opening.pay(
        bill.order_id,
        bill.customer_id,
        None,
        unit_of_work=units_of_work,
        provider=Slow(),
        lookout=NoPlaceLeft(),
    )

    assert seen == [NOW + timedelta(seconds=8) + OPENING_LEASE]


class Dying:
    """Paystack, as long as the process that asks lives: its second question is its last."""

    mode = "test"

    def __init__(self, units_of_work: FakeUnitsOfWork, books: Books) -> None:
        self._units_of_work = units_of_work
        self._books = books

    def initialize(self, payment: Payment) -> Page:
        self._units_of_work.now += timedelta(seconds=8)
        raise ProviderUnclear("cut")

    def charge(self, reference: str, *, patience: float | None = None) -> None:
        left = self._books.payments[reference].opening_until
        assert left == NOW + timedelta(seconds=8) + OPENING_LEASE
        raise ProviderUnavailable("away")
