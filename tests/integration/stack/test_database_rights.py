"""S59: what the database lets a service do, tried with its own password."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from stack.services import SERVICES
from tests.support.servers import Servers
from tests.support.waiting import wait_until

REFUSED = psycopg2.errors.InsufficientPrivilege
PAIRS = [(one, other) for one in SERVICES for other in SERVICES if one != other]


@contextmanager
def cursor_of(servers: Servers, service: str) -> Iterator[Any]:
    url = servers.variables(service)["DATABASE_URL"].replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def as_owners(servers: Servers, statement: str) -> None:
    """Run it in every schema as its owner, as a migration would."""
    with closing(psycopg2.connect(servers.description["postgres"]["superuser_dsn"])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for service in SERVICES:
                cursor.execute(f"SET ROLE {service}_owner; SET search_path = {service}")
                cursor.execute(statement)


@pytest.fixture(scope="module")
def notes(servers: Servers) -> Iterator[Servers]:
    """A table in every schema."""
    as_owners(servers, "CREATE TABLE note (id int PRIMARY KEY, words text)")
    yield servers
    as_owners(servers, "DROP TABLE note")


@pytest.mark.parametrize("service", SERVICES)
def test_s59_a_service_does_not_know_the_password_of_its_owner(
    servers: Servers, service: str
) -> None:
    assert "MIGRATION_DATABASE_URL" not in servers.variables(service)


@pytest.mark.parametrize("service", SERVICES)
def test_s59_a_service_reads_and_writes_its_own_rows(notes: Servers, service: str) -> None:
    with cursor_of(notes, service) as cursor:
        cursor.execute("INSERT INTO note VALUES (1, 'mine')")
        cursor.execute("UPDATE note SET words = 'still mine' RETURNING words")
        assert cursor.fetchone() == ("still mine",)
        cursor.execute("DELETE FROM note")


@pytest.mark.parametrize(("service", "other"), PAIRS)
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM {other}.note",
        "INSERT INTO {other}.note VALUES (2, 'theirs')",
        "DELETE FROM {other}.note",
        "SET ROLE {other}",
        "SET ROLE {other}_owner",
    ],
    ids=["read", "write", "delete", "act as the service", "act as its owner"],
)
def test_s59_a_service_reaches_nothing_of_another(
    notes: Servers, service: str, other: str, statement: str
) -> None:
    with cursor_of(notes, service) as cursor, pytest.raises(REFUSED):
        cursor.execute(statement.format(other=other))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE extra (id int)",
        "CREATE TABLE public.extra (id int)",
        "CREATE TEMP TABLE extra (id int)",
        "CREATE SCHEMA extra",
        "CREATE EXTENSION dblink",
        "ALTER TABLE note ADD more int",
        "DROP TABLE note",
        "TRUNCATE note",
        "CREATE ROLE extra",
        "SELECT * FROM pg_authid",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "ALTER ROLE {service} SUPERUSER",
        "SET ROLE {service}_owner",
    ],
)
def test_s59_a_service_changes_no_schema_and_no_rights(
    notes: Servers, service: str, statement: str
) -> None:
    with cursor_of(notes, service) as cursor, pytest.raises(REFUSED):
        cursor.execute(statement.format(service=service))


def test_s59_no_role_of_a_service_is_more_than_a_login(servers: Servers) -> None:
    with cursor_of(servers, "catalog") as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles WHERE (rolsuper OR rolcreatedb OR rolcreaterole"
            " OR rolreplication OR rolbypassrls) AND rolname NOT LIKE 'pg\\_%'"
        )

        assert cursor.fetchall() == [("postgres",)]


def test_s59_nobody_gets_in_without_a_password(servers: Servers) -> None:
    url = servers.variables("catalog")["DATABASE_URL"].replace("+psycopg2", "")
    where = url.partition("@")[2]

    for account in ("catalog", "postgres", "catalog:wrong"):
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(f"postgresql://{account}@{where}")


def test_s62_the_log_of_the_database_shows_no_row(notes: Servers) -> None:
    secret = f"canary-{uuid4().hex}"
    with cursor_of(notes, "catalog") as cursor:
        cursor.execute("INSERT INTO note VALUES (7, 'first')")
        with pytest.raises(psycopg2.errors.UniqueViolation):
            cursor.execute("INSERT INTO note VALUES (7, %s)", (secret,))
        with pytest.raises(psycopg2.errors.NotNullViolation):
            cursor.execute("INSERT INTO note VALUES (NULL, %s)", (secret,))
        cursor.execute("DELETE FROM note")

    log = notes.home / "log" / "postgres.log"
    wait_until(lambda: "violates not-null constraint" in log.read_text())
    assert secret not in log.read_text()


@contextmanager
def cursor_of_auditor(servers: Servers) -> Iterator[Any]:
    password = (servers.home / "credentials" / "database-auditor").read_text().strip()
    where = servers.description["postgres"]["superuser_dsn"].partition("@")[2]
    with closing(psycopg2.connect(f"postgresql://auditor:{password}@{where}")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


@pytest.mark.parametrize("service", sorted({*SERVICES} - {"identity"}))
def test_an_auditor_reads_what_a_service_has_written(notes: Servers, service: str) -> None:
    with cursor_of_auditor(notes) as cursor:
        cursor.execute(f"SELECT count(*) FROM {service}.note")

        assert cursor.fetchone() == (0,)


def test_an_auditor_does_not_see_what_identity_knows(notes: Servers) -> None:
    with cursor_of_auditor(notes) as cursor, pytest.raises(REFUSED):
        cursor.execute("SELECT * FROM identity.note")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {service}.note VALUES (3, 'mine')",
        "UPDATE {service}.note SET words = 'other'",
        "DELETE FROM {service}.note",
        "CREATE TABLE {service}.extra (id int)",
        "SET ROLE {service}",
    ],
)
def test_an_auditor_changes_nothing_even_if_it_wants_to(
    notes: Servers, service: str, statement: str
) -> None:
    with cursor_of_auditor(notes) as cursor:
        cursor.execute("SET default_transaction_read_only = off")

        with pytest.raises(REFUSED):
            cursor.execute(statement.format(service=service))
