"""Links that are secrets are put into a mail on its way out, and stay nowhere."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from notifier.adapters.one_time_links import LinkingMailServer
from notifier.domain.mail import LINK_PLACE, Mail, MailStatus
from notifier.use_cases.errors import Deferred, NotWantedAnyMore, Unclear
from notifier.use_cases.sending import send_next
from tests.unit.notifier.fakes import Books, FakeMailServer, FakeShift, a_mail


@dataclass
class FakeLinks:
    problem: Exception | None = None
    asked: list[UUID] = field(default_factory=list)

    def link_for(self, request_id: UUID) -> str:
        self.asked.append(request_id)
        if self.problem:
            raise self.problem
        return f"https://shop.test/reset?a=1&b=2#token=secret-{len(self.asked)}"


@dataclass
class SeeingServer(FakeMailServer):
    seen: list[Mail] = field(default_factory=list)

    def hand_over(self, mail: Mail) -> None:
        self.seen.append(mail)
        super().hand_over(mail)


def a_reset_mail() -> Mail:
    return a_mail(
        link_request=uuid4(), text=f"Here: {LINK_PLACE}", html=f'<a href="{LINK_PLACE}">Here</a>'
    )


def test_s09_the_link_is_in_the_mail_and_not_in_the_ledger() -> None:
    mail, links, server = a_reset_mail(), FakeLinks(), SeeingServer()
    books = Books(mails={mail.id: mail})

    assert send_next(FakeShift(books), LinkingMailServer(server, links))

    assert links.asked == [mail.link_request]
    assert server.seen[0].text == "Here: https://shop.test/reset?a=1&b=2#token=secret-1"
    assert "a=1&amp;b=2#token=secret-1" in server.seen[0].html
    assert books.mails[mail.id].status is MailStatus.SENT
    assert "secret" not in repr(books.mails[mail.id])


def test_a_second_attempt_has_a_fresh_link() -> None:
    mail, links, server = a_reset_mail(), FakeLinks(), SeeingServer(on_content=[Unclear("lost")])
    shift = FakeShift(Books(mails={mail.id: mail}))

    send_next(shift, LinkingMailServer(server, links))
    shift.wait(60)
    send_next(shift, LinkingMailServer(server, links))

    assert [seen.text.rpartition("#")[2] for seen in server.seen] == [
        "token=secret-1",
        "token=secret-2",
    ]


def test_a_mail_whose_link_nobody_wants_any_more_is_dropped_without_an_alert() -> None:
    mail, server = a_reset_mail(), SeeingServer()
    books = Books(mails={mail.id: mail})

    send_next(FakeShift(books), LinkingMailServer(server, FakeLinks(NotWantedAnyMore("over"))))

    assert server.seen == []
    assert books.mails[mail.id].status is MailStatus.FAILED
    assert (books.alerts, books.events) == ({}, [])


def test_while_identity_does_not_answer_the_mail_waits() -> None:
    mail, server = a_reset_mail(), SeeingServer()
    books = Books(mails={mail.id: mail})

    send_next(FakeShift(books), LinkingMailServer(server, FakeLinks(Deferred("away"))))

    assert books.mails[mail.id].status is MailStatus.PENDING
    assert server.seen == []


def test_other_mails_ask_for_no_link() -> None:
    mail, links = a_mail(), FakeLinks()

    send_next(FakeShift(Books(mails={mail.id: mail})), LinkingMailServer(FakeMailServer(), links))

    assert links.asked == []
