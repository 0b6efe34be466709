"""The feed of a service: its journal by position, for whoever missed something.

Positions are given in order and without gaps, so a reader who remembers the last one misses
nothing. How it gets from one service to another is not decided here.
"""

from collections.abc import Collection, Iterator
from typing import Protocol

import msgspec
from sqlalchemy import Engine, text

from oja_events import journal
from oja_events.contracts import Event
from oja_events.envelope import decode

MOST = 500  # events in one page

_PAGE = text("""
    SELECT position, day, event_log_id FROM event_feed
    WHERE position > :after AND sequenced_at <= now() - make_interval(secs => :older_than)
    ORDER BY position LIMIT :limit
""")
_STATE = text("""
    SELECT coalesce((SELECT max(position) FROM event_feed), 0) AS head,
        coalesce((SELECT extract(epoch FROM now() - sequenced_at)
                  FROM event_feed JOIN outbox_pending USING (position)
                  ORDER BY position LIMIT 1), 0) AS unpublished_seconds
""")
_NOTE_READER = text("""
    INSERT INTO feed_reader (consumer, position, asked_at) VALUES (:consumer, :position, now())
    ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, asked_at = excluded.asked_at
""")


class FeedEvent(msgspec.Struct, frozen=True):
    """One event; `envelope` holds its bytes as they were sent."""

    position: int
    id: str
    envelope: msgspec.Raw


class Page(msgspec.Struct, frozen=True):
    """`next` is what to ask after; `more` says that there is more to ask for already.

    `head` is the last position of all. `unpublished_seconds` tells how long the oldest event has
    waited for the broker.
    """

    events: list[FeedEvent]
    next: int
    more: bool
    head: int
    unpublished_seconds: float


class FeedAway(Exception):
    """The feed cannot be read right now."""


class Feeds(Protocol):
    """The feeds of other services."""

    def page(self, source: str, *, after: int, types: Collection[str], older_than: float) -> Page:
        """What `source` told after that position, at least `older_than` seconds ago. Raises
        FeedAway."""


def read_all(feeds: Feeds, source: str, types: Collection[str]) -> Iterator[Event]:
    """Every event of these types that is still in the journal of `source`, from the oldest on.
    Raises FeedAway."""
    after, more = 0, True
    while more:
        page = feeds.page(source, after=after, types=types, older_than=0)
        for told in page.events:
            yield decode(bytes(told.envelope)).event()
        after, more = page.next, page.more


def read_page(
    engine: Engine,
    *,
    after: int,
    limit: int = MOST,
    types: Collection[str] | None = None,
    older_than: float = 0.0,
    consumer: str | None = None,
) -> Page:
    """The next positions and, of these, the events of the wanted types.

    What a `consumer` has not asked beyond stays in the journal until it does.
    """
    with engine.begin() as connection:
        rows = connection.execute(
            _PAGE, {"after": after, "limit": limit, "older_than": older_than}
        ).all()
        state = connection.execute(_STATE).one()
        found = journal.read(connection, [(row.day, row.event_log_id) for row in rows], types)
        if consumer is not None:
            connection.execute(_NOTE_READER, {"consumer": consumer, "position": after})
    return Page(
        events=[
            FeedEvent(row.position, entry.event_id, msgspec.Raw(entry.envelope))
            for row in rows
            if (entry := found.get(row.event_log_id))
        ],
        next=rows[-1].position if rows else after,
        more=len(rows) == limit,
        head=state.head,
        unpublished_seconds=float(state.unpublished_seconds),
    )
