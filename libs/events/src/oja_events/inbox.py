"""The note that an event was handled, in the transaction of its effect."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from oja_events.envelope import Envelope

# A concurrent duplicate waits here for the first one's commit and then finds its row.
_NOTE = text("""
    INSERT INTO inbox (event_id, source, type, subject, sequence, outcome)
    VALUES (:id, :source, :type, :subject, :sequence, :outcome)
    ON CONFLICT (event_id) DO NOTHING
    RETURNING now()
""")


class AlreadyHandled(Exception):
    """This event has had its effect (or was parked); there is nothing left to do."""


def note(session: Session, envelope: Envelope, outcome: str = "applied") -> datetime:
    """Claim the event for this transaction, and say when that began; raises AlreadyHandled."""
    began: datetime | None = session.execute(
        _NOTE,
        {
            "id": envelope.id,
            "source": envelope.source,
            "type": envelope.type,
            "subject": envelope.subject,
            "sequence": envelope.sequence,
            "outcome": outcome,
        },
    ).scalar()
    if began is None:
        raise AlreadyHandled(envelope.id)
    return began
