"""The journal: every event as it was sent, a partition per day, kept for KEPT_DAYS."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Engine, TextClause, text

from oja_events.worker import Job, every

KEPT_DAYS = 30
# Longer than the journal: what may still be found in a feed must be known as handled.
INBOX_DAYS = 45
TIDY_SECONDS = 3600.0
_BATCH = 5000

# The day, so that one partition is looked at and not all.
_READ = text("""
    SELECT id, event_id, type, envelope FROM event_log WHERE day = :day AND id = ANY(:ids)
        AND (CAST(:types AS text[]) IS NULL OR type = ANY(:types))
""")
_KEEP = text("SELECT keep_journal(:days)")
# The last position stays, whatever its age: the next one is counted from there.
_FORGET_POSITIONS = text("""
    DELETE FROM event_feed WHERE day < :oldest AND position IN (
        SELECT position FROM event_feed
        WHERE position < (SELECT max(position) FROM event_feed) ORDER BY position LIMIT :limit)
""")
# Ids of events begin with their time (UUIDv7), so the oldest are found by the primary key. A row
# stays while the feed that the event came by was not compared to its end since.
_FORGET_HANDLED = text("""
    DELETE FROM inbox WHERE event_id IN (
        SELECT event_id FROM inbox
        WHERE event_id < CAST(
            lpad(to_hex(CAST(extract(epoch FROM now() - make_interval(days => :days)) * 1000
                             AS bigint)), 12, '0') || repeat('0', 20) AS uuid)
            AND handled_at < now() - make_interval(days => :days)
            AND EXISTS (
                SELECT FROM feed_cursor
                WHERE '/' || feed_cursor.source = inbox.source
                    AND caught_up_at > inbox.handled_at + interval '1 day')
        ORDER BY event_id LIMIT :limit)
""")
# They hold names and addresses, like the journal. Few enough to be found without an index.
_FORGET_PARKED = text("""
    DELETE FROM parked_message WHERE id IN (
        SELECT id FROM parked_message
        WHERE status <> 'open' AND closed_at < now() - make_interval(days => :days)
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the journal."""

    event_id: str
    type: str
    envelope: bytes


def read(
    connection: Connection,
    places: Iterable[tuple[date, int]],
    types: Collection[str] | None = None,
) -> Mapping[int, Entry]:
    """The events at these places (day, id), by id; of these types only, if some are named."""
    wanted = None if types is None else list(types)
    days: dict[date, list[int]] = defaultdict(list)
    for day, number in places:
        days[day].append(number)
    return {
        row.id: Entry(str(row.event_id), row.type, bytes(row.envelope))
        for day, ids in days.items()
        for row in connection.execute(_READ, {"day": day, "ids": ids, "types": wanted})
    }


def keeping(engine: Engine) -> Job:
    """The job of a worker that tidies now and then."""

    def tidy_journal() -> int:
        return tidy(engine)

    return every(TIDY_SECONDS, tidy_journal)


def tidy(engine: Engine) -> int:
    """Make room: partitions for the days to come, and none for days that nobody will ask for.
    Returns how many rows beside them were dropped; call it again while that is not 0."""
    with engine.begin() as connection:
        oldest = connection.execute(_KEEP, {"days": KEPT_DAYS}).scalar_one()
    return sum(
        _delete(engine, statement, values)
        for statement, values in (
            (_FORGET_POSITIONS, {"oldest": oldest, "limit": _BATCH}),
            (_FORGET_HANDLED, {"days": INBOX_DAYS, "limit": _BATCH}),
            (_FORGET_PARKED, {"days": KEPT_DAYS, "limit": _BATCH}),
        )
    )


def _delete(engine: Engine, statement: TextClause, values: Mapping[str, object]) -> int:
    with engine.begin() as connection:
        return connection.execute(statement, values).rowcount
