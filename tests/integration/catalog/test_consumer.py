"""News as it comes off the wire."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import sample
from uuid import uuid4

import pytest

from catalog.entrypoints.consumer import message_handler
from oja_events.contracts.catalog import StockReserved
from oja_events.envelope import Envelope, decode, encode, encode_data
from oja_events.handling import Verdict
from tests.unit.catalog.builders import order_placed, payment_confirmed
from tests.unit.catalog.stock_contract import in_stock, news


@pytest.fixture
def handle(deps):
    handler = message_handler(deps)
    return lambda body: handler.handle(body, {}).verdict


def wrapped(event, source):
    return encode(
        Envelope(
            specversion="1.0",
            id=uuid4(),
            source=f"/{source}",
            type=event.TYPE,
            subject=event.subject,
            time=datetime.now(UTC),
            sequence=1,
            correlationid="journey-1",
            data=encode_data(event),
        )
    )


def test_an_order_is_held_once_however_often_it_is_delivered(handle, shop):
    sku = in_stock(shop, 5)
    message = wrapped(order_placed(uuid4(), {sku: 2}), "ordering")

    assert [handle(message) for _ in range(3)] == [Verdict.DONE] * 3

    assert shop.level(sku) == (5, 2)
    assert len(news(shop, StockReserved)) == 1


def test_the_answer_belongs_to_the_journey_of_the_order(handle, shop):
    message = wrapped(order_placed(uuid4(), {in_stock(shop, 5): 2}), "ordering")

    handle(message)

    [row] = shop.rows(
        "SELECT envelope FROM event_log WHERE id > :since AND type = :type",
        since=shop.since,
        type=StockReserved.TYPE,
    )
    answer = decode(bytes(row.envelope))
    assert answer.correlationid == "journey-1"
    assert answer.causationid == str(decode(message).id)


def test_a_payment_ahead_of_its_order_is_tried_again_later(handle, shop):
    sku, order_id = in_stock(shop, 5), uuid4()
    payment = wrapped(payment_confirmed(order_id), "payments")

    assert handle(payment) is Verdict.LATER
    assert handle(wrapped(order_placed(order_id, {sku: 2}), "ordering")) is Verdict.DONE
    assert handle(payment) is Verdict.DONE

    assert shop.level(sku) == (3, 0)


def test_batches_of_orders_for_the_same_stock_end_well(deps, shop):
    skus = [in_stock(shop, 500) for _ in range(4)]
    handler = message_handler(deps)
    orders = [
        wrapped(order_placed(uuid4(), dict.fromkeys(sample(skus, 2), 1)), "ordering")
        for _ in range(60)
    ]

    def consume(batch):
        if not handler.handle_together(batch):
            assert [handler.handle(body, {}).verdict for body in batch] == [Verdict.DONE] * 20

    with ThreadPoolExecutor(3) as consumers:
        list(consumers.map(consume, (orders[:20], orders[20:40], orders[40:])))

    assert len(news(shop, StockReserved)) == 60
    assert sum(shop.level(sku)[1] for sku in skus) == 120
