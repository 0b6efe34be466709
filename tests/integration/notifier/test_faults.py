"""The worker's process against mail servers that misbehave, and killed in the middle of it.

What a mail server has taken is counted at the mail server. Most of it is the sandbox: a process of
its own, with a login and faults to switch on.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import Notifier, Worker, notifier_on
from tests.integration.sandbox.running import Sandbox
from tests.support import notifier as news
from tests.support.waiting import wait_until


@pytest.fixture
def notifier(database_url: str, sandbox_smtp_url: str) -> Iterator[Notifier]:
    wired = notifier_on(database_url, sandbox_smtp_url)
    yield wired
    wired.deps.engine.dispose()


@pytest.fixture
def worker(database_url: str, sandbox_smtp_url: str, tmp_path: Path) -> Iterator[Worker]:
    process = Worker(database_url, sandbox_smtp_url, tmp_path / "worker.log")
    process.start()
    yield process
    process.kill()


def names_at(sandbox: Sandbox, recipient: str) -> list[str]:
    """The names of all copies that the sandbox took, oldest first."""
    found: Any = sandbox.get("/mail/messages", params={"recipient": recipient})["items"]
    return [mail["message_id"] for mail in reversed(found)]


def an_order_mail(notifier: Notifier, sandbox: Sandbox, **fault: Any) -> str:
    """Written, to meet this fault; the recipient."""
    event = news.order_shipped()
    if fault:
        sandbox.post("/_sandbox/mail/faults", recipient=event.contact.email, **fault)
    notifier.hears(event)
    return event.contact.email


def try_again_now(notifier: Notifier) -> None:
    notifier.rows(
        "UPDATE mails SET next_attempt_at = now()"
        " WHERE next_attempt_at > now() AND claimed_by IS NULL"
    )


@pytest.mark.parametrize("fault", ["421", "450"])
def test_what_is_not_wanted_now_goes_later(
    worker: Worker, notifier: Notifier, sandbox: Sandbox, fault: str
) -> None:
    recipient = an_order_mail(notifier, sandbox, fault=fault)

    row = notifier.settles(recipient, "sent")

    assert (row.attempts, row.doubts) == (2, 0)
    assert len(names_at(sandbox, recipient)) == 1


def test_a_server_that_greylists_gets_the_mail_when_it_wants_it(
    worker: Worker, notifier: Notifier, sandbox: Sandbox
) -> None:
    recipient = an_order_mail(notifier, sandbox, fault="450", times=4)

    def taken() -> Any:
        try_again_now(notifier)
        mail = notifier.mail(recipient)
        return mail if mail.status == "sent" else None

    row = wait_until(taken, timeout=20, what="the end of greylisting")

    assert (row.attempts, row.doubts) == (5, 0)
    assert len(names_at(sandbox, recipient)) == 1
    assert notifier.rows("SELECT FROM alerts") == []


def test_what_is_never_wanted_fails_and_staff_hear_of_it(
    worker: Worker, notifier: Notifier, sandbox: Sandbox
) -> None:
    recipient = an_order_mail(notifier, sandbox, fault="550")

    row = notifier.settles(recipient, "failed")

    assert row.last_error == "550 5.1.1 Mailbox unavailable"
    assert names_at(sandbox, recipient) == []
    assert [alert.occasion for alert in notifier.rows("SELECT * FROM alerts")] == [str(row.id)]


def test_a_cut_before_the_mail_was_taken_costs_no_copy(
    worker: Worker, notifier: Notifier, sandbox: Sandbox
) -> None:
    recipient = an_order_mail(notifier, sandbox, fault="drop_before_store")

    notifier.settles(recipient, "sent")

    assert len(names_at(sandbox, recipient)) == 1


def test_a_cut_after_the_final_dot_costs_one_copy_with_the_same_name(
    worker: Worker, notifier: Notifier, sandbox: Sandbox
) -> None:
    recipient = an_order_mail(notifier, sandbox, fault="drop_after_store")

    row = notifier.settles(recipient, "sent")

    first, second = names_at(sandbox, recipient)
    assert first == second == row.message_id
    assert row.doubts == 1


@pytest.mark.parametrize(("stage", "doubts"), [("rcpt", 0), ("data", 1)])
def test_killed_while_the_server_thinks_it_leaves_one_copy(
    worker: Worker, notifier: Notifier, sandbox: Sandbox, stage: str, doubts: int
) -> None:
    """The sandbox hangs before it stores the mail, so what was killed left none behind."""
    recipient = an_order_mail(notifier, sandbox, fault="hang", stage=stage, seconds=30)
    wait_until(lambda: not sandbox.get("/_sandbox/mail/faults")["items"], what="the mail's arrival")

    worker.kill()
    worker.start()

    row = notifier.settles(recipient, "sent")
    assert len(names_at(sandbox, recipient)) == 1
    assert row.doubts == doubts


def test_an_answer_that_comes_late_is_waited_for(
    database_url: str, mail_server: MailServer, tmp_path: Path
) -> None:
    late = mail_server.gates["stored"]
    notifier = notifier_on(database_url, mail_server.url)
    event = news.order_shipped()
    late.close()
    worker = Worker(database_url, mail_server.url, tmp_path / "late.log")
    worker.start()
    notifier.hears(event)
    wait_until(late.has_somebody_waiting, what="a mail without an answer")
    others = [news.order_shipped() for _ in range(3)]
    for other in others:
        notifier.hears(other)

    assert notifier.mail(event.contact.email).status == "sending"
    late.open()
    rows = [notifier.settles(each.contact.email, "sent") for each in (event, *others)]

    worker.kill()
    notifier.deps.engine.dispose()
    assert [(row.attempts, row.doubts) for row in rows] == [(1, 0)] * 4
    assert len(mail_server.inbox) == 4


def test_a_server_that_refuses_connections_delays_mails_and_nothing_else(
    database_url: str, tmp_path: Path
) -> None:
    server = MailServer()  # nobody listens there yet
    notifier = notifier_on(database_url, server.url)
    worker = Worker(database_url, server.url, tmp_path / "refused.log")
    worker.start()
    events = [news.order_shipped() for _ in range(5)]
    for event in events:
        notifier.hears(event)
    wait_until(lambda: notifier.rows("SELECT FROM mails WHERE last_error IS NOT NULL"))

    with server.running():
        rows = [notifier.settles(event.contact.email, "sent", timeout=20) for event in events]
        worker.kill()

    notifier.deps.engine.dispose()
    assert [(row.attempts, row.doubts) for row in rows] == [(1, 0)] * 5
    assert len(server.inbox) == 5


def test_as_many_mails_are_on_their_way_at_a_time_as_there_are_connections(
    database_url: str, mail_server: MailServer, tmp_path: Path
) -> None:
    notifier = notifier_on(database_url, mail_server.url)
    late, before = mail_server.gates["stored"], mail_server.connections
    late.close()
    for _ in range(9):
        notifier.hears(news.order_shipped())

    worker = Worker(database_url, mail_server.url, tmp_path / "wide.log", connections=5)
    worker.start()
    wait_until(lambda: len(mail_server.inbox) == 5, what="five mails at once")
    late.open()
    wait_until(lambda: not notifier.rows("SELECT FROM mails WHERE status <> 'sent'"))

    worker.kill()
    notifier.deps.engine.dispose()
    assert mail_server.connections - before == 5
    assert len(mail_server.inbox) == 9
