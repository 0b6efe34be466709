"""Several messages in one transaction: all of them have their effects and their notes, or none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from oja_events.batching import NotKept, run_all
from oja_events.contracts import Event
from oja_events.contracts.catalog import ProductArchived
from oja_events.database import make_engine
from oja_events.envelope import Envelope, decode, encode, encode_data
from oja_events.handling import Verdict
from oja_events.migrating import migrate
from oja_events.outbox import Outbox
from oja_events.unit_of_work import SqlTransaction
from ordering.bootstrap import MIGRATIONS
from tests.integration.events.hearing import Feed, Hearing, Refused
from tests.support.postgres import scratch_database


@pytest.fixture(scope="module")
def database() -> Iterator[Engine]:
    with scratch_database() as url:
        migrate("ordering", MIGRATIONS, url)
        engine = make_engine(url, application="test", pool_size=10)
        yield engine
        engine.dispose()


@pytest.fixture
def ordering(database: Engine) -> Hearing:
    hearing = Hearing(database, Feed(database))
    hearing.rows("TRUNCATE inbox, event_log, event_stream, outbox_pending, parked_message")
    return hearing


def archived() -> ProductArchived:
    return ProductArchived(product_id=uuid4(), version=1, skus=(), archived_at=datetime.now(UTC))


def envelope(event: Event) -> Envelope:
    return Envelope(
        specversion="1.0",
        id=uuid4(),
        source="/catalog",
        type=event.TYPE,
        subject=event.subject,
        time=datetime.now(UTC),
        sequence=1,
        correlationid="journey",
        data=encode_data(event),
    )


def messages(count: int) -> list[bytes]:
    return [encode(envelope(archived())) for _ in range(count)]


def subjects(bodies: list[bytes]) -> list[str]:
    return sorted(decode(body).subject for body in bodies)


def test_they_have_their_effects_and_their_notes_in_one_transaction(ordering: Hearing) -> None:
    bodies = messages(5)

    assert ordering.handler.handle_together(bodies)

    assert ordering.heard == subjects(bodies)
    noted = ordering.rows("SELECT count(*), count(DISTINCT xmin::text) FROM inbox")
    assert noted == [(5, 1)]


def test_one_that_fails_takes_nobody_with_it(ordering: Hearing) -> None:
    *good, bad = messages(4)

    def fail(event: Event) -> None:
        if event.subject == decode(bad).subject:
            raise ValueError("odd")

    ordering.react = fail

    assert not ordering.handler.handle_together([*good[:2], bad, *good[2:]])
    assert ordering.rows("SELECT FROM inbox") == []
    verdicts = [ordering.handler.handle(body, {}).verdict for body in [*good, bad]]
    assert verdicts == [*[Verdict.DONE] * 3, Verdict.LATER]
    assert ordering.rows("SELECT count(*) FROM inbox") == [(3,)]


def test_one_that_is_refused_for_good_is_put_away_by_itself_and_not_with_others(
    ordering: Hearing,
) -> None:
    def refuse(event: Event) -> None:
        raise Refused

    ordering.react = refuse

    assert not ordering.handler.handle_together(messages(2))
    assert ordering.rows("SELECT FROM parked_message") == []


@pytest.mark.parametrize("bad", [b"no json", encode(envelope(archived())).replace(b"v1", b"v9")])
def test_what_cannot_be_read_is_nothing_to_be_handled_with_others(
    ordering: Hearing, bad: bytes
) -> None:
    assert not ordering.handler.handle_together([*messages(2), bad])
    assert ordering.heard == []
    assert ordering.rows("SELECT FROM parked_message") == []


def test_what_is_there_twice_and_what_was_handled_before_has_its_effect_once(
    ordering: Hearing,
) -> None:
    before, twice, new = messages(3)
    ordering.handler.handle(before, {})

    assert ordering.handler.handle_together([twice, before, new, twice])
    assert ordering.handler.handle_together([twice, before, new])

    assert sorted(ordering.heard) == subjects([before, twice, new])


def test_copies_in_many_batches_at_once_have_one_effect(ordering: Hearing) -> None:
    bodies = messages(20)

    def until_done(order: list[bytes]) -> None:
        if not ordering.handler.handle_together(order):
            for body in order:
                assert ordering.handler.handle(body, {}).verdict is Verdict.DONE

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(until_done, [bodies, bodies[::-1], bodies[10:], bodies[::2]]))

    assert ordering.rows("SELECT count(*), count(DISTINCT event_id) FROM inbox") == [(20, 20)]


class Telling(SqlTransaction):
    """Tells, and says when it was committed."""

    def open(self, session: Session, outbox: Outbox) -> None:
        self.outbox = outbox


class Ringing:
    """A relay's waker that counts."""

    def __init__(self) -> None:
        self.rang = 0

    def wake(self) -> None:
        self.rang += 1


