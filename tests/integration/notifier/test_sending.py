"""What becomes of a mail when the mail server says no, later, or nothing."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.adapters.smtp import SMTPAddress, SMTPServer
from notifier.bootstrap import MAILS, build
from notifier.use_cases.errors import TooFast, Unclear
from notifier.use_cases.sending import send_next
from oja_events.contracts.notifier import MailFailed
from oja_events.wakeup import channel
from tests.integration.notifier.mail_server import DROP, MailServer
from tests.integration.notifier.notifying import Notifier, notifier_on, settings
from tests.support import notifier as news
from tests.support.waiting import wait_until


def an_order_mail(notifier: Notifier) -> str:
    """Written and not sent; the recipient."""
    event = news.order_shipped()
    notifier.hears(event)
    return event.contact.email


@pytest.mark.usefixtures("quick_retries")
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


@pytest.mark.usefixtures("long_waits")
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

    assert timedelta(seconds=30) < waits[0] < waits[1] < waits[2]


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


def test_a_day_on_which_the_server_always_says_later_ends_with_a_failed_mail(
    notifier: Notifier, mail_server: MailServer
) -> None:
    mail_server.answers["RCPT"] = ["450 4.2.0 Greylisted"] * 100
    recipient = an_order_mail(notifier)

    def time_has_passed() -> bool:
        """Up to the next attempt, in an instant."""
        notifier.rows(
            "UPDATE mails SET next_attempt_at = now(),"
            " created_at = created_at - (next_attempt_at - now())"
            " WHERE next_attempt_at > now() AND claimed_by IS NULL"
        )
        notifier.rows(f"NOTIFY {channel(MAILS)}")
        return bool(notifier.mail(recipient).status == "failed")

    with notifier.sending(senders=1):
        wait_until(time_has_passed, what="the end of the day")

    row = notifier.mail(recipient)
    asked = mail_server.asked[recipient]
    assert row.last_error == "given up after a day: 450 4.2.0 Greylisted"
    assert row.attempts == asked
    assert 15 <= asked <= 25
    assert timedelta(hours=21) < row.failed_at - row.created_at <= timedelta(hours=24)
    assert len(notifier.published(MailFailed.TYPE)) == 1


def test_a_mail_server_that_is_away_costs_time_and_nothing_else(
    notifier: Notifier, mail_server: MailServer
) -> None:
    recipients = [an_order_mail(notifier) for _ in range(5)]
    mail_server.answers["MAIL"] = ["451 4.3.2 Not now"] * 4

    with notifier.sending():
        for recipient in recipients:
            assert notifier.settles(recipient, "sent").attempts == 1

    assert len(mail_server.inbox) == len(recipients)


def test_an_hour_without_a_mail_server_delays_mails_and_nothing_else(
    database_url: str,
) -> None:
    server = MailServer()  # nobody listens there yet
    notifier = notifier_on(database_url, server.url)

    with notifier.sending(4):
        first = an_order_mail(notifier)
        wait_until(lambda: notifier.mail(first).last_error, what="a first attempt")
        began = time.monotonic()
        recipients = [first, *(an_order_mail(notifier) for _ in range(30))]
        heard_in = time.monotonic() - began
        notifier.rows("UPDATE mails SET created_at = created_at - interval '1 hour'")
        assert server.inbox == []

        with server.running():
            for recipient in recipients:
                mail = notifier.settles(recipient, "sent")
                assert (mail.attempts, mail.doubts) == (1, 0)

    notifier.deps.engine.dispose()
    assert heard_in < 10, "news are heard while mails wait"
    assert sorted(mail.recipients[0] for mail in server.inbox) == sorted(recipients)
    assert notifier.rows("SELECT FROM alerts") == []


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
    address = SMTPAddress.from_url(mail_server.url)
    server = SMTPServer(address, sender=news.SENDER, time_to_answer=0.3)

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


def test_a_connection_is_given_up_after_so_many_mails(
    notifier: Notifier, mail_server: MailServer
) -> None:
    address = SMTPAddress.from_url(mail_server.url)
    server = SMTPServer(address, sender=news.SENDER, mails_per_connection=3)
    for _ in range(7):
        an_order_mail(notifier)
    before = mail_server.connections

    with notifier.deps.shift() as shift:
        while send_next(shift, server):
            pass
    server.close()

    assert len(mail_server.inbox) == 7
    assert mail_server.connections - before == 3


def test_all_senders_of_all_processes_keep_to_one_pace(
    database_url: str, mail_server: MailServer
) -> None:
    paced = replace(settings(database_url, mail_server.url), mail_rate_per_second=20)
    one, other = (Notifier(build(paced, role="test", pool_size=12)) for _ in range(2))
    recipients = [an_order_mail(one) for _ in range(24)]
    (began,) = one.rows("SELECT now()")

    with one.sending(3), other.sending(3):
        for recipient in recipients:
            one.settles(recipient, "sent")

    (ended,) = one.rows("SELECT max(sent_at) FROM mails")
    assert len(mail_server.inbox) == 24
    # The first two may leave together, every other one a twentieth of a second later.
    assert ended[0] - began[0] > timedelta(seconds=22 / 20)
    for wired in (one, other):
        wired.deps.engine.dispose()


def test_without_mail_no_right_to_send_is_used_up(
    database_url: str, mail_server: MailServer
) -> None:
    slow = replace(settings(database_url, mail_server.url), mail_rate_per_second=0.01)
    wired = Notifier(build(slow, role="test", pool_size=4))
    server = SMTPServer(SMTPAddress.from_url(mail_server.url), sender=news.SENDER)

    with wired.deps.shift() as shift:
        assert send_next(shift, server) is False
        an_order_mail(wired)
        an_order_mail(wired)
        an_order_mail(wired)
        assert send_next(shift, server) is True
        assert send_next(shift, server) is True
        with pytest.raises(TooFast) as early:
            send_next(shift, server)

    server.close()
    wired.deps.engine.dispose()
    assert 50 < early.value.seconds <= 100


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
