"""Whose access tokens are worth nothing any more, as every service notes it for itself.

A token names its user's generation (`gen`) and its sign-in (`sid`). A mark on a user says which
generation is the first good one; a mark on a sign-in says that it is over. Marks outlive all tokens
that they are about, and are then forgotten. oja_web.access_marks reads them.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from oja_events.contracts.identity import AccessRevoked

# The clock and not the start of the transaction: readers ask for what was noted since they looked.
_NOTE = text("""
    INSERT INTO access_mark (subject, generation, noted_at)
    VALUES (:subject, :generation, clock_timestamp())
    ON CONFLICT (subject) DO UPDATE
        SET generation = greatest(access_mark.generation, excluded.generation),
            noted_at = excluded.noted_at
""")
_FORGET = text("""
    DELETE FROM access_mark WHERE subject IN (
        SELECT subject FROM access_mark WHERE noted_at < now() - interval '1 hour'
        LIMIT 100 FOR UPDATE SKIP LOCKED)
""")


def access_revoked(event: AccessRevoked, *, uow: Any) -> None:
    """Refuse those tokens from now on. Repeated, late, in another order: the highest generation
    stays. `uow` is the service's own SqlTransaction."""
    with uow:
        note(uow.session, event)
        uow.commit()


def note(session: Session, event: AccessRevoked) -> None:
    """Write the event's marks, and drop some that no token is left for."""
    if event.generation is not None:
        _mark(session, event.user_id, event.generation)
    if event.sign_in_id is not None:
        _mark(session, event.sign_in_id, 0)
    session.execute(_FORGET)


def _mark(session: Session, subject: UUID, generation: int) -> None:
    session.execute(_NOTE, {"subject": subject, "generation": generation})
