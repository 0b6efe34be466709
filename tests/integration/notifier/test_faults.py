"""The worker's process against a mail server that misbehaves, and killed in the middle of it.

The mail server is the sandbox: a process of its own, with a login and faults to switch on. What it
has taken is counted there.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.notifier.notifying import Notifier, Worker, notifier_on
from tests.integration.sandbox.running import Sandbox
from tests.support import notifier as news
from tests.support.waiting import wait_until


@pytest.fixture
def notifier(database_url: str, sandbox_smtp_url: str) -> Iterator[Notifier]:
    wired = notifier_on(database_url, sandbox_smtp_url)
    yield wired
    wired.deps.engine.dispose()


@pytest.fixture(scope="module")
def worker(
    migrated: str, sandbox_smtp_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worker]:
    """One for all tests, as a shop has it; a test that kills it starts it again."""
    log = tmp_path_factory.mktemp("worker") / "worker.log"
    process = Worker(migrated, sandbox_smtp_url, log)
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


def taken_in_the_end(notifier: Notifier, recipient: str) -> Any:
    """The mail once it is sent, without the time that is waited for."""

    def taken() -> Any:
        try_again_now(notifier)
        mail = notifier.mail(recipient)
        return mail if (mail.status, mail.claimed_by) == ("sent", None) else None

    return wait_until(taken, what=f"a sent mail to {recipient}")


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

    row = taken_in_the_end(notifier, recipient)

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

    taken_in_the_end(notifier, recipient)

    assert len(names_at(sandbox, recipient)) == 1


def test_a_cut_after_the_final_dot_costs_one_copy_with_the_same_name(
    worker: Worker, notifier: Notifier, sandbox: Sandbox
) -> None:
    recipient = an_order_mail(notifier, sandbox, fault="drop_after_store")

    row = taken_in_the_end(notifier, recipient)

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
