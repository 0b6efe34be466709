"""The journal makes room for the days to come and lets go of old days, never of what is needed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import getrandbits
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from oja_events import journal
from oja_events.feed import read_page
from tests.integration.events.conftest import Producer, producer

Sql = Callable[..., list[tuple[Any, ...]]]
OLD = timedelta(days=journal.KEPT_DAYS + 1)


@pytest.fixture
def catalog() -> Iterator[Producer]:
    with producer("amqp://nobody:x@127.0.0.1:9/none") as telling:
        yield telling


@pytest.fixture
def sql(catalog: Producer) -> Sql:
    def run(statement: str, **values: object) -> list[tuple[Any, ...]]:
        with catalog.engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    return run


def days(sql: Sql) -> list[str]:
    return [
        name.removeprefix("event_log_")
        for (name,) in sql(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = to_regclass('event_log') ORDER BY 1"
        )
    ]


def an_old_day(sql: Sql, *, positions: range) -> str:
    """A partition of a day before the journal's time, with events at these positions."""
    [(day, today)] = sql(
        "SELECT to_char(day - CAST(:age AS integer), 'YYYYMMDD'), to_char(day, 'YYYYMMDD')"
        " FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS day) AS today",
        age=OLD.days,
    )
    # The partition of the migration's day reaches back to the beginning.
    sql(f"DROP TABLE event_log_{today}")
    sql(
        f"CREATE TABLE event_log_{day} PARTITION OF event_log"
        f" FOR VALUES FROM ('{day}') TO (date '{day}' + 1)"
    )
    for position in positions:
        tell_on(sql, day, position)
    return day


def tell_on(sql: Sql, day: str, position: int) -> None:
    sql(
        "WITH log AS (INSERT INTO event_log"
        " (event_id, type, subject, sequence, occurred_at, envelope, day)"
        " VALUES (gen_random_uuid(), 't', 's', :position, now(), '{}', CAST(:day AS date))"
        " RETURNING id, day) INSERT INTO event_feed (position, event_log_id, day)"
        " SELECT :position, id, day FROM log",
        position=position,
        day=day,
    )


def test_there_is_a_partition_for_each_day_of_the_next_week(catalog: Producer, sql: Sql) -> None:
    journal.tidy(catalog.engine)
    journal.tidy(catalog.engine)

    [(today,)] = sql("SELECT (now() AT TIME ZONE 'UTC')::date")
    expected = [f"{today + timedelta(days=number):%Y%m%d}" for number in range(8)]
    assert days(sql) == [*expected, "rest"]


def test_an_old_day_goes_with_its_positions_and_the_next_position_is_still_known(
    catalog: Producer, sql: Sql
) -> None:
    old = an_old_day(sql, positions=range(1, 4))

    dropped = journal.tidy(catalog.engine)

    assert old not in days(sql)
    assert dropped == 2
    assert sql("SELECT position FROM event_feed") == [(3,)]
    assert read_page(catalog.engine, after=0).head == 3


def test_an_old_day_stays_while_a_consumer_has_still_to_read_it(
    catalog: Producer, sql: Sql
) -> None:
    old = an_old_day(sql, positions=range(1, 4))
    read_page(catalog.engine, after=2, consumer="slow")
    read_page(catalog.engine, after=3, consumer="quick")

    journal.tidy(catalog.engine)
    assert old in days(sql)
    assert len(read_page(catalog.engine, after=2).events) == 1

    read_page(catalog.engine, after=3, consumer="slow")
    journal.tidy(catalog.engine)
    assert old not in days(sql)


def test_an_old_day_stays_while_the_broker_has_not_taken_all_of_it(
    catalog: Producer, sql: Sql
) -> None:
    old = an_old_day(sql, positions=range(1, 3))
    sql("INSERT INTO outbox_pending (id, subject, position, day) SELECT id, 's', 2, day"
        " FROM event_log WHERE sequence = 2")  # fmt: skip

    journal.tidy(catalog.engine)

    assert old in days(sql)


def test_a_day_without_its_partition_stops_nobody_and_goes_as_well(
    catalog: Producer, sql: Sql
) -> None:
    old = an_old_day(sql, positions=range(0))
    sql(f"DROP TABLE event_log_{old}")
    tell_on(sql, old, 1)
    assert sql("SELECT count(*) FROM event_log_rest") == [(1,)]

    journal.tidy(catalog.engine)

    assert sql("SELECT count(*) FROM event_log") == [(0,)]


def test_nobody_can_throw_away_what_is_young(catalog: Producer, sql: Sql) -> None:
    with pytest.raises(DBAPIError, match="a week at least"):
        sql("SELECT keep_journal(1)")


def test_what_was_handled_long_ago_is_forgotten_once_its_feed_was_compared_since(
    catalog: Producer, sql: Sql
) -> None:
    for source in ("catalog", "identity"):
        for age in (journal.INBOX_DAYS + 1, 1):
            sql(
                "INSERT INTO inbox (event_id, source, type, subject, sequence, outcome, handled_at)"
                " VALUES (:id, :source, 't', 's', 1, 'applied', now() - make_interval(days => :n))",
                id=an_id(sql, age),
                source=f"/{source}",
                n=age,
            )
    sql("INSERT INTO feed_cursor VALUES ('catalog', 5, now()), ('identity', 5, NULL)")

    assert journal.tidy(catalog.engine) == 1

    assert sql("SELECT source FROM inbox ORDER BY source, handled_at") == [
        ("/catalog",),
        ("/identity",),
        ("/identity",),
    ]


def test_what_was_put_away_is_forgotten_a_while_after_it_was_dealt_with(
    catalog: Producer, sql: Sql
) -> None:
    for status in ("open", "redriven", "discarded"):
        for age in (journal.KEPT_DAYS + 1, journal.KEPT_DAYS - 1):
            sql(
                "INSERT INTO parked_message (key, reason, error, body, headers, status, parked_at,"
                " closed_at) SELECT :key, 'r', 'e', '', '{}', :status, at,"
                " CASE WHEN :status <> 'open' THEN at END"
                " FROM (SELECT now() - make_interval(days => :age) AS at) AS moment",
                key=f"{status} {age}",
                status=status,
                age=age,
            )

    assert journal.tidy(catalog.engine) == 2

    assert sql("SELECT key FROM parked_message ORDER BY id") == [
        (f"open {journal.KEPT_DAYS + 1}",),
        (f"open {journal.KEPT_DAYS - 1}",),
        (f"redriven {journal.KEPT_DAYS - 1}",),
        (f"discarded {journal.KEPT_DAYS - 1}",),
    ]


def an_id(sql: Sql, days_ago: int) -> UUID:
    """As an event told so long ago has it."""
    [(milliseconds,)] = sql(
        "SELECT CAST(extract(epoch FROM now() - make_interval(days => :n)) * 1000 AS bigint)",
        n=days_ago,
    )
    return UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | getrandbits(62))
