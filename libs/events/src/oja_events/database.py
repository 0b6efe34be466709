"""How every process talks to Postgres."""

import time
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InvalidatePoolError

from oja_events.prepared import PLANNED_ONCE, prepare_statements

# A lost race or a lost lock holder costs seconds, never a stuck consumer.
_SESSION_SETTINGS = {
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
    "timezone": "UTC",
    # Compiling takes longer than anything that is asked here.
    "jit": "off",
}
# A connection that rested no longer than this is trusted to be alive: under load, asking each time
# would be one statement in five. If it died all the same, one request pays for it, and the pool
# throws the others away.
RESTED_SECONDS = 1.0


def make_engine(
    url: str,
    *,
    application: str,
    pool_size: int = 5,
    autocommit: bool = False,
    prepared: bool = True,
) -> Engine:
    """An engine with bounded waits; connects on first use, so it is safe to build before a fork.

    `application` names the process in pg_stat_activity. Threads beyond `pool_size` wait for a
    connection and fail after 5 seconds. `autocommit` is for statements that come alone, reading or
    writing: each is a transaction of its own, and spared the BEGIN and the COMMIT around it, which
    are a round trip each. No event can be told there. Statements are `prepared`, once for each
    connection, unless their best plan depends on what is asked, as in a search.
    """
    settings = _SESSION_SETTINGS | (PLANNED_ONCE if prepared else {})
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        # The connection that was used last has most in its caches, prepared statements among it.
        pool_use_lifo=True,
        isolation_level="AUTOCOMMIT" if autocommit else None,
        # Errors are logged, and kept with parked messages: no place for what customers wrote.
        hide_parameters=True,
        connect_args={
            "options": options,
            "application_name": application,
            "connect_timeout": 5,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
        },
    )
    if prepared:
        prepare_statements(engine)
    event.listen(engine, "handle_error", _forget_the_row)
    event.listen(engine, "checkin", _put_to_rest)
    event.listen(engine, "checkout", lambda *given: _look_at_rested(engine, *given))
    return engine


def ping(engine: Engine) -> None:
    """Return when the database answers; raises SQLAlchemyError when it does not."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def _forget_the_row(context: ExceptionContext) -> None:
    """Postgres adds the row that it refuses to what it says; only its first sentence may be shown.

    Who needs more asks the error's `diag`.
    """
    error, shown = context.original_exception, context.sqlalchemy_exception
    told = getattr(getattr(error, "diag", None), "message_primary", None)
    if told and shown:
        shown.args = (str(shown.args[0]).replace(str(error), told),)
        error.args = (told,)


def _put_to_rest(connection: Any, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()
    # Whoever used it with AUTOCOMMIT leaves an isolation level behind that says the same as the
    # default and costs a SET and a longer BEGIN ever after.
    if connection is not None and connection.isolation_level is not None:
        connection.isolation_level = None


def _look_at_rested(engine: Engine, connection: Any, record: Any, _proxy: object) -> None:
    rests_since = record.info.get("rests_since")
    if rests_since is None or time.monotonic() - rests_since < RESTED_SECONDS:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error
