"""The note that an event was handled, in the transaction of its effect."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

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

# The same for many, in the order of their ids, so that two who note the same wait in one direction.
# Whoever works on many at once gives way soon: he holds what many others may wait for.
_NOTE_ALL = text("""
    WITH hasty AS (SELECT set_config('lock_timeout', :patience, true))
    INSERT INTO inbox (event_id, source, type, subject, sequence, outcome)
    SELECT id, source, type, subject, sequence, 'applied'
    FROM unnest(CAST(:ids AS uuid[]), CAST(:sources AS text[]), CAST(:types AS text[]),
                CAST(:subjects AS text[]), CAST(:sequences AS bigint[]))
        AS event (id, source, type, subject, sequence), hasty
    ORDER BY id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id, now() AS began
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


def note_all(
    session: Session, envelopes: Sequence[Envelope], *, patience: str
) -> dict[UUID, datetime]:
    """Claim those events that were not handled before for this transaction; for each of them when
    the transaction began. From here on it waits no longer than `patience` for any lock."""
    rows = session.execute(
        _NOTE_ALL,
        {
            "ids": [str(envelope.id) for envelope in envelopes],
            "sources": [envelope.source for envelope in envelopes],
            "types": [envelope.type for envelope in envelopes],
            "subjects": [envelope.subject for envelope in envelopes],
            "sequences": [envelope.sequence for envelope in envelopes],
            "patience": patience,
        },
    )
    return {row.event_id: row.began for row in rows}
