"""What a mail looks like where it arrives: in the sandbox's mail box."""

from collections.abc import Iterator

import pytest

from tests.integration.notifier.notifying import Notifier, notifier_on
from tests.integration.sandbox.running import Sandbox
from tests.support import notifier as news


@pytest.fixture
def notifier(database_url: str, sandbox_smtp_url: str) -> Iterator[Notifier]:
    wired = notifier_on(database_url, sandbox_smtp_url)
    yield wired
    wired.deps.engine.dispose()


def test_a_mail_arrives_readable_in_both_its_forms(notifier: Notifier, sandbox: Sandbox) -> None:
    event = news.order_placed()
    notifier.hears(event)

    with notifier.sending():
        notifier.settles(event.contact.email, "sent")

    asked = {"recipient": event.contact.email}
    (mail,) = sandbox.get("/mail/messages", params=asked)["items"]
    assert mail["from"] == "orders@oja.example"
    assert mail["subject"] == "We have your order OJ-100042"
    for form in ("text", "html"):
        assert "₦21,500.50" in mail[form]
        assert "9 October 2026, 14:35 (Lagos time)" in mail[form]
