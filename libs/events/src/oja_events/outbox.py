"""Events written in the transaction of the change that they tell of."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from oja_events.context import trace
from oja_events.contracts import Event
from oja_events.envelope import UNNUMBERED, Envelope, encode_around_sequence, encode_data

# The row lock on the stream makes writers of one aggregate queue up until the first has committed,
# so that ids in the journal follow the order of commits. Sorted, so that writers cannot deadlock.
_WRITE = text("""
    WITH event AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subjects AS text[]),
            CAST(:times AS timestamptz[]), CAST(:heads AS bytea[]), CAST(:tails AS bytea[]))
            WITH ORDINALITY AS event (event_id, type, subject, occurred_at, head, tail, n)
    ), stream AS (
        INSERT INTO event_stream (subject, last_sequence)
        SELECT subject, count(*) FROM event GROUP BY subject ORDER BY subject
        ON CONFLICT (subject) DO UPDATE
            SET last_sequence = event_stream.last_sequence + excluded.last_sequence
        RETURNING subject, last_sequence
    ), numbered AS (
        SELECT *, last_sequence + 1 - row_number() OVER (PARTITION BY subject ORDER BY n DESC)
            AS sequence
        FROM event JOIN stream USING (subject)
    ), log AS (
        INSERT INTO event_log (event_id, type, subject, sequence, occurred_at, envelope)
        SELECT event_id, type, subject, sequence, occurred_at,
               head || convert_to(CAST(sequence AS text), 'UTF8') || tail
        FROM numbered ORDER BY n
        RETURNING id, subject
    )
    INSERT INTO outbox_pending (id, subject) SELECT id, subject FROM log
""")


class Outbox:
    """Collects the events of one transaction and writes them, numbered, just before its commit."""

    def __init__(self, session: Session, *, source: str, caused_by: Envelope | None = None) -> None:
        self._session = session
        self._source = source
        self._caused_by = caused_by
        self._events: list[Event] = []
        self.wrote = False

    @property
    def waiting(self) -> bool:
        """Whether there is something to write."""
        return bool(self._events)

    def add(self, *events: Event) -> None:
        """Tell of these, in this order, if the transaction commits."""
        self._events += events

    def forget(self) -> None:
        """Drop what was added since the last flush: its transaction is rolled back."""
        self._events.clear()

    def flush(self) -> None:
        """Write what was added."""
        flush_all(self._session, [self])

    def seal(self) -> list[Envelope]:
        """The events that waited, in their envelopes, which the database numbers."""
        events, self._events = self._events, []
        self.wrote = bool(events) or self.wrote
        now = datetime.now(UTC)
        return [self._envelope(event, now) for event in events]

    def _envelope(self, event: Event, now: datetime) -> Envelope:
        event_id = uuid7()
        return Envelope(
            specversion="1.0",
            id=event_id,
            source=f"/{self._source}",
            type=event.TYPE,
            subject=event.subject,
            time=now,
            sequence=UNNUMBERED,
            data=encode_data(event),
            **self._trace(event_id),
        )

    def _trace(self, event_id: UUID) -> dict[str, Any]:
        if self._caused_by:
            return {
                "correlationid": self._caused_by.correlationid,
                "causationid": str(self._caused_by.id),
                "traceparent": self._caused_by.traceparent,
            }
        current = trace.get()
        if current is None:
            return {"correlationid": str(event_id)}
        return {
            "correlationid": current.correlation_id,
            "causationid": current.causation_id,
            "traceparent": current.traceparent,
        }


def flush_all(session: Session, outboxes: Iterable[Outbox]) -> None:
    """Write what was added to them in this session, in one statement however many events there
    are."""
    envelopes = [envelope for outbox in outboxes for envelope in outbox.seal()]
    if not envelopes:
        return
    around = [encode_around_sequence(envelope) for envelope in envelopes]
    session.execute(
        _WRITE,
        {
            "ids": [str(envelope.id) for envelope in envelopes],
            "types": [envelope.type for envelope in envelopes],
            "subjects": [envelope.subject for envelope in envelopes],
            "times": [envelope.time for envelope in envelopes],
            "heads": [head for head, _ in around],
            "tails": [tail for _, tail in around],
        },
    )
