"""The worker's process against mail servers that are late, away, or wide."""

from pathlib import Path

from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import Worker, notifier_on
from tests.support import notifier as news
from tests.support.waiting import wait_until


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
        rows = [notifier.settles(event.contact.email, "sent") for event in events]
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
