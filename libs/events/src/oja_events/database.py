"""How every process talks to Postgres."""

from sqlalchemy import Engine, create_engine, text

# A lost race or a lost lock holder costs seconds, never a stuck consumer.
_SESSION_SETTINGS = {
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
    "timezone": "UTC",
}


def make_engine(url: str, *, application: str, pool_size: int = 5) -> Engine:
    """An engine with bounded waits; connects on first use, so it is safe to build before a fork.

    `application` names the process in pg_stat_activity. Threads beyond `pool_size` wait for a
    connection and fail after 5 seconds.
    """
    options = " ".join(f"-c {name}={value}" for name, value in _SESSION_SETTINGS.items())
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
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


def ping(engine: Engine) -> None:
    """Return when the database answers; raises SQLAlchemyError when it does not."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
