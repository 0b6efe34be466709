"""Events written in the transaction of the change that they tell of."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from oja_events.context import trace
from oja_events.contracts import Event
from oja_events.envelope import Envelope, encode, encode_data

# The row lock on the stream makes writers of one aggregate queue up until the first has committed,
# so that ids in the journal follow the order of commits. Sorted, so that writers cannot deadlock.
_NUMBER = text("""
    INSERT INTO event_stream (subject, last_sequence)
    SELECT subject, count FROM unnest(CAST(:subjects AS text[]), CAST(:counts AS bigint[]))
        AS wanted (subject, count) ORDER BY subject
    ON CONFLICT (subject) DO UPDATE
        SET last_sequence = event_stream.last_sequence + excluded.last_sequence
    RETURNING subject, last_sequence
""")

_WRITE = text("""
    WITH log AS (
        INSERT INTO event_log (event_id, type, subject, sequence, occurred_at, envelope)
        SELECT event_id, type, subject, sequence, occurred_at, envelope
        FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subjects AS text[]),
                    CAST(:sequences AS bigint[]), CAST(:times AS timestamptz[]),
                    CAST(:envelopes AS bytea[]))
             WITH ORDINALITY AS event (event_id, type, subject, sequence, occurred_at, envelope, n)
        ORDER BY n
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

    def add(self, *events: Event) -> None:
        """Tell of these, in this order, if the transaction commits."""
        self._events += events

    def forget(self) -> None:
        """Drop what was added since the last flush: its transaction is rolled back."""
        self._events.clear()

    def flush(self) -> None:
        """Write what was added."""
        flush_all(self._session, [self])

    def subjects(self) -> Counter[str]:
        """How many events of each subject wait for being written."""
        return Counter(event.subject for event in self._events)

    def seal(self, last: dict[str, int]) -> list[Envelope]:
        """The events that waited, numbered on from the `last` number of each subject."""
        events, self._events = self._events, []
        self.wrote = bool(events) or self.wrote
        now = datetime.now(UTC)
        envelopes = []
        for event in events:
            last[event.subject] += 1
            envelopes.append(self._envelope(event, last[event.subject], now))
        return envelopes

    def _envelope(self, event: Event, sequence: int, now: datetime) -> Envelope:
        event_id = uuid7()
        return Envelope(
            specversion="1.0",
            id=event_id,
            source=f"/{self._source}",
            type=event.TYPE,
            subject=event.subject,
            time=now,
            sequence=sequence,
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


def flush_all(session: Session, outboxes: Sequence[Outbox]) -> None:
    """Write what was added to them in this session, in two statements however many events there
    are."""
    counts = sum((outbox.subjects() for outbox in outboxes), Counter[str]())
    if not counts:
        return
    last = last_numbers(session, counts)
    envelopes = [envelope for outbox in outboxes for envelope in outbox.seal(last)]
    session.execute(
        _WRITE,
        {
            "ids": [str(envelope.id) for envelope in envelopes],
            "types": [envelope.type for envelope in envelopes],
            "subjects": [envelope.subject for envelope in envelopes],
            "sequences": [envelope.sequence for envelope in envelopes],
            "times": [envelope.time for envelope in envelopes],
            "envelopes": [encode(envelope) for envelope in envelopes],
        },
    )


def last_numbers(session: Session, counts: Counter[str]) -> dict[str, int]:
    """Take so many numbers for each subject; says the last one that others have taken."""
    rows = session.execute(_NUMBER, {"subjects": list(counts), "counts": list(counts.values())})
    return {subject: last - counts[subject] for subject, last in rows}
