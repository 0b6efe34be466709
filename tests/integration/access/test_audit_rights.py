"""S32: a service adds to its audit log and reads it; what was written down stays as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError

from oja_events.migrating import migrate
from stack.services import SERVICES
from tests.support.postgres import scratch_database

NOTE = "INSERT INTO audit_log (at, action, detail) VALUES (now(), 'tried', '{}')"


@contextmanager
def role(engine: Engine, service: str) -> Iterator[None]:
    """The role of the service, with what the provisioner grants it on tables to come."""
    with engine.begin() as connection:
        known = connection.execute(text(f"SELECT FROM pg_roles WHERE rolname = '{service}'")).all()
        if not known:
            connection.execute(text(f"CREATE ROLE {service}"))
        for rights in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE ON SEQUENCES"):
            connection.execute(text(f"ALTER DEFAULT PRIVILEGES GRANT {rights} TO {service}"))
    yield
    # One that was there before belongs to a running shop, whose rights would be dropped too.
    if not known:
        with engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {service}"))
            connection.execute(text(f"DROP ROLE {service}"))


@pytest.fixture(scope="module", params=SERVICES)
def as_service(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A migrated database, and every connection to it in the role of its service."""
    service = request.param
    with scratch_database() as url:
        owner = create_engine(url)
        with role(owner, service):
            migrate(service, import_module(f"{service}.bootstrap").MIGRATIONS, url)
            engine = create_engine(url, connect_args={"options": f"-c role={service}"})
            yield engine
            engine.dispose()
        owner.dispose()


def test_s32_a_service_writes_down_and_reads(as_service: Engine) -> None:
    with as_service.begin() as connection:
        connection.execute(text(NOTE))

        assert connection.execute(text("SELECT action FROM audit_log")).scalars().all() == ["tried"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET action = 'nothing'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DROP TABLE audit_log",
        "ALTER TABLE audit_log DROP COLUMN actor_id",
    ],
)
def test_s32_a_service_changes_nothing_that_was_written_down(
    as_service: Engine, statement: str
) -> None:
    with (
        as_service.begin() as connection,
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
    ):
        connection.execute(text(statement))
