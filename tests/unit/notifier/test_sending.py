"""The steps of sending, with a mail server that does as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from notifier.domain.mail import Mail, MailStatus
from notifier.entrypoints import sender
from notifier.use_cases.errors import Deferred, Refused, ServerAway, Unclear
from notifier.use_cases.sending import adopt_orphans, send_next
from tests.unit.notifier.fakes import (
    NOBODY,
    WORDLESS,
    Books,
    FakeMailServer,
    FakeShift,
    FakeUnitOfWork,
    a_mail,
)


def books_with(mail: Mail) -> Books:
    return Books(mails={mail.id: mail})


def test_without_mail_there_is_nothing_to_do() -> None:
    assert send_next(FakeShift(Books()), FakeMailServer()) is False


def test_a_mail_that_is_due_is_sent_once() -> None:
    mail, server = a_mail(), FakeMailServer()
    shift = FakeShift(books_with(mail))

    assert send_next(shift, server) is True
    assert send_next(shift, server) is False

    assert server.taken == [mail.message_id]
    assert shift.books.mails[mail.id].status is MailStatus.SENT


@pytest.mark.parametrize(
    ("problem", "status"),
    [(Deferred("450"), MailStatus.PENDING), (Refused("550"), MailStatus.FAILED)],
    ids=["later", "never"],
)
@pytest.mark.parametrize("stage", ["on_offer", "on_content"])
def test_a_no_is_kept_with_its_reason(problem: Exception, status: MailStatus, stage: str) -> None:
    mail = a_mail()
    shift = FakeShift(books_with(mail))

    send_next(shift, FakeMailServer(**{stage: [problem]}))

    kept = shift.books.mails[mail.id]
    assert (kept.status, kept.claim, kept.doubts) == (status, NOBODY, 0)
    assert kept.last_error == str(problem)


def test_a_refused_mail_leaves_an_event_and_an_alert() -> None:
    mail = a_mail()
    shift = FakeShift(books_with(mail))

    send_next(shift, FakeMailServer(on_content=[Refused("550")]))

    assert len(shift.books.events) == 1
    assert len(shift.books.alerts) == 1


def test_a_lost_answer_is_a_doubt() -> None:
    mail = a_mail()
    shift = FakeShift(books_with(mail))

    send_next(shift, FakeMailServer(on_content=[Unclear("cut")]))

    kept = shift.books.mails[mail.id]
    assert (kept.status, kept.doubts) == (MailStatus.UNKNOWN, 1)


def test_a_server_that_is_away_gets_the_mail_put_back_and_the_sender_told() -> None:
    mail = a_mail()
    shift = FakeShift(books_with(mail))

    with pytest.raises(ServerAway):
        send_next(shift, FakeMailServer(on_offer=[ServerAway("refused")]))

    kept = shift.books.mails[mail.id]
    assert (kept.status, kept.claim, kept.attempts) == (MailStatus.PENDING, NOBODY, 0)


@pytest.mark.parametrize(
    ("stage", "status"), [("on_offer", MailStatus.PENDING), ("on_content", MailStatus.UNKNOWN)]
)
def test_what_nobody_thought_of_concerns_this_mail_alone(stage: str, status: MailStatus) -> None:
    strange, other = a_mail(), a_mail()
    shift = FakeShift(Books(mails={mail.id: mail for mail in (strange, other)}))
    server = FakeMailServer(**{stage: [ValueError("https://shop.test/#token=secret")]})

    assert send_next(shift, server) is True
    assert send_next(shift, server) is True

    kept = shift.books.mails[strange.id]
    assert (kept.status, kept.claim, kept.last_error) == (
        status,
        NOBODY,
        "unforeseen: ValueError",
    )
    assert server.taken == [other.message_id]


def test_a_mail_that_cannot_be_put_into_words_waits_for_better_ones() -> None:
    mail = a_mail(template=WORDLESS)
    shift, server = FakeShift(books_with(mail)), FakeMailServer()

    assert send_next(shift, server) is True

    kept = shift.books.mails[mail.id]
    assert (kept.status, kept.claim, kept.attempts) == (MailStatus.PENDING, NOBODY, 1)
    assert kept.last_error == "no words for it: text, 'shoe_size' is undefined"
    assert server.taken == []


def test_a_mail_of_a_newer_version_that_is_refused_is_an_alert_too() -> None:
    mail = a_mail(template="of a newer version")
    shift = FakeShift(books_with(mail))

    send_next(shift, FakeMailServer(on_content=[Refused("550")]))

    assert len(shift.books.alerts) == 1


def test_a_sender_outlives_what_nobody_thought_of(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, begun = threading.Event(), []

    @contextmanager
    def shifts() -> Iterator[FakeShift]:
        begun.append("a shift")
        if len(begun) > 1:
            stop.set()
        yield FakeShift(Books(mails={uuid4(): "no mail at all"}))

    monkeypatch.setattr(sender, "AWAY_DELAYS", (0.001,))

    sender.sender(shifts, FakeMailServer)(stop)

    assert len(begun) == 2


def test_who_lost_the_claim_hands_nothing_over_and_changes_nothing() -> None:
    mail = a_mail()
    books = books_with(mail)

    class Thief(FakeMailServer):
        def offer(self, mail: Mail) -> None:
            books.mails[mail.id].claim = 99

    server = Thief()

    assert send_next(FakeShift(books), server) is True
    assert server.taken == []
    assert books.mails[mail.id].status is MailStatus.PENDING


def test_that_the_server_is_away_is_told_even_if_the_claim_was_lost_meanwhile() -> None:
    mail = a_mail()
    books = books_with(mail)

    class Thief(FakeMailServer):
        def offer(self, mail: Mail) -> None:
            books.mails[mail.id].claim = 99
            raise ServerAway("no answer")

    with pytest.raises(ServerAway):
        send_next(FakeShift(books), Thief())

    assert books.mails[mail.id].claim == 99


def test_what_dead_senders_left_is_taken_care_of() -> None:
    claimed, in_the_gap = a_mail(claim=7), a_mail(claim=8, status=MailStatus.SENDING)
    books = Books(mails={mail.id: mail for mail in (claimed, in_the_gap)})

    assert adopt_orphans(FakeUnitOfWork(books)) == 2

    assert [mail.status for mail in books.mails.values()] == [
        MailStatus.PENDING,
        MailStatus.UNKNOWN,
    ]
    assert adopt_orphans(FakeUnitOfWork(books)) == 0


def test_a_mail_is_tried_for_a_day_with_growing_delays() -> None:
    mail = a_mail()
    shift = FakeShift(books_with(mail))
    server = FakeMailServer(on_content=[Deferred("450 greylisted")] * 100)
    tried = []

    while (due := shift.books.mails[mail.id].next_attempt_at) is not None:
        shift.books.now = due
        tried.append(due)
        send_next(shift, server)

    delays = [after - before for before, after in pairwise(tried)]
    assert delays == sorted(delays)
    assert timedelta(hours=21) < tried[-1] - mail.created_at <= timedelta(hours=24)
    assert shift.books.mails[mail.id].status is MailStatus.FAILED
    assert len(shift.books.events) == len(shift.books.alerts) == 1