def units(ordering: Hearing, count: int) -> tuple[list[Any], Ringing]:
    waker: Any = Ringing()
    sessions = sessionmaker(ordering.engine)
    made = [
        Telling(sessions, source="ordering", waker=waker, handling=envelope(archived()))
        for _ in range(count)
    ]
    return made, waker


def test_what_they_tell_is_numbered_and_says_by_what_it_was_caused(ordering: Hearing) -> None:
    product = archived()
    told, waker = units(ordering, 3)

    def tell(unit: Any) -> None:
        with unit:
            unit.outbox.add(product, archived())
            unit.commit()
        assert waker.rang == 0

    run_all(ordering.engine, told, tell)

    assert waker.rang == 1
    rows = ordering.rows("SELECT sequence, envelope FROM event_log ORDER BY id")
    ours = [(n, decode(bytes(e))) for n, e in rows if decode(bytes(e)).subject == product.subject]
    assert [number for number, _ in ours] == [1, 2, 3]
    assert [UUID(each.causationid) for _, each in ours] == [unit.handling.id for unit in told]
    assert ordering.rows("SELECT count(*) FROM outbox_pending") == [(6,)]


def test_who_works_on_many_gives_way_soon_and_who_works_alone_is_patient(
    ordering: Hearing,
) -> None:
    seen: list[str] = []

    def look(unit: Any) -> None:
        with unit:
            seen.append(unit.session.connection().exec_driver_sql("SHOW lock_timeout").scalar_one())
            unit.commit()

    for many in (2, 1):
        made, _ = units(ordering, many)
        if many > 1:
            run_all(ordering.engine, made, look)
        else:
            look(made[0])

    assert seen == ["250ms", "250ms", "5s"]


def nothing_kept(unit: Any) -> None:
    with unit:
        unit.outbox.add(archived())


def twice(unit: Any) -> None:
    for _ in range(2):
        with unit:
            unit.outbox.add(archived())
            unit.commit()


@pytest.mark.parametrize(("handler", "refusal"), [(nothing_kept, NotKept), (twice, RuntimeError)])
def test_who_is_not_one_unit_of_work_does_not_share_a_transaction(
    ordering: Hearing, handler: Any, refusal: type[Exception]
) -> None:
    made, waker = units(ordering, 2)

    with pytest.raises(refusal):
        run_all(ordering.engine, made, handler)

    assert ordering.rows("SELECT FROM inbox UNION ALL SELECT FROM event_log") == []
    assert waker.rang == 0


def test_inside_a_shared_transaction_a_savepoint_is_still_one(ordering: Hearing) -> None:
    made, _ = units(ordering, 2)
    kept = archived()

    def try_something(unit: Any) -> None:
        with unit:
            with unit:
                unit.outbox.add(archived())
            unit.outbox.add(kept)
            unit.commit()

    run_all(ordering.engine, made, try_something)

    assert ordering.rows("SELECT DISTINCT subject FROM event_log") == [(kept.subject,)]
