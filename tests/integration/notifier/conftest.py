"""A migrated and empty database for each test, notifier wired to it, and a mail server."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from notifier.bootstrap import MIGRATIONS, SERVICE
from notifier.domain import mail
from notifier.entrypoints import sender
from notifier.entrypoints import worker as worker_entrypoint
from oja_events.migrating import migrate
from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import Notifier, Worker, notifier_on
from tests.integration.sandbox.running import SMTP_PASSWORD, SMTP_USER, Sandbox
from tests.support.postgres import empty, scratch_database


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Senders in the process of the tests wait less where it does not matter how long."""
    soon, often = 0.05, 0.2
    for name in ("ONCE_MORE_AFTER", "PUT_BACK_FOR"):
        monkeypatch.setattr(mail, name, timedelta(seconds=soon))
    monkeypatch.setattr(sender, "AWAY_DELAYS", (soon, 2 * soon))
    for name in ("ADOPTIONS", "DIGESTS", "LOOKS_FOR_PARKED"):
        monkeypatch.setattr(worker_entrypoint, f"SECONDS_BETWEEN_{name}", often)


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not wanted now is tried again at once, for the first time."""
    _, *later = mail._DELAYS
    monkeypatch.setattr(mail, "_DELAYS", (timedelta(seconds=0.05), *later))


@pytest.fixture
def long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not matter how much of a wait is over when a test comes to look."""
    monkeypatch.setattr(mail, "_DELAYS", tuple(60 * delay for delay in mail._DELAYS))


@pytest.fixture(scope="session")
def migrated() -> Iterator[str]:
    """One database for all tests: emptying it is many times faster than making another one."""
    with scratch_database() as url:
        migrate(SERVICE, MIGRATIONS, url)
        yield url


@pytest.fixture
def database_url(migrated: str) -> Iterator[str]:
    """As the migrations have left it."""
    yield migrated
    empty(migrated, keep=("mail_pace",))
    engine = create_engine(migrated)
    with engine.begin() as connection:
        connection.execute(text("UPDATE mail_pace SET next_at = '-infinity'"))
    engine.dispose()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    with server.running():
        yield server


@pytest.fixture
def notifier(database_url: str, mail_server: MailServer) -> Iterator[Notifier]:
    wired = notifier_on(database_url, mail_server.url)
    yield wired
    wired.deps.engine.dispose()


@pytest.fixture
def worker(database_url: str, mail_server: MailServer, tmp_path: Path) -> Iterator[Worker]:
    """Started; killed with the test at the latest."""
    process = Worker(database_url, mail_server.url, tmp_path / "worker.log")
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    process = Sandbox(Path(tmp_path_factory.mktemp("sandbox")), "http://127.0.0.1:1/webhook")
    process.start()
    yield process
    process.end()


@pytest.fixture(scope="session")
def sandbox_smtp_url(sandbox: Sandbox) -> str:
    return f"smtp://{SMTP_USER}:{SMTP_PASSWORD}@127.0.0.1:{sandbox.smtp_port}"
