"""What a connection costs, and what becomes of one that died."""

from collections.abc import Iterator
from unittest import mock

import pytest
from sqlalchemy import Engine, text

from oja_events import database
from oja_events.database import make_engine, ping
from tests.support.postgres import scratch_database


@pytest.fixture
def engine() -> Iterator[Engine]:
    with scratch_database() as url:
        engine = make_engine(url, application="test", pool_size=1)
        yield engine
        engine.dispose()


@pytest.fixture
def pings(engine: Engine) -> Iterator[mock.Mock]:
    ping(engine)
    with mock.patch.object(engine.dialect, "do_ping", wraps=engine.dialect.do_ping) as pings:
        yield pings


def test_a_connection_that_was_just_used_is_trusted(engine: Engine, pings: mock.Mock) -> None:
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
