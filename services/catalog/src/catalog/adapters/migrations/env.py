"""Run by Alembic; see oja_events.migrating."""

from oja_events.migrating import run_env

run_env()
