"""The rules of a mail on its way out."""

from datetime import timedelta

import pytest

from notifier.domain.alert import AlertKind
from notifier.domain.mail import GIVE_UP_AFTER, MailStatus
from oja_events.contracts.notifier import MailFailed
from tests.support.notifier import AFTERNOON
from tests.unit.notifier.fakes import a_mail


def test_an_accepted_mail_is_done_with() -> None:
    mail = a_mail(attempts=1, status=MailStatus.SENDING)

    mail.accepted()

    assert (mail.status, mail.next_attempt_at) == (MailStatus.SENT, None)


def test_a_mail_that_is_not_wanted_now_waits_longer_each_time() -> None:
    waits, mail = [], a_mail()
    for attempts in range(1, 9):
        mail.attempts = attempts
        mail.postponed("450 busy", now=AFTERNOON)
        assert mail.next_attempt_at is not None
        assert mail.status is MailStatus.PENDING
        waits.append(mail.next_attempt_at - AFTERNOON)

    assert waits[0] < timedelta(seconds=2)
    assert timedelta(hours=1) < waits[-1] < timedelta(hours=3)
    assert waits == sorted(waits)
    assert len(set(waits)) == 7


def test_mails_that_failed_together_do_not_come_back_together() -> None:
    mails = [a_mail(attempts=5) for _ in range(30)]

    for mail in mails:
        mail.postponed("450 busy", now=AFTERNOON)

    assert len({mail.next_attempt_at for mail in mails}) > 20


def test_a_server_that_is_away_does_not_count_as_an_attempt() -> None:
    mail = a_mail(attempts=1)

    mail.put_back("connection refused", now=AFTERNOON)

    assert mail.attempts == 0
    assert mail.status is MailStatus.PENDING


@pytest.mark.parametrize("fate", ["postponed", "put_back"])
def test_after_a_day_a_mail_is_given_up(fate: str) -> None:
    mail = a_mail(attempts=9)

    getattr(mail, fate)("450 busy", now=AFTERNOON + GIVE_UP_AFTER)

    assert mail.status is MailStatus.FAILED
    assert [type(event) for event in mail.pull_events()] == [MailFailed]


def test_a_refused_mail_is_told_of_and_staff_are_alerted() -> None:
    mail = a_mail(attempts=1)

    mail.refused("550 unknown", now=AFTERNOON)

    (event,) = mail.pull_events()
    (alert,) = mail.pull_alerts()
    assert isinstance(event, MailFailed)
    assert (event.mail_id, event.recipient, event.reason) == (
        mail.id,
        "ada@example.com",
        "550 unknown",
    )
    assert (alert.kind, alert.occasion) == (AlertKind.MAIL_FAILED, str(mail.id))


@pytest.mark.parametrize("doubts", [0, 1], ids=["failed", "uncertain"])
def test_an_alert_names_the_mail_and_not_whom_it_is_to(doubts: int) -> None:
    mail = a_mail(attempts=2, doubts=doubts, status=MailStatus.SENDING)
    reason = f"550 <{mail.recipient.upper()}>: no such mailbox"

    (mail.doubted if doubts else mail.refused)(reason, now=AFTERNOON)

    (alert,) = mail.pull_alerts()
    assert f"order_shipped {mail.id}" in alert.title
    assert mail.recipient not in f"{alert.title} {alert.detail}".lower()
    assert mail.last_error == reason


def test_a_first_doubt_is_worth_a_second_copy_when_the_trouble_may_be_over() -> None:
    mail = a_mail(attempts=1, status=MailStatus.SENDING)

    mail.doubted("the answer got lost", now=AFTERNOON)

    assert mail.status is MailStatus.UNKNOWN
    assert mail.next_attempt_at == AFTERNOON + timedelta(seconds=30)
    assert mail.pull_alerts() == []


def test_a_second_doubt_is_for_staff() -> None:
    mail = a_mail(attempts=2, doubts=1, status=MailStatus.SENDING)

    mail.doubted("the answer got lost", now=AFTERNOON)

    assert (mail.status, mail.next_attempt_at) == (MailStatus.UNKNOWN, None)
    assert [alert.kind for alert in mail.pull_alerts()] == [AlertKind.MAIL_UNCERTAIN]


def test_a_mail_in_doubt_is_never_called_failed_for_lack_of_time() -> None:
    mail = a_mail(attempts=9, doubts=1, status=MailStatus.UNKNOWN)

    mail.postponed("450 busy", now=AFTERNOON + GIVE_UP_AFTER)

    assert (mail.status, mail.next_attempt_at) == (MailStatus.UNKNOWN, None)
    assert mail.pull_events() == []


def test_what_a_dead_sender_had_only_claimed_is_due_at_once_without_a_doubt() -> None:
    mail = a_mail(attempts=1, claim=7)

    mail.orphaned(now=AFTERNOON)

    assert (mail.status, mail.doubts, mail.next_attempt_at) == (MailStatus.PENDING, 0, AFTERNOON)


def test_what_a_dead_sender_was_sending_is_due_at_once_in_doubt() -> None:
    mail = a_mail(attempts=1, claim=7, status=MailStatus.SENDING)

    mail.orphaned(now=AFTERNOON)

    assert (mail.status, mail.doubts, mail.next_attempt_at) == (MailStatus.UNKNOWN, 1, AFTERNOON)


def test_a_second_crash_in_the_gap_does_not_make_a_third_copy() -> None:
    mail = a_mail(attempts=2, doubts=1, claim=7, status=MailStatus.SENDING)

    mail.orphaned(now=AFTERNOON)

    assert (mail.status, mail.next_attempt_at) == (MailStatus.UNKNOWN, None)
