"""Every service's migrations make the tables that its code expects, however often they run."""

from importlib import import_module
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, create_engine, text

from oja_events import schema
from oja_events.migrating import migrate
from stack.services import SERVICES
from tests.support.postgres import scratch_database

MIGRATIONS_TABLE = "alembic_version"


class _Recorder:
    """Takes the place of Alembic's `op`, to learn which tables come from oja_events."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sqltext: str) -> None:
        self._connection.execute(text(sqltext))


# Not once for all tests: among them is the partition of the day, and midnight may come in between.
@pytest.fixture
def tables_for_events() -> set[str]:
    """The names of the tables that oja_events brings along: no service maps them."""
    with scratch_database() as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            schema.create_v1(_Recorder(connection))
            schema.create_access_mark(_Recorder(connection))
            schema.create_feed(_Recorder(connection))
            names = _names(connection)
        engine.dispose()
    return names


@pytest.mark.parametrize("service", SERVICES)
def test_migrating_makes_the_tables_of_the_code_and_migrating_again_changes_nothing(
    service: str, tables_for_events: set[str]
) -> None:
    folder = import_module(f"{service}.bootstrap").MIGRATIONS
    expected: MetaData = import_module(f"{service}.adapters.tables").Base.metadata
    with scratch_database() as url:
        migrate(service, folder, url)
        once = _seen(url, expected, tables_for_events)
        migrate(service, folder, url)
        twice = _seen(url, expected, tables_for_events)

    assert once == ([], set(expected.tables) | tables_for_events | {MIGRATIONS_TABLE})
    assert twice == once


@pytest.mark.parametrize("service", SERVICES)
def test_every_check_of_the_code_is_in_the_database(service: str) -> None:
    expected: MetaData = import_module(f"{service}.adapters.tables").Base.metadata
    wanted = {
        constraint.name
        for table in expected.tables.values()
        for constraint in table.constraints
        if constraint.__visit_name__ == "check_constraint" and isinstance(constraint.name, str)
    }
    with scratch_database() as url:
        migrate(service, import_module(f"{service}.bootstrap").MIGRATIONS, url)
        engine = create_engine(url)
        with engine.connect() as connection:
            found = connection.scalars(
                text("SELECT conname FROM pg_constraint WHERE contype = 'c'")
            )
            names = set(found)
        engine.dispose()

    assert wanted <= names


def _seen(url: str, expected: MetaData, ignored: set[str]) -> tuple[list[Any], set[str]]:
    """What differs from the metadata, and which tables there are."""

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name not in ignored

    engine = create_engine(url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": False, "include_name": ours}
        context = MigrationContext.configure(connection, opts=options)
        seen = compare_metadata(context, expected), _names(connection)
    engine.dispose()
    return seen


def _names(connection: Connection) -> set[str]:
    query = text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    return set(connection.scalars(query))
