"""What operators do with messages has its effect once, however often they do it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from oja_events import operating
from oja_events.contracts import Event
from oja_events.contracts.catalog import ProductArchived
from oja_events.database import make_engine
from oja_events.envelope import encode
from oja_events.migrating import migrate
from oja_events.operating import NotFound, StillUnreadable
from ordering.bootstrap import MIGRATIONS
from tests.integration.events.conftest import producer
from tests.integration.events.hearing import Feed, Hearing, Refused
from tests.support.notifier import envelope_of
from tests.support.postgres import scratch_database


@pytest.fixture
def ordering() -> Iterator[Hearing]:
    with producer("amqp://nobody:x@127.0.0.1:9/none") as catalog, scratch_database() as url:
        migrate("ordering", MIGRATIONS, url)
        engine = make_engine(url, application="test", pool_size=10)
        yield Hearing(engine, Feed(catalog.engine))
        engine.dispose()


def refusing(event: Event) -> None:
    raise Refused("never")


def accepting(event: Event) -> None:
    """It is all right now."""


def put_away(ordering: Hearing) -> tuple[str, str]:
    """A message that was refused: its key, and the subject of its event."""
    event = ProductArchived(product_id=uuid4(), version=1, skus=(), archived_at=datetime.now(UTC))
    envelope = envelope_of(event)
    ordering.react = refusing
    ordering.handler.handle(encode(envelope), {"x-error": "before"})
    return str(envelope.id), event.subject


def status(ordering: Hearing, key: str) -> tuple[str, str | None]:
    [found] = operating.parked(ordering.engine, key=key)
    return found.status, found.note


def test_a_message_that_was_put_away_is_shown_with_everything(ordering: Hearing) -> None:
    key, _ = put_away(ordering)

    [found] = operating.parked(ordering.engine, status="open")

    assert (found.key, found.type, found.reason) == (key, ProductArchived.TYPE, "rejected")
    assert found.error == "Refused: never"
    assert found.headers == {"x-error": "before"}
    assert operating.parked(ordering.engine, status="open", reason="malformed") == []


def test_a_message_is_handled_again_once(ordering: Hearing) -> None:
    key, subject = put_away(ordering)
    ordering.react = accepting

    answers = [operating.redrive(ordering.engine, key) for _ in range(2)]
    ordering.work_off()
    answers.append(operating.redrive(ordering.engine, key))
    ordering.work_off()

    assert answers == [True, False, False]
    assert ordering.heard == [subject]
    assert status(ordering, key) == ("redriven", None)
    assert operating.outcome(ordering.engine, key) == "applied"


def test_a_message_that_is_redriven_before_its_first_attempt_has_ended_is_handled(
    ordering: Hearing,
) -> None:
    """It is open from its commit on, a moment before the backlog lets go of it."""
    event = ProductArchived(product_id=uuid4(), version=1, skus=(), archived_at=datetime.now(UTC))
    envelope = envelope_of(event)
    operating.replay(ordering.engine, [encode(envelope)])
    ordering.react = refusing
    repair, answers = ordering.repair, []
    park = repair._handler.park

    def park_while_an_operator_waits_for_it(*message: Any) -> None:
        park(*message)
        ordering.react = accepting
        answers.append(operating.redrive(ordering.engine, str(envelope.id)))

    with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patched:
        patched.setattr(repair._handler, "park", park_while_an_operator_waits_for_it)
        repair.work_off(pool)
    ordering.work_off()

    assert answers == [True]
    assert operating.outcome(ordering.engine, str(envelope.id)) == "applied"
    assert ordering.rows("SELECT FROM feed_backlog") == []


def test_what_cannot_be_read_leaves_the_backlog_when_it_is_put_away(ordering: Hearing) -> None:
    ordering.rows("INSERT INTO feed_backlog VALUES (:id, 'catalog', 1, '{}')", id=uuid4())

    ordering.work_off()

    assert status(ordering, sha256(b"{}").hexdigest()) == ("open", None)
    assert ordering.rows("SELECT FROM feed_backlog") == []


def test_what_fails_again_is_put_away_again_and_told_again(ordering: Hearing) -> None:
    key, subject = put_away(ordering)

    operating.redrive(ordering.engine, key)
    ordering.work_off()

    assert status(ordering, key) == ("open", None)
    assert operating.outcome(ordering.engine, key) == "parked"
    assert ordering.heard == []
    news = ordering.rows("SELECT sequence FROM event_log WHERE subject = :key ORDER BY 1", key=key)
    assert news == [(1,), (2,)]

    ordering.react = accepting
    assert operating.redrive(ordering.engine, key)
    ordering.work_off()
    assert ordering.heard == [subject]


def test_what_cannot_be_read_stays_as_it_is(ordering: Hearing) -> None:
    ordering.handler.handle(b"no envelope", {})
    [found] = operating.parked(ordering.engine)

    with pytest.raises(StillUnreadable):
        operating.redrive(ordering.engine, found.key)

    assert status(ordering, found.key) == ("open", None)


def test_a_message_is_closed_with_a_note_and_stays_closed(ordering: Hearing) -> None:
    key, _ = put_away(ordering)

    answers = [operating.discard(ordering.engine, key, "a test order") for _ in range(2)]

    assert answers == [True, False]
    assert not operating.redrive(ordering.engine, key)
    assert status(ordering, key) == ("discarded", "a test order")
    ordering.work_off()
    assert ordering.heard == []


def test_a_message_that_there_is_not_is_named(ordering: Hearing) -> None:
    for act in (operating.redrive, lambda engine, key: operating.discard(engine, key, "x")):
        with pytest.raises(NotFound):
            act(ordering.engine, "nothing")


def test_an_event_that_is_given_again_is_handled_only_where_it_was_not(ordering: Hearing) -> None:
    event = ProductArchived(product_id=uuid4(), version=1, skus=(), archived_at=datetime.now(UTC))
    envelope = envelope_of(event)

    for _ in range(2):
        operating.replay(ordering.engine, [encode(envelope)])
        ordering.work_off()

    assert ordering.heard == [event.subject]
    assert ordering.rows("SELECT FROM feed_backlog") == []


def test_a_feed_is_compared_again_from_where_one_likes(ordering: Hearing) -> None:
    ordering.rows("INSERT INTO feed_cursor VALUES ('catalog', 10, now())")

    assert operating.rewind(ordering.engine, "catalog", 4)
    assert not operating.rewind(ordering.engine, "catalog", 7)

    assert operating.lag(ordering.engine).cursors == {"catalog": 4}


def test_lag_counts_what_waits(ordering: Hearing) -> None:
    put_away(ordering)

    found = operating.lag(ordering.engine)

    assert (found.pending, found.head, found.backlog, found.parked) == (1, 0, 0, 1)
    assert 0 <= found.oldest_seconds < 60
