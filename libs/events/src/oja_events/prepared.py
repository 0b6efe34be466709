"""Statements that Postgres parses and plans once for each connection, instead of each time."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from psycopg2 import Error
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext, ExecutionContext

# Execution options for statements whose best plan depends on what is asked, as in a search.
FOR_ITS_VALUES = {"prepared": False}
# What a connection is set to. A plan that was made when a table was empty must still be the right
# one when it is full: the index, which is there for every statement that is asked again and again,
# and no workers, who are only worth their start where a whole table is read.
PLANNED_ONCE = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "max_parallel_workers_per_gather": "0",
}
# As many as psycopg 3 keeps for a connection; what was not used for longest makes room.
MOST = 100

_PREPARABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_VALUE = re.compile(r"%\((\w+)\)s")
_CAST = re.compile(r"CAST\(%\((\w+)\)s AS (\w+\[\])\)", re.IGNORECASE)
# What it answers no longer has the columns that it had when it was prepared. Postgres has the same
# code for all that it cannot do, so the place in its source that the error comes from counts too.
_OUTDATED = ("0A000", "RevalidateCachedQuery")


def prepare_statements(engine: Engine) -> None:
    """Let every connection of `engine` prepare each statement at its first use.

    Postgres spends more on planning the statements of an order than on executing them, and psycopg2
    cannot prepare. The connections must be the engine's own: a pooler that lends a connection
    to another client after each transaction would lend him these statements as well.
    """
    known = WeakKeyDictionary[Any, _Prepared]()

    def execute(
        cursor: Any, statement: str, values: Mapping[str, object], context: ExecutionContext
    ) -> bool:
        # A cursor with a name declares itself for its statement, which must not be an EXECUTE.
        wanted = context.execution_options.get("prepared", True)
        if cursor.name or not wanted or not _is_preparable(statement):
            return False
        prepared = known.get(cursor.connection) or known.setdefault(cursor.connection, _Prepared())
        prepared.execute(cursor, statement, values)
        return True

    event.listen(engine, "do_execute", execute)
    event.listen(engine, "handle_error", _give_up_outdated)


class _Prepared:
    """What one connection has prepared: by statement and the names of its intervals what executes
    it, last used last."""

    def __init__(self) -> None:
        self._executions = OrderedDict[tuple[str, tuple[str, ...]], str]()
        self._names = 0

    def execute(self, cursor: Any, statement: str, values: Mapping[str, object]) -> None:
        # Where None is given now, an interval may be given the next time.
        intervals = tuple(name for name in values if isinstance(values[name], timedelta))
        execution = self._executions.get((statement, intervals))
        if execution is None:
            execution = self._prepare(cursor, statement, intervals)
        self._executions.move_to_end((statement, intervals))
        cursor.execute(execution, values)

    def _prepare(self, cursor: Any, statement: str, intervals: tuple[str, ...]) -> str:
        if len(self._executions) >= MOST:
            _, oldest = self._executions.popitem(last=False)
            cursor.execute(f"DEALLOCATE {oldest.split()[1]}")
        self._names += 1
        name = f"statement_{self._names}"
        cursor.execute(f"PREPARE {name} AS {_numbered(statement, intervals)}")
        execution = f"EXECUTE {name} {_given(statement)}"
        self._executions[statement, intervals] = execution
        return execution


def _is_preparable(statement: str) -> bool:
    return statement.lstrip()[:6].upper().startswith(_PREPARABLE)


def _numbered(statement: str, intervals: tuple[str, ...]) -> str:
    def parameter(found: re.Match[str]) -> str:
        # Of `now() - $1` Postgres would believe that a time is meant.
        kind = "::interval" if found[1] in intervals else ""
        return f"${numbers[found[1]]}{kind}"

    numbers = {name: number for number, name in enumerate(_names(statement), start=1)}
    return _VALUE.sub(parameter, statement).replace("%%", "%")


def _given(statement: str) -> str:
    """The values of an EXECUTE, with the types that the statement casts arrays to: Postgres takes
    an array of quoted texts for text[], and makes no uuid[] of it unless it is told to."""
    types = dict(_CAST.findall(statement))
    values = [
        f"%({name})s::{types[name]}" if name in types else f"%({name})s"
        for name in _names(statement)
    ]
    return f"({', '.join(values)})" if values else ""


def _names(statement: str) -> list[str]:
    return list(dict.fromkeys(_VALUE.findall(statement)))


def _give_up_outdated(context: ExceptionContext) -> None:
    """A migration under way costs one request an error: the next gets a new connection."""
    error = context.original_exception
    if isinstance(error, Error) and (error.pgcode, error.diag.source_function) == _OUTDATED:
        context.is_disconnect = True
