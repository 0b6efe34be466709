"""The note that an event was handled, in the transaction of its effect."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from oja_events.envelope import Envelope

# A concurrent duplicate waits here for the first one's commit and then finds its row.
_NOTE = text("""
    INSERT INTO inbox (event_id, source, type, subject, sequence, outcome)
    VALUES (:id, :source, :type, :subject, :sequence, :outcome)
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
""")


class AlreadyHandled(Exception):
    """This event has had its effect (or was parked); there is nothing left to do."""


def note(session: Session, envelope: Envelope, outcome: str = "applied") -> None:
    """Claim the event for this transaction; raises AlreadyHandled."""
    row = session.execute(
        _NOTE,
        {
            "id": envelope.id,
            "source": envelope.source,
            "type": envelope.type,
            "subject": envelope.subject,
            "sequence": envelope.sequence,
            "outcome": outcome,
        },
    ).first()
    if row is None:
        raise AlreadyHandled(envelope.id)
