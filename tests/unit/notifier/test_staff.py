"""Who on the staff is told what."""

from typing import Any
from uuid import uuid4

import pytest

from notifier.domain.letter import BadAddress, Recipient, Template
from notifier.domain.staff import NEEDED, may_get
from notifier.use_cases import alerting, commands, event_handlers
from oja_events.contracts import Event
from oja_events.contracts.identity import StaffChanged
from tests.support import notifier as news
from tests.unit.notifier.fakes import FakeUnitOfWork


def told(uow: FakeUnitOfWork, template: Template) -> list[str]:
    """Who on the staff would get this mail now."""
    with uow:
        found = uow.staff.to_alert(template)
    return [each.email for each in found if each.email != news.STAFF]


def uow_that_heard(*events: StaffChanged) -> FakeUnitOfWork:
    uow = FakeUnitOfWork()
    for event in events:
        event_handlers.staff_changed(event, uow=uow)
    return uow


def mute(user_id: Any, *templates: Template, uow: FakeUnitOfWork) -> None:
    commands.mute_alerts(user_id, frozenset(templates), precondition=lambda _: None, uow=uow)


def test_every_mail_to_staff_takes_a_permission() -> None:
    for_staff = {each for each in Template if each.audience == "staff"}

    assert set(NEEDED) == for_staff
    assert all("alerts:read" in needed for needed in NEEDED.values())


def test_nobody_is_mailed_what_they_may_not_know() -> None:
    assert may_get(frozenset({"alerts:read"})) == [Template.MESSAGE_PARKED]
    assert may_get(frozenset({"inventory:read", "payments:read"})) == []
    assert Template.LOW_STOCK in may_get(frozenset({"alerts:read", "inventory:read"}))
    assert Template.BOOKS in may_get(frozenset({"alerts:read", "audit:read"}))


def test_a_member_with_the_permission_is_told() -> None:
    sade = news.staff_changed(permissions=("alerts:read", "inventory:read"))

    uow = uow_that_heard(sade)

    assert told(uow, Template.LOW_STOCK) == [sade.email]
    assert told(uow, Template.REFUND_FAILED) == []


@pytest.mark.parametrize(
    "change",
    [{"permissions": ("alerts:read",)}, {"permissions": ()}, {"is_active": False}],
    ids=["permission taken", "no longer on the staff", "disabled"],
)
def test_who_may_not_know_any_more_is_not_told_any_more(change: dict[str, Any]) -> None:
    sade = news.staff_changed()
    later = news.staff_changed(user_id=sade.user_id, version=2, **change)

    uow = uow_that_heard(sade, later)

    assert told(uow, Template.LOW_STOCK) == []


def test_old_news_of_somebody_does_not_bring_a_permission_back() -> None:
    gone = news.staff_changed(version=7, permissions=())
    late = news.staff_changed(user_id=gone.user_id, version=6)

    assert told(uow_that_heard(gone, late), Template.LOW_STOCK) == []


def test_another_address_is_the_one_that_counts() -> None:
    sade = news.staff_changed()
    moved = news.staff_changed(user_id=sade.user_id, version=2, email="new@oja.example")

    assert told(uow_that_heard(sade, moved, moved), Template.LOW_STOCK) == ["new@oja.example"]


def test_what_somebody_has_muted_is_told_to_the_others() -> None:
    sade, tunde = news.staff_changed(), news.staff_changed()
    uow = uow_that_heard(sade, tunde)

    mute(sade.user_id, Template.LOW_STOCK, uow=uow)

    assert told(uow, Template.LOW_STOCK) == [tunde.email]
    assert told(uow, Template.REFUND_FAILED) == [sade.email, tunde.email]


def test_a_wish_is_taken_back() -> None:
    sade = news.staff_changed()
    uow = uow_that_heard(sade)

    mute(sade.user_id, Template.LOW_STOCK, uow=uow)
    mute(sade.user_id, uow=uow)

    assert told(uow, Template.LOW_STOCK) == [sade.email]


def test_whoever_closed_the_account_leaves_neither_address_nor_wishes() -> None:
    sade = news.staff_changed()
    nobody = f"erased-{sade.user_id}@erased.invalid"
    erased = news.staff_changed(
        user_id=sade.user_id, version=2, email=nobody, is_active=False, permissions=()
    )
    uow = uow_that_heard(sade)
    mute(sade.user_id, Template.LOW_STOCK, uow=uow)

    event_handlers.staff_changed(erased, uow=uow)

    assert uow.books.wishes == {}
    assert uow.books.staff[sade.user_id].who is None


def test_an_address_that_cannot_be_written_to_is_refused_for_good() -> None:
    with pytest.raises(BadAddress):
        uow_that_heard(news.staff_changed(email="sade@oja.example, eve@x.example"))


@pytest.mark.parametrize(
    "event", [news.refund_failed(), news.payment_alert_raised(), news.stock_low()], ids=str
)
def test_each_of_several_members_gets_a_mail_of_their_own(event: Event) -> None:
    sade, tunde = news.staff_changed(), news.staff_changed()
    uow = uow_that_heard(sade, tunde)

    getattr(event_handlers, type(event).TYPE.split(".")[2])(event, uow=uow)
    alerting.write_digests(uow)

    recipients = [letter.to for letter in uow.books.letters.values()]
    assert [each.email for each in recipients] == [news.STAFF, sade.email, tunde.email]
    assert recipients[1] == Recipient(sade.email, "Sade Bello", sade.user_id)


def test_several_items_that_run_low_are_one_mail_for_each_member() -> None:
    sade, tunde = news.staff_changed(), news.staff_changed()
    uow = uow_that_heard(sade, tunde)
    for sku in ("ADIRE-M", "GELE-1", "KENTE-2"):
        uow = FakeUnitOfWork(uow.books, event_id=uuid4())
        event_handlers.stock_low(news.stock_low(sku=sku), uow=uow)

    alerting.write_digests(uow)

    letters = list(uow.books.letters.values())
    assert [letter.to.email for letter in letters] == [news.STAFF, sade.email, tunde.email]
    assert all(len(list(letter.facts["items"])) == 3 for letter in letters)  # type: ignore[call-overload]
