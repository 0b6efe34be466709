"""Notifier asks identity for a link, here over a socket."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest

from notifier.adapters import templates_of_staff
from notifier.adapters.one_time_links import IdentityLinks
from notifier.domain.letter import Template
from notifier.domain.template import Edition, Source
from notifier.use_cases.errors import Deferred, NotWantedAnyMore
from oja_events.contracts import Event
from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import Notifier
from tests.support import notifier as news

TOKEN = "t" * 40


@contextmanager
def identity(
    status: int, says: bytes = b'{"url": "https://shop.test/x#token=1"}'
) -> Iterator[tuple[str, list[tuple[str, str | None, dict[str, str]]]]]:
    """A server that answers with this status; yields its URL and what it was asked."""
    asked: list[tuple[str, str | None, dict[str, str]]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers["Authorization"], body))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(says)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked


def test_it_shows_its_token_and_gets_the_link() -> None:
    request_id = uuid4()
    with identity(200) as (url, asked):
        link = IdentityLinks(url, TOKEN).link_for(request_id)

    assert link == "https://shop.test/x#token=1"
    assert asked == [
        ("/internal/one-time-links", f"Bearer {TOKEN}", {"request_id": str(request_id)})
    ]


@pytest.mark.parametrize(
    ("status", "problem"), [(410, NotWantedAnyMore), (401, Deferred), (503, Deferred)]
)
def test_a_refusal_says_whether_to_ask_again(status: int, problem: type[Exception]) -> None:
    with identity(status) as (url, _), pytest.raises(problem):
        IdentityLinks(url, TOKEN).link_for(uuid4())


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b"[]", b"{}", b'"url"', b'{"url": null}'], ids=repr
)
def test_an_answer_without_a_link_means_later(body: bytes) -> None:
    with identity(200, body) as (url, _), pytest.raises(Deferred, match="without a link"):
        IdentityLinks(url, TOKEN).link_for(uuid4())


def test_nobody_there_means_later() -> None:
    with pytest.raises(Deferred, match="ConnectionRefusedError"):
        IdentityLinks("http://127.0.0.1:1", TOKEN).link_for(uuid4())


@pytest.mark.parametrize(
    "event", [news.password_reset_requested(), news.email_verification_requested()], ids=str
)
def test_what_stands_around_a_link_is_in_the_mail_and_nowhere_else(
    notifier: Notifier, mail_server: MailServer, event: Event
) -> None:
    notifier.hears(event)
    (written,) = notifier.rows("SELECT * FROM mails")

    with notifier.sending():
        (received,) = mail_server.waits_for(written.recipient)
        kept = notifier.settles(written.recipient, "sent")

    link = f"https://shop.test/account#token={written.link_request}"
    for kind in ("plain", "html"):
        assert link in received.message.get_body((kind,)).get_content()
    assert (written.text, written.html, kept.text, kept.html) == ("", "", "", "")
    assert "token=" not in str(kept)
    assert len(kept.sha256) == 64
    assert kept.sha256 == written.sha256


def test_a_mail_with_a_link_leaves_in_the_words_that_were_in_use_when_it_was_written(
    notifier: Notifier, mail_server: MailServer
) -> None:
    def say(word: str) -> None:
        source = Source(word, f"{word} {{{{ link }}}}", f"<p>{word} {{{{ link }}}}</p>")
        with notifier.deps.unit_of_work() as uow:
            uow.templates.put(Template.RESET_PASSWORD, source, by="sade@oja.example")
            uow.commit()

    event = news.password_reset_requested()
    say("Then")
    notifier.hears(event)
    say("Now")

    with notifier.sending():
        (received,) = mail_server.waits_for(event.email)

    assert received.message["Subject"] == "Then"
    assert received.message.get_body(("plain",)).get_content().startswith("Then https://")


def test_a_mail_with_a_link_is_sent_again_with_a_body(
    notifier: Notifier, mail_server: MailServer
) -> None:
    event = news.password_reset_requested()
    notifier.hears(event)

    with notifier.sending():
        original = notifier.settles(event.email, "sent")
        with notifier.deps.unit_of_work() as uow:
            uow.mails.copy(original.id, by="sade@oja.example")
            uow.commit()
        first, second = mail_server.waits_for(event.email, 2)

    assert first.message["Message-ID"] != second.message["Message-ID"]
    assert first.message.get_body().get_content() == second.message.get_body().get_content()


def test_a_mail_with_a_link_that_new_words_do_not_fit_holds_up_nobody(
    notifier: Notifier, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfit, other = news.password_reset_requested(), news.order_shipped()
    newer = Edition(version="shipped-newer", source=Source("Hello", "{{ shoe_size }}", "<p></p>"))
    for event in (unfit, other):
        notifier.hears(event)

    with monkeypatch.context() as deployed:
        deployed.setattr(templates_of_staff, "shipped", lambda _: newer)
        with notifier.sending(senders=1):
            notifier.settles(other.contact.email, "sent")
            kept = notifier.mail(unfit.email)
    with notifier.sending(senders=1):
        notifier.settles(unfit.email, "sent")

    assert (kept.status, kept.claimed_by) == ("pending", None)
    assert kept.last_error == "no words for it: text, 'shoe_size' is undefined"
