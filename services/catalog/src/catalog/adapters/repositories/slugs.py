"""Slugs that nobody else has."""

from sqlalchemy import BigInteger, Text, cast, exists, func, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from uuid_utils.compat import uuid7

MOST_NUMBERED = 1000


def lock_slugs(session: Session, column: InstrumentedAttribute[str]) -> None:
    """Whoever wants a slug for this table waits for us to commit."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"slugs {column.class_}"))))


def free_slug(session: Session, column: InstrumentedAttribute[str], wanted: str) -> str:
    """`wanted`, or with the first free number behind it.

    Whoever wants a slug for this table waits for us to commit, so that it is still free then.
    """
    lock_slugs(session, column)
    if not session.scalar(select(exists().where(column == wanted))):
        return wanted
    numbers = func.generate_series(2, cast(MOST_NUMBERED, BigInteger))
    number = numbers.table_valued("n").render_derived()
    candidate = func.concat(cast(wanted, Text), literal_column("'-'"), number.c.n)
    free = select(candidate).where(~exists().where(column == candidate)).order_by(number.c.n)
    found: str | None = session.scalar(free.limit(1))
    return found or f"{wanted}-{uuid7().hex[-12:]}"
