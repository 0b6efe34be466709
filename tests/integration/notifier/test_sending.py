"""What becomes of a mail when the mail server says no, later, or nothing."""

import time
from datetime import timedelta

import pytest

from notifier.adapters.smtp import SMTPAddress, SMTPServer
from notifier.use_cases.errors import Unclear
from oja_events.contracts.notifier import MailFailed
from tests.integration.notifier.mail_server import DROP, MailServer
from tests.integration.notifier.notifying import Notifier
from tests.support import notifier as news
from tests.support.waiting import wait_until


def an_order_mail(notifier: Notifier) -> str:
    """Written and not sent; the recipient."""
    event = news.order_shipped()
    notifier.hears(event)
    return event.contact.email


@pytest.mark.parametrize("stage", ["RCPT", "DATA", "content"])
def test_a_mail_that_is_not_wanted_now_goes_later(
    notifier: Notifier, mail_server: MailServer, stage: str
) -> None:
    mail_server.answers[stage] = ["450 4.2.0 Mailbox busy, try again later"]
    recipient = an_order_mail(notifier)

    with notifier.sending():
        row = notifier.settles(recipient, "sent")

    assert (row.attempts, row.doubts) == (2, 0)
    assert len(mail_server.copies(recipient)) == 1


def test_the_wait_grows_with_every_no(notifier: Notifier, mail_server: MailServer) -> None:
    mail_server.answers["RCPT"] = ["450 busy"] * 3
    recipient = an_order_mail(notifier)
    waits = []

    with notifier.sending(1):
        for attempt in (1, 2, 3):
            row = wait_until(lambda n=attempt: _postponed(notifier, recipient, n))
            waits.append(row.wait)
            notifier.rows("UPDATE mails SET next_attempt_at = now()")
        notifier.settles(recipient, "sent")

    assert timedelta(seconds=0.5) < waits[0] < waits[1] < waits[2]


def _postponed(notifier: Notifier, recipient: str, attempts: int) -> object:
    return next(
        iter(
            notifier.rows(
                "SELECT *, next_attempt_at - now() AS wait FROM mails"
                " WHERE recipient = :recipient AND attempts = :attempts"
                " AND claimed_by IS NULL AND status = 'pending' AND last_error IS NOT NULL",
                recipient=recipient,
                attempts=attempts,
            )
        ),
        None,
    )


@pytest.mark.parametrize("stage", ["RCPT", "DATA", "content"])
def test_a_mail_that_is_never_wanted_fails_and_staff_hear_of_it(
    notifier: Notifier, mail_server: MailServer, stage: str
) -> None:
    mail_server.answers[stage] = ["550 5.1.1 Mailbox unavailable"]
    recipient = an_order_mail(notifier)

    with notifier.sending():
        row = notifier.settles(recipient, "failed")

    assert row.last_error == "550 5.1.1 Mailbox unavailable"
    assert mail_server.copies(recipient) == []
    (alert,) = notifier.rows("SELECT * FROM alerts")
    assert (alert.kind, alert.occasion, alert.order_id) == (
        "mail_failed",
        str(row.id),
        row.order_id,
    )
    (event,) = notifier.published(MailFailed.TYPE)
    assert event.data["mail_id"] == str(row.id)
    assert event.data["reason"] == "550 5.1.1 Mailbox unavailable"


def test_a_mail_that_nobody_took_for_a_day_fails(
    notifier: Notifier, mail_server: MailServer
) -> None:
    mail_server.answers["RCPT"] = ["450 busy"]
    recipient = an_order_mail(notifier)
    notifier.rows("UPDATE mails SET created_at = now() - interval '24 hours'")

    with notifier.sending():
        row = notifier.settles(recipient, "failed")

    assert row.last_error == "given up after a day: 450 busy"


