"""Against the sandbox's mail server: a process of its own, with a login and faults to switch on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.notifier.notifying import Notifier, notifier_on
from tests.integration.sandbox.running import SMTP_PASSWORD, SMTP_USER, Sandbox
from tests.support import notifier as news

NO_SHOP = "http://127.0.0.1:1/webhook"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    process = Sandbox(Path(tmp_path_factory.mktemp("sandbox")), NO_SHOP)
    process.start()
    yield process
    process.end()


@pytest.fixture
def notifier(database_url: str, sandbox: Sandbox) -> Iterator[Notifier]:
    login = f"{SMTP_USER}:{SMTP_PASSWORD}"
    wired = notifier_on(database_url, f"smtp://{login}@127.0.0.1:{sandbox.smtp_port}")
    yield wired
    wired.deps.engine.dispose()


def received(sandbox: Sandbox, recipient: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = sandbox.get("/mail/messages", params={"recipient": recipient})[
        "items"
    ]
    return items


def test_a_mail_arrives_readable_in_both_its_forms(notifier: Notifier, sandbox: Sandbox) -> None:
    event = news.order_placed()
    notifier.hears(event)

    with notifier.sending():
        notifier.settles(event.contact.email, "sent")

    (mail,) = received(sandbox, event.contact.email)
    assert mail["from"] == "orders@oja.example"
    assert mail["subject"] == "We have your order OJ-100042"
    for form in ("text", "html"):
        assert "₦21,500.50" in mail[form]
        assert "9 October 2026, 14:35 (Lagos time)" in mail[form]


@pytest.mark.parametrize("fault", ["421", "450", "drop_before_store"])
def test_a_fault_before_the_mail_is_taken_costs_no_copy(
    notifier: Notifier, sandbox: Sandbox, fault: str
) -> None:
    event = news.order_shipped()
    sandbox.post("/_sandbox/mail/faults", recipient=event.contact.email, fault=fault, times=1)
    notifier.hears(event)

    with notifier.sending():
        notifier.settles(event.contact.email, "sent")

    assert len(received(sandbox, event.contact.email)) == 1


def test_a_cut_after_the_mail_was_taken_costs_one_copy_with_the_same_name(
    notifier: Notifier, sandbox: Sandbox
) -> None:
    event = news.order_shipped()
    sandbox.post(
        "/_sandbox/mail/faults", recipient=event.contact.email, fault="drop_after_store", times=1
    )
    notifier.hears(event)

    with notifier.sending():
        notifier.settles(event.contact.email, "sent")

    first, second = received(sandbox, event.contact.email)
    assert first["message_id"] == second["message_id"]
