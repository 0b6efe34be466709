"""What a connection costs, and what becomes of one that died."""

import traceback
from collections.abc import Iterator
from unittest import mock

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from oja_events import database
from oja_events.database import make_engine, ping


@pytest.fixture
def pings(engine: Engine) -> Iterator[mock.Mock]:
    ping(engine)
    with mock.patch.object(engine.dialect, "do_ping", wraps=engine.dialect.do_ping) as pings:
        yield pings


def test_a_connection_that_was_just_used_is_trusted(engine: Engine, pings: mock.Mock) -> None:
    with mock.patch.object(database, "RESTED_SECONDS", 60.0):
        ping(engine)

    assert pings.call_count == 0


def test_a_connection_that_rested_is_asked_first(engine: Engine, pings: mock.Mock) -> None:
    with mock.patch.object(database, "RESTED_SECONDS", 0.0):
        ping(engine)

    assert pings.call_count == 1


def test_a_connection_that_died_in_its_rest_is_replaced_without_a_word(engine: Engine) -> None:
    with engine.connect() as connection:
        before = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    kill(engine, before)

    with mock.patch.object(database, "RESTED_SECONDS", 0.0), engine.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != before


def test_who_used_a_connection_for_single_statements_leaves_it_as_it_was(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT 1"))

    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        raw = connection.connection.dbapi_connection
        assert raw is not None
        assert (raw.autocommit, raw.isolation_level) == (False, None)


def kill(engine: Engine, backend: int) -> None:
    """From a connection outside of the pool."""
    other = make_engine(
        engine.url.render_as_string(hide_password=False), application="test", pool_size=1
    )
    with other.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend}
        )
    other.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO people VALUES ('ada@example.com', 1)",
        "INSERT INTO people VALUES ('ada@example.com' || E'\\nand more', -1)",
        "INSERT INTO people (email) VALUES ('ada@example.com')",
    ],
    ids=["another one has it", "it breaks a rule", "something is missing"],
)
def test_s62_an_error_of_the_database_shows_no_row(engine: Engine, statement: str) -> None:
    """Postgres writes the row that it refuses into the detail of the error."""
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE people (email text UNIQUE, age int NOT NULL CHECK (age > 0))")
        )
        connection.execute(text("INSERT INTO people VALUES ('ada@example.com', 1)"))

    with pytest.raises(IntegrityError) as refused, engine.begin() as connection:
        connection.exec_driver_sql(statement)

    shown = "".join(traceback.format_exception(refused.value))
    assert "and more" not in shown.replace(statement, "")
    assert "ada@example.com" not in shown.replace(statement, "")
    assert "people" in str(refused.value.orig)


def test_s46_no_statement_runs_for_ever(engine: Engine) -> None:
    with engine.connect() as connection:
        limits = {
            name: connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        }

    assert limits == {
        "statement_timeout": "10s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "15s",
    }
