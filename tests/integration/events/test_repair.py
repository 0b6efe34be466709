"""What the broker did not bring is found in the feed, once, whatever happens in between."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from oja_events.contracts import Event
from oja_events.contracts.catalog import (
    ProductArchived,
    ProductChanged,
    StockCommitted,
)
from oja_events.database import make_engine
from oja_events.envelope import decode
from oja_events.feed import Page, read_page
from oja_events.handling import Result, Verdict
from oja_events.migrating import migrate
from oja_events.relay import Relay
from oja_events.repair import MOST_STARTS
from ordering.bootstrap import MIGRATIONS
from tests.integration.events.conftest import Producer, producer
from tests.integration.events.hearing import Feed, Hearing
from tests.support.postgres import scratch_database
from tests.support.waiting import wait_until

NOWHERE = "amqp://nobody:x@127.0.0.1:9/none"


@pytest.fixture
def catalog(relaying: Callable[[Relay], threading.Event]) -> Iterator[Producer]:
    """A service that tells while there is no broker."""
    with producer(NOWHERE) as telling:
        relaying(telling.relay)
        yield telling


def archived() -> ProductArchived:
    return ProductArchived(product_id=uuid4(), version=1, skus=(), archived_at=datetime.now(UTC))


def numbered(catalog: Producer, *events: Event) -> None:
    """Tell, and wait until it is in the feed."""
    catalog.tell(*events)
    with catalog.engine.connect() as connection:
        last = connection.scalar(text("SELECT count(*) FROM event_log"))
    wait_until(lambda: read_page(catalog.engine, after=0, types=()).head == last)


@pytest.fixture
def ordering(catalog: Producer) -> Iterator[Hearing]:
    with scratch_database() as url:
        migrate("ordering", MIGRATIONS, url)
        engine = make_engine(url, application="test", pool_size=10)
        yield Hearing(engine, Feed(catalog.engine))
        engine.dispose()


def test_everything_that_is_missing_is_found_and_handled_once(
    catalog: Producer, ordering: Hearing
) -> None:
    events = [archived() for _ in range(8)]
    numbered(catalog, *events)

    for _ in range(2):
        ordering.round()

    assert sorted(ordering.heard) == sorted(event.subject for event in events)
    assert ordering.rows("SELECT outcome, count(*) FROM inbox GROUP BY 1") == [("applied", 8)]
    assert ordering.rows("SELECT position FROM feed_cursor") == [(8,)]
    assert ordering.rows("SELECT FROM feed_backlog") == []


def test_what_the_broker_brought_is_not_handled_again(catalog: Producer, ordering: Hearing) -> None:
    brought, missing = archived(), archived()
    numbered(catalog, brought, missing)
    [first, _] = read_page(catalog.engine, after=0).events
    ordering.handler.handle(bytes(first.envelope), {})

    ordering.round()

    assert ordering.heard == [brought.subject, missing.subject]


def test_what_nobody_here_listens_to_is_passed_over(catalog: Producer, ordering: Hearing) -> None:
    numbered(
        catalog,
        StockCommitted(order_id=uuid4(), lines=(), committed_at=datetime.now(UTC)),
        archived(),
    )

    ordering.round()

    assert len(ordering.heard) == 1
    assert ordering.rows("SELECT position FROM feed_cursor") == [(2,)]


def test_an_event_that_fails_waits_and_stops_nobody(catalog: Producer, ordering: Hearing) -> None:
    unlucky, lucky = archived(), archived()
    ordering.react = failing_for(unlucky.subject)
    numbered(catalog, unlucky, lucky)

    ordering.round()

    assert ordering.noted == {lucky.subject}
    assert ordering.rows("SELECT attempts, starts, last_error FROM feed_backlog") == [
        (1, 0, "LookupError: not yet")
    ]

    ordering.react = lambda event: None
    ordering.rows("UPDATE feed_backlog SET next_attempt_at = now()")
    ordering.round()

    assert ordering.noted == {lucky.subject, unlucky.subject}
    assert ordering.rows("SELECT FROM feed_backlog") == []


def test_what_is_missing_is_handled_together(catalog: Producer, ordering: Hearing) -> None:
    numbered(catalog, *(archived() for _ in range(9)))

    ordering.round()

    noted = ordering.rows("SELECT count(*), count(DISTINCT xmin::text) < 9 FROM inbox")
    assert noted == [(9, True)]


def test_an_event_that_fails_for_a_day_is_put_away(catalog: Producer, ordering: Hearing) -> None:
    event = archived()
    ordering.react = failing_for(event.subject)
    numbered(catalog, event)
    ordering.round()

    ordering.rows("UPDATE feed_backlog SET next_attempt_at = now(), attempts = 27")
    ordering.round()

    assert ordering.rows("SELECT reason FROM parked_message") == [("exhausted",)]
    assert ordering.rows("SELECT FROM feed_backlog") == []


def test_an_event_that_kills_its_process_is_put_away_and_its_neighbours_are_not(
    catalog: Producer, ordering: Hearing
) -> None:
    deadly, innocent = archived(), archived()
    numbered(catalog, deadly, innocent)
    ordering.repair.compare("catalog", older_than=0, stop=threading.Event())
    ordering.react = dying_for(deadly.subject)

    for _ in range(MOST_STARTS + 1):
        ordering.rows("UPDATE feed_backlog SET next_attempt_at = now()")
        die_in_the_middle(ordering)
    ordering.rows("UPDATE feed_backlog SET next_attempt_at = now()")
    ordering.round()

    assert ordering.rows("SELECT reason FROM parked_message") == [("crash",)]
    noted = dict(ordering.rows("SELECT subject, outcome FROM inbox"))
    assert noted == {innocent.subject: "applied", deadly.subject: "parked"}


def test_while_the_database_is_away_an_attempt_does_not_count(
    catalog: Producer, ordering: Hearing
) -> None:
    numbered(catalog, archived())
    repair = ordering.repair
    repair.compare("catalog", older_than=0, stop=threading.Event())
    repair._handler.handle = lambda body, headers: Result(Verdict.HOLD)  # type: ignore[method-assign]

    with ThreadPoolExecutor(1) as pool:
        assert repair.work_off(pool) == 0

    assert ordering.rows("SELECT attempts, starts FROM feed_backlog") == [(0, 0)]


def test_news_that_is_young_is_left_to_the_broker(catalog: Producer, ordering: Hearing) -> None:
    numbered(catalog, archived())

    ordering.repair.compare("catalog", older_than=60, stop=threading.Event())

    assert ordering.rows("SELECT position FROM feed_cursor") == [(0,)]
    assert ordering.rows("SELECT FROM feed_backlog") == []


def test_two_processes_of_a_service_handle_each_event_once(
    catalog: Producer, ordering: Hearing
) -> None:
    events = [archived() for _ in range(30)]
    numbered(catalog, *events)

    with ThreadPoolExecutor(2) as processes:
        list(processes.map(lambda _: ordering.round(), range(2)))

    assert sorted(ordering.heard) == sorted(event.subject for event in events)


def test_a_feed_that_was_restored_from_a_backup_is_read_anew(
    catalog: Producer, ordering: Hearing
) -> None:
    event = archived()
    numbered(catalog, event)
    ordering.rows("INSERT INTO feed_cursor VALUES ('catalog', 1000, now())")

    ordering.round()
    ordering.round()

    assert ordering.heard == [event.subject]


def test_a_feed_that_is_away_is_asked_again(catalog: Producer, ordering: Hearing) -> None:
    event = archived()
    numbered(catalog, event)
    ordering.feed.away = True
    ordering.round()

    ordering.feed.away = False
    ordering.round()

    assert ordering.heard == [event.subject]


def test_a_feed_that_cannot_be_used_stops_no_other(catalog: Producer, ordering: Hearing) -> None:
    event = archived()
    numbered(catalog, event)
    repair = ordering.repair
    repair._types = {"identity": [], **repair._types}
    repair._feeds = WithoutIdentity(ordering.feed)

    repair._round(0, threading.Event())
    ordering.work_off()

    assert ordering.heard == [event.subject]


def test_without_a_broker_news_is_there_in_seconds(catalog: Producer, ordering: Hearing) -> None:
    stop = threading.Event()
    running = threading.Thread(target=ordering.repair.run, args=(stop, lambda: True), daemon=True)
    running.start()
    try:
        event = archived()
        catalog.tell(event)
        wait_until(lambda: ordering.heard == [event.subject], timeout=30)
    finally:
        stop.set()
        running.join(timeout=10)


def test_while_the_broker_delivers_a_feed_is_seldom_read(
    catalog: Producer, ordering: Hearing
) -> None:
    stop = threading.Event()
    asked: list[bool] = []

    def broker_is_away() -> bool:
        asked.append(False)
        if len(asked) == 3:
            stop.set()
        return False

    ordering.repair.run(stop, broker_is_away)

    assert (len(asked), ordering.feed.reads) == (3, 1)


class WithoutIdentity:
    """Of its feed nothing can be made."""

    def __init__(self, others: Feed) -> None:
        self._others = others

    def page(self, source: str, **wanted: Any) -> Page:
        if source == "identity":
            raise LookupError("a bug of ours")
        return self._others.page(source, **wanted)


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


def failing_for(subject: str) -> Callable[[Event], None]:
    def react(event: Event) -> None:
        if event.subject == subject:
            raise LookupError("not yet")

    return react


def dying_for(subject: str) -> Callable[[Event], None]:
    def react(event: Event) -> None:
        if event.subject == subject:
            raise Killed

    return react


def die_in_the_middle(ordering: Hearing) -> None:
    with ThreadPoolExecutor(1) as pool:
        try:
            while ordering.repair.work_off(pool):
                pass
        except Killed:
            return


def subjects(page: Page) -> list[UUID]:
    return [UUID(decode(bytes(event.envelope)).subject) for event in page.events]


def test_a_feed_is_read_page_by_page_by_type(catalog: Producer) -> None:
    wanted = [archived() for _ in range(3)]
    others = [
        StockCommitted(order_id=uuid4(), lines=(), committed_at=datetime.now(UTC)) for _ in range(2)
    ]
    numbered(catalog, wanted[0], others[0], wanted[1], others[1], wanted[2])

    first = read_page(catalog.engine, after=0, limit=3, types=[ProductArchived.TYPE])
    second = read_page(catalog.engine, after=first.next, limit=3, types=[ProductArchived.TYPE])

    assert subjects(first) + subjects(second) == [event.product_id for event in wanted]
    assert (first.next, first.more, second.next, second.more) == (3, True, 5, False)
    assert first.unpublished_seconds > 0
    assert read_page(catalog.engine, after=5, types=[ProductChanged.TYPE]).events == []
