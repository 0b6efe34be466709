"""What happens once before services start: migrations, queues, administrator, demo catalogue.

All of it may be repeated, but it takes longer than starting everything else. So the stack notes
beside the data for which code it was done, and leaves it out while that is still the same. Data
that was deleted, or put back from a backup, brings its own note along, or none.
"""

import json
from contextlib import closing
from pathlib import Path

from psycopg2 import sql

from stack import sources
from stack.context import Stack
from stack.home import write_private
from stack.servers import postgres, rabbitmq


def is_done(stack: Stack, what: str) -> bool:
    """Whether `what` was done by this very code on the data that is there now."""
    return _in_database(stack).get(what) == _in_broker(stack) == _code()


def note(stack: Stack, what: str) -> None:
    """Remember that it was done."""
    notes = _in_database(stack) | {what: _code()}
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}").format(
        sql.Identifier(postgres.DATABASE), sql.Literal(json.dumps(notes))
    )
    with closing(postgres.superuser(stack, postgres.DATABASE)) as database, database:
        database.cursor().execute(statement)
    write_private(_broker_note(stack), _code())


def _code() -> str:
    return sources.fingerprint(sources.SERVICES)


def _in_database(stack: Stack) -> dict[str, str]:
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    with closing(postgres.superuser(stack, "postgres")) as server, server.cursor() as cursor:
        cursor.execute(query, (postgres.DATABASE,))
        found = cursor.fetchone()
    notes: dict[str, str] = json.loads(found[0]) if found and found[0] else {}
    return notes


def _in_broker(stack: Stack) -> str:
    file = _broker_note(stack)
    return file.read_text() if file.exists() else ""


def _broker_note(stack: Stack) -> Path:
    return rabbitmq.node_folder(stack) / "prepared-for"
