"""Finds what the broker did not bring, and gives it its effect.

    feed of another service ──▶ not in our inbox? ──▶ feed_backlog ──▶ the same handler

Every consumer compares the feeds of those it listens to with its inbox. Normally twice a minute,
and only what the broker has had a minute for; while the broker is away, and for a while after,
every other second. What the broker brings all the same in the meantime is stopped by the inbox.

What is missing is handled together where that is possible. An event that fails waits in the backlog
and does not stop the comparison. Its attempt is counted before it begins: one that kills the
process is put away after MOST_STARTS.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Engine, Row, TextClause, text
from sqlalchemy.exc import SQLAlchemyError

from oja_events.feed import FeedAway, FeedEvent, Feeds, Page
from oja_events.handling import MessageHandler, Subscriptions, Verdict
from oja_events.prepared import FOR_ITS_VALUES
from oja_events.topology import RETRY_TIERS, retry_tier

log = logging.getLogger(__name__)

ROUND = 30.0  # seconds between comparisons while the broker delivers
LOOK = 10.0  # seconds between looks into the backlog
PATIENCE = 60.0  # so old must an event be before it counts as not delivered
EAGER_ROUND = 2.0  # the same while the broker is away
EAGER_PATIENCE = 2.0
EAGER_AFTER = 90.0  # for so long after it came back: it may have lost what it had
REPAIRERS = 4
MOST_STARTS = 3
_BATCH = 20

_ALONE = text("SELECT pg_try_advisory_lock(hashtext('oja repair'), hashtext(:service))")
_NO_LONGER_ALONE = text("SELECT pg_advisory_unlock(hashtext('oja repair'), hashtext(:service))")
_CURSOR = text("SELECT position FROM feed_cursor WHERE source = :source")
_MISSING = text("""
    INSERT INTO feed_backlog (event_id, source, position, body)
    SELECT id, :source, position, body
    FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS bigint[]), CAST(:bodies AS bytea[]))
        AS event (id, position, body)
    WHERE NOT EXISTS (SELECT FROM inbox WHERE inbox.event_id = event.id)
    ON CONFLICT (event_id) DO NOTHING
""")
_ADVANCE = text("""
    INSERT INTO feed_cursor (source, position, caught_up_at)
    VALUES (:source, :position, CASE WHEN :caught_up THEN now() END)
    ON CONFLICT (source) DO UPDATE SET
        position = excluded.position,
        caught_up_at = coalesce(excluded.caught_up_at, feed_cursor.caught_up_at)
