"""Statements are prepared once for a connection, and nobody who writes one has to know."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from oja_events import prepared
from oja_events.audit import AuditReader, audit_log

PREPARED = "SELECT statement FROM pg_prepared_statements WHERE statement !~ 'pg_|current_'"


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


def known(connection: Connection) -> list[str]:
    """What the connection has prepared, but this question and what the library asks at first."""
    return list(connection.execute(text(PREPARED)).scalars())


def answer(connection: Connection, statement: str, **values: Any) -> Any:
    return connection.execute(text(statement), values).scalar_one()


def test_what_is_asked_again_is_prepared_once(connection: Connection) -> None:
    answers = [answer(connection, "SELECT 1 + :more", more=more) for more in range(9)]

    assert answers == [*range(1, 10)]
    [statement] = known(connection)
    assert "SELECT 1 + $1" in statement


def test_a_rollback_forgets_no_statement(engine: Engine) -> None:
    for _ in range(2):
        with engine.connect() as connection:
            assert answer(connection, "SELECT 1 + :more", more=1) == 2
            connection.rollback()

    with engine.connect() as connection:
        assert len(known(connection)) == 1


def test_values_are_what_the_statement_takes_them_for(connection: Connection) -> None:
    some = uuid4()
    connection.execute(text("CREATE TEMP TABLE things (id uuid, made timestamptz DEFAULT now())"))

    for ids in ([str(some)], [str(some), str(uuid4())], []):
        connection.execute(
            text("INSERT INTO things SELECT unnest(CAST(:ids AS uuid[]))"), {"ids": ids}
        )
    young = "SELECT count(*) FROM things WHERE made > now() - :age AND id = :id"

    assert answer(connection, young, age=timedelta(minutes=1), id=some) == 2
    assert answer(connection, young, age=timedelta(minutes=-1), id=some) == 0
    assert isinstance(answer(connection, "SELECT id FROM things LIMIT :most", most=1), UUID)


def test_none_does_not_settle_what_may_come_in_its_place(connection: Connection) -> None:
    unknown = "SELECT (now() - :age) IS NULL"

    answers = [answer(connection, unknown, age=age) for age in (None, timedelta(minutes=1), None)]

    assert answers == [True, False, True]


def test_a_percent_sign_is_one(connection: Connection) -> None:
    like = "SELECT count(*) FROM (VALUES ('oja'), ('shop')) AS t (name) WHERE name LIKE 'o%'"

    assert answer(connection, like) == 1
    assert answer(connection, like + " AND name <> :other", other="%") == 1


def test_what_was_not_asked_for_longest_makes_room(connection: Connection) -> None:
    with mock.patch.object(prepared, "MOST", 3):
        for number in [1, 2, 3, 2, 4, 1]:
            known(connection)
            assert answer(connection, f"SELECT {number}") == number

        assert sorted(statement[-1] for statement in known(connection)) == ["1", "4"]


def test_a_statement_that_cannot_be_prepared_is_an_error_and_no_more(engine: Engine) -> None:
    for _ in range(2):
        with pytest.raises(ProgrammingError, match="no_such_table"), engine.begin() as connection:
            connection.execute(text("SELECT * FROM no_such_table"))

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE no_such_table (id int)"))
        assert connection.execute(text("SELECT * FROM no_such_table")).all() == []


def test_a_changed_schema_costs_one_error(engine: Engine) -> None:
    asked = text("SELECT * FROM things")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (id int)"))
        connection.execute(asked)
        connection.execute(text("ALTER TABLE things ADD COLUMN name text"))

    with pytest.raises(DBAPIError, match="cached plan"), engine.connect() as connection:
        connection.execute(asked)

    with engine.connect() as connection:
        assert list(connection.execute(asked).keys()) == ["id", "name"]


@pytest.mark.parametrize(
    "impossible",
    [
        "SELECT DISTINCT id FROM things FOR UPDATE",
        "SELECT date_trunc('timezone', made) FROM things WHERE id = :id",
    ],
    ids=["when it is prepared", "when it is executed"],
)
def test_what_postgres_cannot_do_is_an_error_of_the_statement_alone(
    engine: Engine, impossible: str
) -> None:
    """It has the code of an outdated plan, but a new connection would not help."""
    backends = set()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (id int, made timestamptz)"))
        connection.execute(text("INSERT INTO things VALUES (1, now())"))

    for _ in range(2):
        with engine.connect() as connection:
            backends.add(answer(connection, "SELECT pg_backend_pid()"))
            with pytest.raises(DBAPIError) as refused:
                connection.execute(text(impossible), {"id": 1})
        assert getattr(refused.value.orig, "pgcode", None) == "0A000"
        assert not refused.value.connection_invalidated
    assert len(backends) == 1


def test_what_depends_on_its_values_is_planned_for_them(engine: Engine) -> None:
    with engine.execution_options(**prepared.FOR_ITS_VALUES).connect() as connection:
        assert answer(connection, "SELECT 1 + :more", more=1) == 2

    with engine.connect() as connection:
        assert known(connection) == []


def test_so_are_the_pages_of_the_audit_log(engine: Engine) -> None:
    with engine.begin() as connection:
        audit_log(MetaData()).create(connection)

    AuditReader(engine).page(size=10, action="product.change", after=1000, with_total=True)

    with engine.connect() as connection:
        assert not [statement for statement in known(connection) if "FROM audit_log" in statement]


def test_a_plan_that_was_made_for_an_empty_table_is_right_for_a_full_one(
    connection: Connection,
) -> None:
    connection.execute(text("CREATE TEMP TABLE things (id int PRIMARY KEY)"))
    connection.execute(text("ANALYZE things"))
    for number in range(9):
        connection.execute(text("SELECT * FROM things WHERE id = :id"), {"id": number})

    [name] = connection.execute(
        text(
            "SELECT name FROM pg_prepared_statements "
            "WHERE statement ~ 'FROM things' AND statement !~ 'pg_'"
        )
    ).scalars()
    plan = connection.exec_driver_sql(f"EXPLAIN EXECUTE {name} (1)").scalars().all()

    assert not any("Seq Scan" in line for line in plan)


def test_rows_that_are_fetched_bit_by_bit_are_not_prepared(connection: Connection) -> None:
    rows = connection.execution_options(stream_results=True).execute(
        text("SELECT generate_series(1, CAST(:last AS int))"), {"last": 3000}
    )

    assert sum(row[0] for row in rows) == 4501500
