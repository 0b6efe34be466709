"""The rules about journals and inboxes see exactly what is wrong, and name what mends it."""

import pytest
from uuid_utils.compat import uuid7

from tests.integration.books.shop import Shop, one, one_fault, red


def test_an_event_that_a_listener_never_handled(shop: Shop) -> None:
    event = one(
        shop, "ordering", "SELECT event_id FROM event_log WHERE subject = :id ORDER BY id LIMIT 1",
        id=str(shop.orders["waiting"]),
    )  # fmt: skip

    report = shop.audit_after(
        "catalog", "DELETE FROM inbox WHERE event_id = :id", id=event.event_id
    )

    assert red(report) == {"deliveries": {str(event.event_id)}}
    assert one_fault(report).mend == f"./oja events replay {event.event_id} --to catalog"


def test_an_event_that_was_put_away_and_is_nowhere(shop: Shop) -> None:
    event = one(
        shop, "ordering", "SELECT event_id FROM event_log WHERE subject = :id ORDER BY id LIMIT 1",
        id=str(shop.orders["waiting"]),
    )  # fmt: skip

    report = shop.audit_after(
        "notifier", "UPDATE inbox SET outcome = 'parked' WHERE event_id = :id", id=event.event_id
    )

    assert red(report) == {"deliveries": {str(event.event_id)}}


def test_a_position_that_is_gone_and_the_event_that_had_it(shop: Shop) -> None:
    gone = one(
        shop, "ordering",
        "SELECT position, event_id FROM event_feed JOIN event_log"
        " ON event_log.id = event_log_id AND event_log.day = event_feed.day"
        " WHERE subject = :id ORDER BY position LIMIT 1",
        id=str(shop.orders["paid"]),
    )  # fmt: skip

    report = shop.audit_after(
        "ordering", "DELETE FROM event_feed WHERE position = :position", position=gone.position
    )

    assert red(report) == {"journals": {f"position {gone.position}", str(gone.event_id)}}
    assert shop.mended
    assert red(shop.mended) == {}


def test_an_event_that_is_gone_from_the_journal(shop: Shop) -> None:
    order_id = str(shop.orders["completed"])
    gone = one(
        shop, "ordering",
        "SELECT position, sequence, event_log.id FROM event_feed JOIN event_log"
        " ON event_log.id = event_log_id AND event_log.day = event_feed.day"
        " WHERE subject = :id AND sequence = 2",
        id=order_id,
    )  # fmt: skip

    report = shop.audit_after("ordering", "DELETE FROM event_log WHERE id = :id", id=gone.id)

    assert red(report) == {"journals": {f"lost {gone.position}", f"{order_id}#2"}}


@pytest.mark.parametrize(
    ("subject", "sequence"),
    [("SELECT 'nobody'", "1"), ("SELECT subject", "sequence"), ("SELECT subject", "sequence + 50")],
    ids=["of nobody", "in another's place", "ahead of the journal"],
)
def test_news_that_had_an_effect_and_was_never_told(
    shop: Shop, subject: str, sequence: str
) -> None:
    ghost = uuid7()

    report = shop.audit_after(
        "catalog",
        "INSERT INTO inbox (event_id, source, type, subject, sequence, outcome)"
        f" SELECT :ghost, source, type, ({subject}), {sequence}, 'applied' FROM inbox"
        " WHERE subject = :id LIMIT 1",
        ghost=ghost,
        id=str(shop.orders["paid"]),
    )

    assert red(report) == {"ghosts": {str(ghost)}}


def test_news_of_somebody_who_tells_nothing(shop: Shop) -> None:
    event = one(
        shop, "ordering", "SELECT event_id FROM event_log WHERE subject = :id ORDER BY id LIMIT 1",
        id=str(shop.orders["waiting"]),
    )  # fmt: skip

    report = shop.audit_after(
        "notifier", "UPDATE inbox SET source = '/other' WHERE event_id = :id", id=event.event_id
    )

    assert red(report) == {"ghosts": {str(event.event_id)}}


def test_a_counter_of_events_that_is_not_where_its_events_are(shop: Shop) -> None:
    order_id = str(shop.orders["paid"])

    report = shop.audit_after(
        "ordering",
        "UPDATE event_stream SET last_sequence = 9 WHERE subject = :id",
        id=order_id,
    )

    assert red(report) == {"journals": {f"{order_id}#9"}}
    assert shop.mended
    assert red(shop.mended) == {}
