"""A relay whose connections are cut under it goes on by itself."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text

from oja_events.contracts.catalog import StockCommitted
from oja_events.feed import read_page
from oja_events.relay import Relay
from tests.integration.events.conftest import Producer, producer
from tests.support.waiting import wait_until


def test_a_relay_that_loses_its_database_connection_takes_up_the_lead_again(
    catalog: Producer, relaying: Callable[[Relay], threading.Event]
) -> None:
    relay = catalog.relay
    relaying(relay)
    wait_until(relay.is_ready)

    for _ in range(3):
        with catalog.engine.connect() as connection:
            cut = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute(text(cut))
        # Not to be told of the cut by a connection that was trusted because it rested so briefly.
        catalog.engine.dispose()
        catalog.tell(StockCommitted(order_id=uuid4(), lines=(), committed_at=datetime.now(UTC)))
        wait_until(lambda: catalog.pending() == 0)


def test_positions_are_given_in_order_though_there_is_no_broker(
    relaying: Callable[[Relay], threading.Event],
) -> None:
    with producer("amqp://nobody:x@127.0.0.1:9/none") as catalog:
        relay = catalog.relay
        relaying(relay)

        for number in range(1, 4):
            catalog.tell(StockCommitted(order_id=uuid4(), lines=(), committed_at=datetime.now(UTC)))
            wait_until(lambda n=number: read_page(catalog.engine, after=0).head == n)

        assert not relay.is_ready()
        assert catalog.pending() == 3
        positions = [event.position for event in read_page(catalog.engine, after=0).events]
        assert positions == [1, 2, 3]


def test_positions_are_given_though_something_unexpected_came_in_between(
    relaying: Callable[[Relay], threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    with producer("amqp://nobody:x@127.0.0.1:9/none") as catalog:
        relay, troubles = catalog.relay, [LookupError("a bug of ours")]
        number = relay._number

        def number_in_spite_of_it(connection: Connection) -> int:
            if troubles:
                raise troubles.pop()
            return number(connection)

        monkeypatch.setattr(relay, "_number", number_in_spite_of_it)
        relaying(relay)
        wait_until(lambda: not troubles)

        catalog.tell(StockCommitted(order_id=uuid4(), lines=(), committed_at=datetime.now(UTC)))

        wait_until(lambda: read_page(catalog.engine, after=0).head == 1)
