"""Which alerts become mails to staff, and how many."""

from notifier.domain.alert import Alert, AlertKind
from notifier.domain.letter import Template
from notifier.use_cases import alerting, event_handlers
from notifier.use_cases.ports import ParkedMessage
from oja_events.contracts.catalog import CatalogMessageParked
from oja_events.contracts.payments import PaymentsMessageParked
from tests.support import notifier as news
from tests.unit.notifier.fakes import FakeUnitOfWork, a_mail


def templates(uow: FakeUnitOfWork) -> list[Template]:
    return [letter.template for letter in uow.books.letters.values()]


def test_several_items_that_run_low_are_one_mail() -> None:
    uow = FakeUnitOfWork()
    for sku in ("ADIRE-M", "GELE-1", "KENTE-2"):
        uow = FakeUnitOfWork(uow.books)
        event_handlers.stock_low(news.stock_low(sku=sku), uow=uow)

    told = [alerting.write_digests(uow), alerting.write_digests(uow)]

    (letter,) = uow.books.letters.values()
    assert told == [3, 0]
    assert [item["sku"] for item in letter.facts["items"]] == ["ADIRE-M", "GELE-1", "KENTE-2"]


def test_alerts_of_other_kinds_are_mails_of_their_own() -> None:
    uow = FakeUnitOfWork()
    with uow:
        for kind in (AlertKind.MAIL_FAILED, AlertKind.TEMPLATE_UNFIT, AlertKind.MESSAGE_PARKED):
            uow.alerts.add(Alert(kind=kind, occasion="x", title="Something", detail="is wrong"))
        uow.commit()

    alerting.write_digests(uow)

    assert templates(uow) == [Template.MAIL_FAILING, Template.MESSAGE_PARKED]


def test_a_mail_to_staff_that_fails_is_an_alert_and_not_another_mail() -> None:
    uow = FakeUnitOfWork()
    to_staff = a_mail(template="low_stock", recipient=news.STAFF)
    to_staff.refused("550 no", now=news.AFTERNOON)
    with uow:
        uow.alerts.add(*to_staff.pull_alerts())
        uow.commit()

    assert alerting.write_digests(uow) == 0
    assert [alert.kind for alert in uow.books.alerts.values()] == [AlertKind.MAIL_FAILED]


def test_a_parked_message_is_noticed_once() -> None:
    uow = FakeUnitOfWork()
    uow.books.parked = [ParkedMessage(key="k", type=None, reason="malformed", error="no JSON")]

    noticed = [alerting.notice_parked(uow), alerting.notice_parked(uow)]

    (alert,) = uow.books.alerts.values()
    assert noticed == [1, 0]
    assert (alert.kind, alert.detail) == (AlertKind.MESSAGE_PARKED, "malformed: no JSON")


def test_a_message_that_two_services_put_away_is_an_alert_of_each() -> None:
    uow = FakeUnitOfWork()
    for by in (CatalogMessageParked, PaymentsMessageParked, CatalogMessageParked):
        event_handlers.message_parked(news.message_parked(by, key="k"), uow=uow)

    alerting.write_digests(uow)

    alerts = list(uow.books.alerts.values())
    assert [alert.occasion for alert in alerts] == ["catalog k", "payments k"]
    assert alerts[0].title == "A message to catalog was parked: oja.ordering.order_placed.v1"
    assert templates(uow) == [Template.MESSAGE_PARKED]