def test_a_mail_server_that_is_away_costs_time_and_nothing_else(
    notifier: Notifier, mail_server: MailServer
) -> None:
    recipients = [an_order_mail(notifier) for _ in range(5)]
    mail_server.answers["MAIL"] = ["451 4.3.2 Not now"] * 4

    with notifier.sending():
        for recipient in recipients:
            assert notifier.settles(recipient, "sent").attempts == 1

    assert len(mail_server.inbox) == len(recipients)


def test_a_connection_cut_before_the_mail_was_handed_over_is_tried_again(
    notifier: Notifier, mail_server: MailServer
) -> None:
    mail_server.answers["RCPT"] = [DROP, DROP]
    recipient = an_order_mail(notifier)

    with notifier.sending(1):
        row = notifier.settles(recipient, "sent")

    assert row.doubts == 0
    assert len(mail_server.copies(recipient)) == 1


def test_a_mail_whose_answer_got_lost_is_sent_once_more_the_very_same(
    notifier: Notifier, mail_server: MailServer
) -> None:
    mail_server.answers["stored"] = [DROP]
    recipient = an_order_mail(notifier)

    with notifier.sending():
        row = notifier.settles(recipient, "sent")

    first, second = mail_server.copies(recipient)
    assert first.raw == second.raw
    assert row.doubts == 1


def test_a_mail_in_doubt_twice_is_left_to_staff(
    notifier: Notifier, mail_server: MailServer
) -> None:
    mail_server.answers["stored"] = [DROP, DROP]
    recipient = an_order_mail(notifier)

    with notifier.sending():
        wait_until(lambda: notifier.rows("SELECT FROM alerts WHERE kind = 'mail_uncertain'"))
        row = notifier.settles(recipient, "unknown")

    assert (row.doubts, row.next_attempt_at) == (2, None)
    assert len(mail_server.copies(recipient)) == 2
    assert notifier.published(MailFailed.TYPE) == []


def test_a_server_that_falls_silent_after_the_mail_leaves_a_doubt(
    notifier: Notifier, mail_server: MailServer
) -> None:
    recipient = an_order_mail(notifier)
    with notifier.deps.shift() as shift, shift.unit_of_work() as uow:
        mail = uow.mails.claim(shift.number)
    assert mail is not None
    mail_server.gates["stored"].close()
    server = SMTPServer(SMTPAddress.from_url(mail_server.url), sender=news.SENDER, timeout=0.3)

    server.offer(mail)
    with pytest.raises(Unclear, match="the answer got lost"):
        server.hand_over(mail)

    assert len(mail_server.copies(recipient)) == 1


def test_a_connection_serves_many_mails(notifier: Notifier, mail_server: MailServer) -> None:
    recipients = [an_order_mail(notifier) for _ in range(20)]
    before = mail_server.connections

    with notifier.sending(2):
        for recipient in recipients:
            mail_server.waits_for(recipient)

    assert len(mail_server.inbox) == 20
    assert mail_server.connections - before <= 2


def test_a_refused_mail_does_not_disturb_the_next_one_on_its_connection(
    notifier: Notifier, mail_server: MailServer
) -> None:
    mail_server.answers["RCPT"] = ["550 unknown"]
    refused, wanted = an_order_mail(notifier), an_order_mail(notifier)
    before = mail_server.connections

    with notifier.sending(1):
        notifier.settles(refused, "failed")
        notifier.settles(wanted, "sent")

    assert mail_server.connections - before == 1


def test_many_senders_send_every_mail_once(notifier: Notifier, mail_server: MailServer) -> None:
    recipients = [an_order_mail(notifier) for _ in range(60)]

    with notifier.sending(6):
        for recipient in recipients:
            notifier.settles(recipient, "sent")

    assert sorted(mail.recipients[0] for mail in mail_server.inbox) == sorted(recipients)


def test_a_sender_is_woken_by_news(notifier: Notifier) -> None:
    with notifier.deps.shift() as shift:
        an_order_mail(notifier)
        began = time.monotonic()
        shift.wait(30)

    assert time.monotonic() - began < 10
