"""Messages as they come from the broker: each has its effect once, or is put away with a reason."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from oja_events.contracts import Event
from oja_events.contracts.catalog import Shortage, StockRejected, StockReserved
from oja_events.contracts.ordering import OrderingMessageParked
from oja_events.envelope import Envelope, decode, encode, encode_data
from oja_events.handling import MessageHandler, Verdict
from ordering.entrypoints.consumer import message_handler
from tests.integration.ordering.conftest import Ordering, payment_confirmed, stock_reserved
from tests.support.ordering import NOW

NO_HEADERS: Mapping[str, Any] = {}


@pytest.fixture
def handler(ordering: Ordering) -> MessageHandler:
    return message_handler(ordering.deps)


def message(event: Event, *, event_id: UUID | None = None) -> bytes:
    return encode(
        Envelope(
            specversion="1.0",
            id=event_id or uuid4(),
            source=f"/{event.TYPE.split('.')[1]}",
            type=event.TYPE,
            subject=event.subject,
            time=datetime.now(UTC),
            sequence=1,
            correlationid="journey",
            data=encode_data(event),
        )
    )


def parked(ordering: Ordering, event_id: UUID) -> list[str]:
    """Why this event was put away."""
    with ordering.deps.engine.connect() as connection:
        query = text("SELECT reason FROM parked_message WHERE key = :key")
        return list(connection.scalars(query, {"key": str(event_id)}))


def test_a_message_that_comes_again_changes_nothing(
    ordering: Ordering, handler: MessageHandler
) -> None:
    order = ordering.placed(ordering.customer())
    bodies = [message(stock_reserved(order)), message(payment_confirmed(order))]

    verdicts = [handler.handle(body, NO_HEADERS).verdict for body in bodies * 3]

    assert verdicts == [Verdict.DONE] * 6
    assert ordering.told(order) == ["order_placed", "order_paid"]


def test_copies_that_come_at_once_have_one_effect(
    ordering: Ordering, handler: MessageHandler
) -> None:
    order = ordering.placed(ordering.customer())
    ordering.hear(stock_reserved(order))
    body = message(payment_confirmed(order))

    with ThreadPoolExecutor(5) as threads:
        results = list(threads.map(lambda _: handler.handle(body, NO_HEADERS), range(5)))

    assert {result.verdict for result in results} == {Verdict.DONE}
    assert ordering.told(order) == ["order_placed", "order_paid"]


def test_all_news_of_an_order_at_once_ends_well(
    ordering: Ordering, handler: MessageHandler
) -> None:
    order = ordering.placed(ordering.customer())
    bodies = [
        message(payment_confirmed(order, "first")),
        message(stock_reserved(order)),
        message(payment_confirmed(order, "second")),
    ]

    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(lambda body: handler.handle(body, NO_HEADERS), bodies))

    assert {result.verdict for result in results} == {Verdict.DONE}
    assert sorted(ordering.told(order)) == ["order_paid", "order_placed", "refund_requested"]


def test_news_of_an_order_that_we_do_not_know_yet_comes_again_later(
    ordering: Ordering, handler: MessageHandler
) -> None:
    event_id = uuid4()
    body = message(StockReserved(order_id=uuid4(), lines=(), reserved_at=NOW), event_id=event_id)

    results = [handler.handle(body, NO_HEADERS) for _ in range(2)]

    assert [result.verdict for result in results] == [Verdict.LATER] * 2
    assert "OrderNotFound" in results[0].error
    assert parked(ordering, event_id) == []


def test_news_that_cannot_be_true_is_put_away_once_and_changes_nothing(
    ordering: Ordering, handler: MessageHandler
) -> None:
    order = ordering.processing(ordering.customer())
    ordering.staff().patch(f"/api/orders/{order['id']}", {"status": "shipped"})
    shortage = Shortage(sku="MUG", requested=1, available=0)
    event_id = uuid4()
    body = message(
        StockRejected(order_id=UUID(order["id"]), shortages=(shortage,), rejected_at=NOW),
        event_id=event_id,
    )

    verdicts = [handler.handle(body, NO_HEADERS).verdict for _ in range(2)]

    assert verdicts == [Verdict.DONE] * 2
    assert parked(ordering, event_id) == ["rejected"]
    assert ordering.told(order)[-1] == "order_shipped"


def test_a_message_that_had_its_effect_is_not_put_away_afterwards(
    ordering: Ordering, handler: MessageHandler
) -> None:
    order, event_id = ordering.placed(ordering.customer()), uuid4()
    body = message(stock_reserved(order), event_id=event_id)
    handler.handle(body, NO_HEADERS)

    handler.park(body, NO_HEADERS, "crash", "given up by the broker")

    assert parked(ordering, event_id) == []


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "plain"),
        ({"x-death": [{"time": datetime(2026, 3, 1, tzinfo=UTC)}]}, "a time in a header"),
        ({"x-error": "a\x00b", "raw": b"\x00\xff"}, "NUL in a header"),
        ({"x-error": r"a\u0000b", "rate": float("nan")}, "what only looks like NUL in a header"),
        ({"x-error": "\ud800"}, "half a character in a header"),
        ({}, "NUL \x00 in the words"),
        ({}, "half a character \ud800 in the words"),
        ({}, "x" * 100_000),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_whatever_is_said_about_a_message_it_can_be_put_away(
    ordering: Ordering, handler: MessageHandler, headers: dict[str, Any], error: str
) -> None:
    event_id = uuid4()
    body = message(StockReserved(order_id=uuid4(), lines=(), reserved_at=NOW), event_id=event_id)

    handler.park(body, headers, "exhausted", error)

    assert parked(ordering, event_id) == ["exhausted"]


@pytest.mark.parametrize("body", [b"", b"\x00", b"\xff" * 10, b"{}"], ids=repr)
def test_bytes_that_are_no_envelope_are_put_away_once(
    ordering: Ordering, handler: MessageHandler, body: bytes
) -> None:
    for _ in range(2):
        assert handler.handle(body, NO_HEADERS).verdict is Verdict.DONE

    with ordering.deps.engine.connect() as connection:
        query = text("SELECT reason FROM parked_message WHERE body = :body")
        assert list(connection.scalars(query, {"body": body})) == ["malformed"]


def test_what_is_put_away_is_told_once_with_its_reason(
    ordering: Ordering, handler: MessageHandler
) -> None:
    event_id = uuid4()
    body = message(StockReserved(order_id=uuid4(), lines=(), reserved_at=NOW), event_id=event_id)

    for _ in range(2):
        handler.park(body, NO_HEADERS, "exhausted", "OrderNotFound")

    with ordering.deps.engine.connect() as connection:
        query = text("SELECT envelope FROM event_log WHERE subject = :key")
        [envelope] = connection.scalars(query, {"key": str(event_id)})
    told = decode(bytes(envelope))
    news = told.event()
    assert isinstance(news, OrderingMessageParked)
    assert (news.reason, news.message_type) == ("exhausted", StockReserved.TYPE)
    assert told.causationid == str(event_id)
