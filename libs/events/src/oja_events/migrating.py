"""Alembic for one service: its own history, in its own schema, by the role that owns the schema."""

from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

from oja_events import schema

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('oja migrations'), hashtext(:service))")


def migrate(service: str, migrations: Path, url: str | None) -> None:
    """Bring the schema to the newest revision; safe to repeat and to run twice at once."""
    if url is None:
        raise SystemExit("MIGRATION_DATABASE_URL is not set")
    config = Config()
    config.set_main_option("script_location", str(migrations))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(_LOCK, {"service": service})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        schema.create_access_mark(_Plain(connection))
        schema.create_feed(_Plain(connection))
    engine.dispose()


class _Plain:
    """A connection that executes plain SQL, as Alembic's `op` does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sqltext: str) -> None:
        self._connection.execute(text(sqltext))


def run_env() -> None:
    """What a service's `migrations/env.py` calls: migrate on the connection given by `migrate`."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
