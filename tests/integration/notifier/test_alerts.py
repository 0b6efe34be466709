"""How staff hear of what they should know, with the real database and a mail server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from notifier.adapters import templates_of_staff
from notifier.adapters.wording import shipped
from notifier.bootstrap import build
from notifier.domain.letter import Template
from notifier.domain.template import Edition, Source
from notifier.use_cases.alerting import notice_parked, write_digests
from oja_events.contracts import Contact
from oja_events.contracts.catalog import CatalogMessageParked
from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import Notifier, settings
from tests.support import notifier as news
from tests.support.waiting import wait_until

OTHER = "other@oja.example"


@pytest.fixture
def two_on_duty(database_url: str, mail_server: MailServer) -> Iterator[Notifier]:
    """Alerts are collected for a minute, and two people want to hear of them."""
    given = settings(database_url, mail_server.url)
    wired = build(
        replace(given, alert_digest_seconds=60, staff_mail=f"{news.STAFF}, {OTHER}"),
        role="test",
        pool_size=12,
    )
    yield Notifier(wired)
    wired.engine.dispose()


def a_minute_passes(notifier: Notifier) -> None:
    notifier.rows("UPDATE alerts SET mail_due_at = mail_due_at - interval '60 seconds'")


def test_what_runs_low_within_a_minute_is_one_mail_to_everybody_on_duty(
    two_on_duty: Notifier, mail_server: MailServer
) -> None:
    for sku in ("ADIRE-M", "GELE-1", "KENTE-2"):
        two_on_duty.hears(news.stock_low(sku=sku))
    early = write_digests(two_on_duty.deps.unit_of_work())
    a_minute_passes(two_on_duty)
    two_on_duty.hears(news.stock_low(sku="LATE-1"))

    with two_on_duty.sending():
        mails = [mail_server.waits_for(each)[0].message for each in (news.STAFF, OTHER)]
        wait_until(lambda: not two_on_duty.rows("SELECT FROM mails WHERE status <> 'sent'"))

    assert early == 0
    assert len(mail_server.inbox) == 2
    for mail in mails:
        assert mail["Subject"] == "Low stock: 4 items"
        text = mail.get_body(("plain",)).get_content()
        assert all(sku in text for sku in ("ADIRE-M", "GELE-1", "KENTE-2", "LATE-1"))


def test_several_workers_write_each_digest_once(two_on_duty: Notifier) -> None:
    for _ in range(10):
        two_on_duty.hears(news.stock_low())
    a_minute_passes(two_on_duty)

    with ThreadPoolExecutor(4) as workers:
        told = list(workers.map(lambda _: write_digests(two_on_duty.deps.unit_of_work()), range(4)))

    assert sorted(told) == [0, 0, 0, 10]
    assert len(two_on_duty.rows("SELECT FROM mails")) == 2


@pytest.mark.parametrize("others", [0, 1])
def test_an_alert_whose_facts_no_words_fit_is_told_all_the_same(
    two_on_duty: Notifier, mail_server: MailServer, others: int
) -> None:
    two_on_duty.hears(news.stock_low(sku="GELE-1"))
    two_on_duty.rows("UPDATE alerts SET facts = facts - 'threshold'")
    for _ in range(others):
        two_on_duty.hears(news.stock_low())
    a_minute_passes(two_on_duty)

    assert write_digests(two_on_duty.deps.unit_of_work()) == 1 + others

    title = two_on_duty.rows("SELECT title FROM alerts ORDER BY id")[0].title
    for mail in two_on_duty.rows("SELECT * FROM mails"):
        assert title in mail.text
        assert title in mail.html
        assert mail.subject == ("Low stock: 2 items" if others else f"Low stock: {title}")


def test_a_digest_that_fails_and_a_kind_of_a_newer_version_hold_up_no_other(
    two_on_duty: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_on_duty.hears(news.stock_low())
    two_on_duty.hears(news.message_parked(CatalogMessageParked))
    two_on_duty.hears(news.message_parked(CatalogMessageParked))
    two_on_duty.rows(
        "UPDATE alerts SET kind = 'of_a_newer_version' WHERE id = (SELECT max(id::text)::uuid"
        " FROM alerts WHERE kind = 'message_parked')"
    )
    a_minute_passes(two_on_duty)
    broken = Edition(version="broken", source=Source("{{ x }}", "{{ x }}", "{{ x }}"))
    with monkeypatch.context() as deployed:
        deployed.setattr(
            templates_of_staff,
            "shipped",
            lambda it: broken if it is Template.LOW_STOCK else shipped(it),
        )
        with pytest.raises(ExceptionGroup):
            write_digests(two_on_duty.deps.unit_of_work())
    (template,) = {row.template for row in two_on_duty.rows("SELECT * FROM mails")}

    assert template == "message_parked"
    assert write_digests(two_on_duty.deps.unit_of_work()) == 1
    (waiting,) = two_on_duty.rows("SELECT kind FROM alerts WHERE mail_due_at IS NOT NULL")
    assert waiting.kind == "of_a_newer_version"


def test_more_alerts_than_fit_into_a_mail_follow_in_the_next(two_on_duty: Notifier) -> None:
    for _ in range(51):
        two_on_duty.hears(news.stock_low())
    a_minute_passes(two_on_duty)

    told = [write_digests(two_on_duty.deps.unit_of_work()) for _ in range(3)]

    assert told == [50, 1, 0]


def test_a_message_that_was_put_away_is_an_alert_and_a_mail(
    notifier: Notifier, mail_server: MailServer
) -> None:
    event_id = notifier.hears(news.order_placed(contact=Contact(email="nobody", name="Eve")))

    with notifier.sending():
        (received,) = mail_server.waits_for(news.STAFF)

    (alert,) = notifier.rows("SELECT * FROM alerts")
    assert (alert.kind, alert.occasion) == ("message_parked", str(event_id))
    assert alert.title == "A message to notifier was parked: oja.ordering.order_placed.v1"
    assert received.message["Subject"].startswith("Message parked: rejected: BadAddress")
    assert notice_parked(notifier.deps.unit_of_work()) == 0


def test_a_mail_that_fails_is_told_to_staff_and_one_to_staff_is_not(
    notifier: Notifier, mail_server: MailServer
) -> None:
    event = news.order_shipped()
    mail_server.answers["RCPT"] = ["550 no such mailbox", "550 not this one either"]
    notifier.hears(event)

    with notifier.sending(senders=1):
        notifier.settles(event.contact.email, "failed")
        wait_until(lambda: notifier.rows("SELECT FROM mails WHERE template = 'mail_failing'"))
        notifier.settles(news.STAFF, "failed")
        assert write_digests(notifier.deps.unit_of_work()) == 0

    assert [row.kind for row in notifier.rows("SELECT kind FROM alerts")] == ["mail_failed"] * 2
    assert not notifier.rows("SELECT FROM alerts WHERE mail_due_at IS NOT NULL")
    assert len(notifier.rows("SELECT FROM mails")) == 2
