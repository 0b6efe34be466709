"""What news leave in the ledger."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from oja_events.contracts import Contact
from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import Notifier
from tests.support import notifier as news
from tests.support.waiting import wait_until


def test_an_event_becomes_one_mail_with_a_name_of_its_own(
    notifier: Notifier, mail_server: MailServer
) -> None:
    event = news.order_shipped()
    event_id = notifier.hears(event)

    with notifier.sending():
        (received,) = mail_server.waits_for(event.contact.email)
        row = notifier.settles(event.contact.email, "sent")

    assert received.message["Message-ID"] == f"<{event_id}.order_shipped@oja.example>"
    assert received.message["Subject"] == "Your order OJ-100042 is on its way"
    assert received.message["To"] == f"Ada Obi <{event.contact.email}>"
    assert (row.status, row.attempts, row.doubts, row.order_id) == ("sent", 1, 0, event.order_id)
    assert row.sha256 == hashlib.sha256(received.raw).hexdigest()


def test_news_heard_twice_are_told_once(notifier: Notifier) -> None:
    event = news.order_placed()
    event_id = notifier.hears(event)

    notifier.hears(event, event_id)

    assert len(notifier.rows("SELECT FROM mails")) == 1


def test_replaying_all_that_ever_happened_tells_nobody_anything(
    notifier: Notifier, mail_server: MailServer
) -> None:
    history = [(event, notifier.hears(event)) for event in news.all_news()]
    with notifier.sending():
        wait_until(lambda: len(mail_server.inbox) == len(history))
    alerts = len(notifier.rows("SELECT FROM alerts"))

    notifier.rows("DELETE FROM inbox")
    for event, event_id in history:
        notifier.hears(event, event_id)

    assert len(notifier.rows("SELECT FROM mails")) == len(history)
    assert not notifier.rows("SELECT FROM mails WHERE status <> 'sent'")
    assert len(notifier.rows("SELECT FROM alerts")) == alerts


def test_an_order_is_confirmed_once_though_it_was_paid_twice(notifier: Notifier) -> None:
    first = news.payment_confirmed()
    second = news.payment_confirmed(
        order_id=first.order_id, contact=first.contact, reference="another capture"
    )

    notifier.hears(first)
    notifier.hears(second)

    assert len(notifier.rows("SELECT FROM mails")) == 1


def test_every_refund_of_an_order_is_told(notifier: Notifier) -> None:
    first = news.payment_refunded(amount=news.naira(1_000))
    second = news.payment_refunded(
        order_id=first.order_id, contact=first.contact, amount=news.naira(2_000)
    )

    notifier.hears(first)
    notifier.hears(second)

    assert len(notifier.rows("SELECT FROM mails WHERE template = 'refund_done'")) == 2


def test_two_consumers_with_the_same_news_write_one_mail(notifier: Notifier) -> None:
    event, event_id = news.order_completed(), uuid4()

    with ThreadPoolExecutor(6) as consumers:
        list(consumers.map(lambda _: notifier.hears(event, event_id), range(6)))

    assert len(notifier.rows("SELECT FROM mails")) == 1


def test_a_mail_to_an_impossible_address_is_put_aside_and_the_next_one_goes(
    notifier: Notifier,
) -> None:
    for email in ("x@y.example\r\nBcc: e@x.example", "a@x.example, b@x.example", "nobody"):
        notifier.hears(news.order_shipped(contact=Contact(email=email, name="Eve")))
    notifier.hears(news.order_shipped())

    parked = notifier.rows("SELECT reason, error FROM parked_message")
    assert [row.reason for row in parked] == ["rejected"] * 3
    assert len(notifier.rows("SELECT FROM mails")) == 1


def test_what_is_low_is_an_alert_and_a_mail_to_staff(
    notifier: Notifier, mail_server: MailServer
) -> None:
    event_id = notifier.hears(news.stock_low())

    with notifier.sending():
        (received,) = mail_server.waits_for(news.STAFF)

    (alert,) = notifier.rows("SELECT * FROM alerts")
    assert (alert.kind, alert.occasion) == ("low_stock", str(event_id))
    assert alert.title == "ADIRE-M is running low"
    assert received.message["Subject"] == "Low stock: ADIRE-M, 3 left"


def test_each_time_that_stock_falls_is_an_alert_of_its_own(notifier: Notifier) -> None:
    event = news.stock_low()

    notifier.hears(event)
    notifier.hears(event)

    assert len(notifier.rows("SELECT FROM alerts")) == 2


def test_a_refund_that_failed_calls_staff_and_not_the_customer(notifier: Notifier) -> None:
    event = news.refund_failed()
    notifier.hears(event)

    (alert,) = notifier.rows("SELECT * FROM alerts")
    (mail,) = notifier.rows("SELECT * FROM mails")
    assert (alert.kind, alert.order_id, alert.detail) == (
        "refund_failed",
        event.order_id,
        "Refund amount exceeds balance",
    )
    assert (mail.recipient, mail.template) == (news.STAFF, "refund_failed")


def test_hostile_names_arrive_as_harmless_text_at_one_recipient(
    notifier: Notifier, mail_server: MailServer
) -> None:
    name = "Eve {{7*7}}<img src=x onerror=alert(1)>\r\nBcc: thief@example.com\u202egnp.exe"
    event = news.order_placed(contact=Contact(email=news.an_address(), name=name))
    notifier.hears(event)

    with notifier.sending():
        (received,) = mail_server.waits_for(event.contact.email)

    message = received.message
    html = message.get_body(("html",)).get_content()
    text = message.get_body(("plain",)).get_content()
    seen = "Eve {{7*7}}<img src=x onerror=alert(1)> Bcc: thief@example.comgnp.exe"
    assert received.recipients == [event.contact.email]
    assert message["Bcc"] is None
    assert [address.display_name for address in message["To"].addresses] == [seen]
    assert f"Hello {seen}," in text
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "49" not in text.splitlines()[0]
    assert "\u202e" not in text + html
