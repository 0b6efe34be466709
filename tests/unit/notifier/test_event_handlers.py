"""What notifier does about news."""

from datetime import timedelta
from typing import Any

import pytest

from notifier.domain.alert import AlertKind
from notifier.domain.letter import BadAddress, Letter, Template
from notifier.entrypoints.consumer import SUBSCRIPTIONS
from notifier.use_cases import alerting, event_handlers
from notifier.use_cases.errors import TooEarly
from oja_events.contracts import Contact, Event
from tests.support import notifier as news
from tests.unit.notifier.fakes import FakeUnitOfWork


def letters(uow: FakeUnitOfWork) -> list[Letter]:
    return list(uow.books.letters.values())


@pytest.mark.parametrize("event", news.all_news(), ids=lambda event: type(event).__name__)
def test_news_heard_twice_are_written_once(event: Event) -> None:
    uow = FakeUnitOfWork()

    for _ in range(2):
        SUBSCRIPTIONS[type(event)](event, uow=uow)
        alerting.write_digests(uow)

    assert len(letters(uow)) == 1


@pytest.mark.parametrize(
    ("event", "template"),
    [
        (news.order_placed(), Template.ORDER_RECEIVED),
        (news.payment_confirmed(), Template.PAYMENT_CONFIRMED),
        (news.order_shipped(), Template.ORDER_SHIPPED),
        (news.order_completed(), Template.ORDER_COMPLETED),
        (news.order_cancelled(), Template.ORDER_CANCELLED),
        (news.payment_refunded(), Template.REFUND_DONE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_customer_hears_of_their_order(event: Any, template: Template) -> None:
    uow = FakeUnitOfWork()

    SUBSCRIPTIONS[type(event)](event, uow=uow)

    (letter,) = letters(uow)
    assert letter.template is template
    assert (letter.to.email, letter.to.name) == (event.contact.email, "Ada Obi")
    assert letter.order_id == event.order_id


def test_who_opened_an_account_is_welcomed() -> None:
    uow = FakeUnitOfWork()

    event_handlers.customer_registered(news.customer_registered(email="ada@example.com"), uow=uow)

    (letter,) = letters(uow)
    assert (letter.to.email, letter.to.name) == ("ada@example.com", "Ada Obi")


def test_an_order_is_asked_to_be_paid() -> None:
    uow = FakeUnitOfWork()

    event_handlers.order_placed(news.order_placed(), uow=uow)

    assert letters(uow)[0].facts["awaits_payment"] is True


def test_an_order_whose_payment_was_faster_is_not_asked_to_be_paid() -> None:
    uow, order = FakeUnitOfWork(), news.order_placed()
    paid = news.payment_confirmed(order_id=order.order_id, contact=order.contact)
    event_handlers.payment_confirmed(paid, uow=uow)

    event_handlers.order_placed(order, uow=uow)

    assert letters(uow)[1].facts["awaits_payment"] is False


def test_money_for_a_cancelled_order_confirms_nothing() -> None:
    uow, order = FakeUnitOfWork(), news.order_cancelled()
    event_handlers.order_cancelled(order, uow=uow)

    late = news.payment_confirmed(order_id=order.order_id, contact=order.contact)
    event_handlers.payment_confirmed(late, uow=uow)

    assert [letter.template for letter in letters(uow)] == [Template.ORDER_CANCELLED]


def test_a_payment_for_an_order_that_was_cancelled_unpaid_is_said_to_go_back() -> None:
    uow = FakeUnitOfWork()
    event = news.refund_requested()
    cancelled = news.order_cancelled(order_id=event.order_id, was_paid=False)

    event_handlers.order_cancelled(cancelled, uow=uow)
    event_handlers.refund_requested(event, uow=uow)

    assert letters(uow)[-1].template is Template.REFUND_STARTED


def test_a_cancellation_that_promised_the_money_is_not_said_twice() -> None:
    uow = FakeUnitOfWork()
    event = news.refund_requested()
    cancelled = news.order_cancelled(order_id=event.order_id, was_paid=True)

    event_handlers.order_cancelled(cancelled, uow=uow)
    event_handlers.refund_requested(event, uow=uow)

    assert [letter.template for letter in letters(uow)] == [Template.ORDER_CANCELLED]


def test_a_refund_that_is_ahead_of_its_cancellation_waits_for_it() -> None:
    uow = FakeUnitOfWork()
    event = news.refund_requested(reason="the order was cancelled")

    with pytest.raises(TooEarly):
        event_handlers.refund_requested(event, uow=uow)

    assert letters(uow) == []


def test_every_payment_that_goes_back_is_told_once() -> None:
    uow = FakeUnitOfWork()
    first = news.refund_requested()
    second = news.refund_requested(order_id=first.order_id, payment_reference="another")

    for event in (first, second, first):
        event_handlers.refund_requested(event, uow=uow)

    assert len(letters(uow)) == 2


def test_low_stock_is_an_alert_that_waits_for_a_digest() -> None:
    uow = FakeUnitOfWork()

    event_handlers.stock_low(news.stock_low(), uow=uow)

    (alert,) = uow.books.alerts.values()
    assert (alert.kind, alert.occasion) == (AlertKind.LOW_STOCK, str(uow.event_id))
    assert alert.waits_for_digest
    assert letters(uow) == []


def test_a_refund_that_failed_is_an_alert_and_a_mail_for_staff() -> None:
    uow, event = FakeUnitOfWork(), news.refund_failed()

    event_handlers.refund_failed(event, uow=uow)

    (alert,) = uow.books.alerts.values()
    assert (alert.kind, alert.occasion) == (AlertKind.REFUND_FAILED, str(event.refund_id))
    assert [letter.to.email for letter in letters(uow)] == [news.STAFF]


def test_trouble_with_money_is_an_alert_and_a_mail_for_staff() -> None:
    uow, event = FakeUnitOfWork(), news.payment_alert_raised()

    for _ in range(2):
        event_handlers.payment_alert_raised(event, uow=uow)

    (alert,) = uow.books.alerts.values()
    assert (alert.kind, alert.detail) == (AlertKind.PAYMENT, event.detail)
    assert alert.title == "Charge mismatch: oj-100042-1"
    assert [letter.to.email for letter in letters(uow)] == [news.STAFF]


def test_books_that_turn_red_and_green_are_told_to_staff_once_each() -> None:
    uow = FakeUnitOfWork()
    red = news.books_turned()
    green = news.books_turned(
        status="green", faults=0, ids=(), turned_at=red.turned_at + timedelta(minutes=5)
    )

    for event in (green, red, red, green):
        event_handlers.books_turned(event, uow=uow)

    assert [alert.title for alert in uow.books.alerts.values()] == [
        "Books: stock adds up again",
        "Books: stock does not add up",
    ]
    assert {alert.kind for alert in uow.books.alerts.values()} == {AlertKind.BOOKS}
    assert [letter.to.email for letter in letters(uow)] == [news.STAFF] * 2


def test_nothing_is_kept_of_news_for_an_impossible_address() -> None:
    uow = FakeUnitOfWork()
    event = news.order_shipped(contact=Contact(email="a@b.example\nBcc: c@d.example", name="Eve"))

    with pytest.raises(BadAddress):
        event_handlers.order_shipped(event, uow=uow)

    assert letters(uow) == []