""")
# What was started before and did not end is suspected of having killed its process, so it is
# started alone: others do not become suspects with it.
_CLAIM = text("""
    UPDATE feed_backlog SET attempts = attempts + 1, starts = starts + 1,
        next_attempt_at = now() + make_interval(
            secs => (CAST(:delays AS float8[]))[least(attempts + 1, cardinality(:delays))])
    WHERE event_id IN (
        SELECT event_id FROM feed_backlog
        WHERE next_attempt_at <= now() AND (starts > 0) = :suspect
        ORDER BY next_attempt_at, position LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING event_id, source, body, attempts, starts
""")
_FAILED = text("UPDATE feed_backlog SET starts = 0, last_error = :error WHERE event_id = :id")
_HELD = text("""
    UPDATE feed_backlog SET attempts = attempts - 1, starts = 0, next_attempt_at = now()
    WHERE event_id = :id
""")
# What was put away may be redriven before its attempt has ended, and is to be handled again: it
# stays. Who redrives waits for the lock, or has committed, and the next statement sees it.
_LOCK = text("""
    SELECT FROM feed_backlog WHERE event_id = ANY(:ids) ORDER BY event_id FOR UPDATE
""")
_DONE = text("""
    DELETE FROM feed_backlog WHERE event_id = ANY(:ids) AND (
        EXISTS (SELECT FROM inbox WHERE inbox.event_id = feed_backlog.event_id)
        OR EXISTS (  -- what nobody can read has no note in the inbox
            SELECT FROM parked_message
            WHERE key = encode(sha256(feed_backlog.body), 'hex') AND status <> 'redriven'))
""")
_DELAYS = [float(seconds) for seconds in RETRY_TIERS.values()]


class Repair:
    """Compares and repairs for one service for as long as it runs."""

    def __init__(
        self,
        service: str,
        subscriptions: Subscriptions,
        handler: MessageHandler,
        *,
        engine: Engine,
        feeds: Feeds,
    ) -> None:
        self._service = service
        self._handler = handler
        self._engine = engine
        self._feeds = feeds
        self._types = types_by_source(subscriptions)
        self._eager_until = 0.0

    def run(self, stop: threading.Event, broker_is_away: Callable[[], bool]) -> None:
        """Work until `stop` is set. Trouble is waited out."""
        next_round = next_look = 0.0
        with ThreadPoolExecutor(REPAIRERS, "repair") as pool:
            while not stop.is_set():
                now = time.monotonic()
                if broker_is_away():
                    self._eager_until = now + EAGER_AFTER
                eager = now < self._eager_until
                if eager or now >= next_round:
                    next_round = now + ROUND
                    self._round(EAGER_PATIENCE if eager else PATIENCE, stop)
                if eager or now >= next_look:
                    next_look = now + LOOK
                    self._look(pool, stop)
                stop.wait(EAGER_ROUND)

    def _round(self, older_than: float, stop: threading.Event) -> None:
        with _waited_out(), self._alone() as alone:
            for source in self._types if alone else ():
                with _waited_out():  # by itself: the other feeds have their turn
                    self.compare(source, older_than=older_than, stop=stop)

    def _look(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        with _waited_out():
            while not stop.is_set() and self.work_off(pool):
                pass

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other process of this service compares at this moment."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            values = {"service": self._service}
            alone = bool(connection.execute(_ALONE, values).scalar())
            try:
                yield alone
            finally:
                if alone:
                    connection.execute(_NO_LONGER_ALONE, values)

    def compare(self, source: str, *, older_than: float, stop: threading.Event) -> None:
        """Put what is missing of this feed into the backlog, up to its end."""
        more = True
        while more and not stop.is_set():
            try:
                page = self._feeds.page(
                    source,
                    after=self._cursor(source),
                    types=self._types[source],
                    older_than=older_than,
                )
            except FeedAway as error:
                log.warning("feed is away", extra={"source": source, "error": str(error)})
                return
            self._take(source, page)
            more = page.more
            if page.unpublished_seconds > EAGER_PATIENCE:
                self._eager_until = max(self._eager_until, time.monotonic() + ROUND)

    def _cursor(self, source: str) -> int:
        with self._engine.connect() as connection:
            return connection.execute(_CURSOR, {"source": source}).scalar() or 0

    def _take(self, source: str, page: Page) -> None:
        """The backlog and the cursor move together."""
        with self._engine.begin() as connection:
            missing = 0
            if page.events:
                values = {"source": source, **_columns(page.events)}
                missing = connection.execute(_MISSING, values).rowcount
            # A feed that is shorter than what we have read of it was restored from a backup: begin
            # anew, the inbox knows the rest.
            position = page.next if page.next <= page.head else 0
            connection.execute(
                _ADVANCE,
                {"source": source, "position": position, "caught_up": not page.more},
            )
        if missing:
            log.warning("events missing", extra={"source": source, "count": missing})

    def work_off(self, pool: ThreadPoolExecutor) -> int:
        """Handle a batch of what is due in the backlog; returns how many events that were."""
        claimed = self._claim(suspect=False) or self._claim(suspect=True)
        if self._handle_together(claimed):
            return len(claimed)
        if not all(pool.map(self._handle, claimed)):
            return 0  # the database is away: the rest waits for the next round
        return len(claimed)

    def _claim(self, *, suspect: bool) -> list[Row[tuple[UUID, str, bytes, int, int]]]:
        values = {"suspect": suspect, "limit": 1 if suspect else _BATCH, "delays": _DELAYS}
        with self._engine.begin() as connection:
            return list(connection.execute(_CLAIM, values, execution_options=FOR_ITS_VALUES))

    def _handle_together(self, rows: list[Row[tuple[UUID, str, bytes, int, int]]]) -> bool:
        """Those that are tried for the first time. False: each is to be handled alone."""
        if len(rows) < 2 or any(row.attempts > 1 for row in rows):
            return False
        if not self._handler.handle_together([bytes(row.body) for row in rows]):
            return False
        self._done(rows)
        return True

    def _handle(self, row: Row[tuple[UUID, str, bytes, int, int]]) -> bool:
        """Whether the database answered."""
        body = bytes(row.body)
        if row.starts > MOST_STARTS:
            self._handler.park(body, {}, "crash", f"begun {MOST_STARTS} times and never ended")
        elif retry_tier(row.attempts - 1) is None:
            self._handler.park(body, {}, "exhausted", "failed for a day")
        else:
            result = self._handler.handle(body, {})
            if result.verdict is Verdict.HOLD:
                self._note(_HELD, id=row.event_id)
                return False
            if result.verdict is Verdict.LATER:
                self._note(_FAILED, id=row.event_id, error=result.error)
                return True
        self._done([row])
        return True

    def _done(self, rows: list[Row[tuple[UUID, str, bytes, int, int]]]) -> None:
        values = {"ids": [row.event_id for row in rows]}
        with self._engine.begin() as connection:
            connection.execute(_LOCK, values)
            connection.execute(_DONE, values)

    def _note(self, statement: TextClause, **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(statement, values)


@contextmanager
def _waited_out() -> Iterator[None]:
    """Whatever goes wrong, the next round tries again."""
    try:
        yield
    except SQLAlchemyError as error:
        log.warning("repair interrupted", extra={"error": repr(error)[:200]})
    except Exception:
        log.exception("repair failed, trying again")


def types_by_source(subscriptions: Subscriptions) -> Mapping[str, list[str]]:
    """Whose feeds matter, and which types in them: oja.<source>.<name>.v1."""
    types: dict[str, list[str]] = defaultdict(list)
    for event in subscriptions:
        types[event.TYPE.split(".")[1]].append(event.TYPE)
    return types


def _columns(events: list[FeedEvent]) -> dict[str, list[object]]:
    return {
        "ids": [event.id for event in events],
        "positions": [event.position for event in events],
        "bodies": [bytes(event.envelope) for event in events],
    }
