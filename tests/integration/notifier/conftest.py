"""A migrated and empty database for each test, notifier wired to it, and a mail server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from notifier.bootstrap import MIGRATIONS, SERVICE
from oja_events.migrating import migrate
from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import Notifier, Worker, notifier_on
from tests.support.postgres import scratch_database

EMPTY = (
    """DO $$ BEGIN EXECUTE (
        SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'mail_pace')
    ); END $$""",
    "UPDATE mail_pace SET next_at = '-infinity'",
)


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
    engine = create_engine(migrated)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '20s'"))
        for statement in EMPTY:
            connection.execute(text(statement))
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
