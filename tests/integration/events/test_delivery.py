"""An event from a committed transaction to its effect elsewhere, whatever happens in between."""

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from kombu import Connection, Exchange
from kombu import Producer as Publisher
from sqlalchemy import text

from oja_events.contracts import Money
from oja_events.contracts.catalog import (
    ProductArchived,
    ProductChanged,
    StockCommitted,
    StockReserved,
    Variant,
)
from oja_events.relay import Relay
from oja_events.topology import EVENTS_EXCHANGE, lanes_exchange
from tests.integration.events.conftest import Consumer, Producer
from tests.support.servers import Servers
from tests.support.waiting import wait_until

Relaying = Callable[[Relay], threading.Event]


def a_product(sku: str, *, product_id: UUID | None = None, version: int = 1) -> ProductChanged:
    return ProductChanged(
        product_id=product_id or uuid4(),
        version=version,
        slug=sku,
        name=f"version {version}",
        status="published",
        variants=(
            Variant(sku=sku, options={}, price=Money(amount=100, currency="NGN"), available=3),
        ),
        changed_at=datetime.now(UTC),
    )


def offers(ordering: Consumer) -> dict[object, object]:
    return dict(ordering.rows("SELECT sku, name FROM offers"))


def inbox(ordering: Consumer) -> int:
    (row,) = ordering.rows("SELECT count(*) FROM inbox")
    return int(str(row[0]))


def test_a_committed_event_has_its_effect_in_the_other_service(
    catalog: Producer, ordering: Consumer, relaying: Relaying
) -> None:
    relaying(catalog.relay)

    catalog.tell(a_product("MUG-1"))

    wait_until(lambda: offers(ordering) == {"MUG-1": "version 1"})
    wait_until(lambda: catalog.pending() == 0)


def test_what_was_told_while_nobody_relayed_arrives_later_in_order(
    catalog: Producer, ordering: Consumer, relaying: Relaying
) -> None:
    product_id = uuid4()
    for version in range(1, 21):
        catalog.tell(a_product("MUG-2", product_id=product_id, version=version))

    relaying(catalog.relay)

    wait_until(lambda: inbox(ordering) == 20)
    assert offers(ordering) == {"MUG-2": "version 20"}
    with catalog.engine.connect() as connection:
        positions = connection.execute(text("SELECT position FROM event_feed ORDER BY position"))
        assert [row.position for row in positions] == list(range(1, 21))


def test_an_event_that_is_published_twice_has_its_effect_once(
    catalog: Producer, ordering: Consumer, relaying: Relaying
) -> None:
    relaying(catalog.relay)
    catalog.tell(a_product("MUG-3"))
    wait_until(lambda: inbox(ordering) == 1)
    wait_until(lambda: catalog.pending() == 0)

    with catalog.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO outbox_pending (id, subject, position) "
                "SELECT id, subject, 1 FROM event_log"
            )
        )
    catalog.tell(a_product("MUG-4"))

    wait_until(lambda: "MUG-4" in offers(ordering))
    assert inbox(ordering) == 2


def test_an_event_that_reaches_no_queue_is_kept_and_holds_back_only_its_own_aggregate(
    catalog: Producer, ordering: Consumer, relaying: Relaying, servers: Servers
) -> None:
    unroutable = ProductArchived(
        product_id=uuid4(), version=1, skus=(), archived_at=datetime.now(UTC)
    )
    bind(servers, unroutable.TYPE, unbind=True)
    relaying(catalog.relay)

    catalog.tell(unroutable)
    catalog.tell(a_product("MUG-5"))

    wait_until(lambda: "MUG-5" in offers(ordering))
    wait_until(lambda: catalog.pending() == 1)
    bind(servers, unroutable.TYPE)
    wait_until(lambda: catalog.pending() == 0)


def test_an_event_that_nobody_awaits_goes_out_without_holding_back_the_next(
    catalog: Producer, ordering: Consumer, relaying: Relaying
) -> None:
    relaying(catalog.relay)

    catalog.tell(StockCommitted(order_id=uuid4(), lines=(), committed_at=datetime.now(UTC)))
    catalog.tell(a_product("MUG-40"))

    wait_until(lambda: "MUG-40" in offers(ordering))
    wait_until(lambda: catalog.pending() == 0)


def test_a_second_relay_stands_by_and_takes_over(
    catalog: Producer, ordering: Consumer, relaying: Relaying
) -> None:
    stop_first = relaying(catalog.relay)
    catalog.tell(a_product("MUG-6"))
    wait_until(lambda: inbox(ordering) == 1)
    standby = catalog.relay
    relaying(standby)
    wait_until(standby.is_ready)

    stop_first.set()
    catalog.tell(a_product("MUG-7"))

    wait_until(lambda: offers(ordering).keys() == {"MUG-6", "MUG-7"})
    assert inbox(ordering) == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not json", "malformed"),
        (b'{"specversion":"1.0"}', "malformed"),
        (
            b'{"specversion":"1.0","id":"018f0000-0000-7000-8000-000000000001","source":"/catalog",'
            b'"type":"oja.catalog.future.v9","subject":"x","time":"2026-01-01T00:00:00Z",'
            b'"sequence":1,"correlationid":"c","data":{}}',
            "unknown_type",
        ),
    ],
)
def test_s60_what_cannot_be_read_is_parked_with_its_reason_and_the_lane_goes_on(
    body: bytes,
    reason: str,
    catalog: Producer,
    ordering: Consumer,
    relaying: Relaying,
    servers: Servers,
) -> None:
    publish(servers, body, routing_key=ProductChanged.TYPE)
    relaying(catalog.relay)
    catalog.tell(a_product("MUG-8"))

    wait_until(lambda: "MUG-8" in offers(ordering))
    wait_until(lambda: ordering.rows("SELECT reason FROM parked_message") == [(reason,)])


def test_what_the_broker_gave_up_on_is_kept_until_its_row_can_be_written(
    ordering: Consumer, servers: Servers
) -> None:
    with ordering.engine.begin() as connection:
        connection.execute(text("ALTER TABLE parked_message RENAME TO away"))

    give_up(servers, b"no event of a feed")
    wait_until(lambda: depth(servers, "ordering.parking") == 0, what="it is in hand")
    time.sleep(1.5)  # time to try, and to try again
    with ordering.engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO parked_message"))

    parked = "SELECT reason, convert_from(body, 'UTF8') FROM parked_message"
    wait_until(lambda: ordering.rows(parked) == [("crash", "no event of a feed")], timeout=20)


def test_news_that_cannot_be_used_yet_waits_in_the_retry_queue(
    catalog: Producer, ordering: Consumer, relaying: Relaying, servers: Servers
) -> None:
    relaying(catalog.relay)

    catalog.tell(StockReserved(order_id=uuid4(), lines=(), reserved_at=datetime.now(UTC)))

    wait_until(lambda: depth(servers, "ordering.retry.5s") == 1)
    assert inbox(ordering) == 0
    wait_until(lambda: depth(servers, "ordering.retry.30s") == 1)


def test_everything_arrives_although_the_broker_was_killed_in_between(
    catalog: Producer, ordering: Consumer, relaying: Relaying, servers: Servers
) -> None:
    relaying(catalog.relay)
    catalog.tell(a_product("MUG-9"))
    wait_until(lambda: inbox(ordering) == 1)

    os.kill(servers.pid("rabbitmq"), signal.SIGKILL)
    for number in range(10, 30):
        catalog.tell(a_product(f"MUG-{number}"))

    wait_until(lambda: inbox(ordering) == 21, timeout=90)
    wait_until(lambda: catalog.pending() == 0)


def test_everything_arrives_although_the_consumer_was_killed_in_between(
    catalog: Producer, ordering: Consumer, relaying: Relaying, servers: Servers
) -> None:
    os.kill(ordering.process.pid, signal.SIGSTOP)
    relaying(catalog.relay)
    catalog.tell(*(a_product(f"MUG-{number}") for number in range(5)))
    wait_until(lambda: catalog.pending() == 0)

    os.kill(ordering.process.pid, signal.SIGKILL)

    wait_until(lambda: depth(servers, "ordering.main") == 5, what="the broker took them back")


def test_what_is_in_hand_when_the_consumer_is_killed_is_handled_by_the_next(
    catalog: Producer, ordering: Consumer, relaying: Relaying
) -> None:
    relaying(catalog.relay)

    with ordering.engine.begin() as connection:
        connection.execute(text("LOCK TABLE offers"))
        catalog.tell(a_product("MUG-50"))
        wait_until(lambda: waits_for_a_lock(ordering), what="the event is in hand")
        ordering.kill()

    with ordering.again():
        wait_until(lambda: "MUG-50" in offers(ordering))


def waits_for_a_lock(ordering: Consumer) -> bool:
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname ="
    return bool(ordering.rows(f"{waiting} current_database()"))


def publish(servers: Servers, body: bytes, *, routing_key: str) -> None:
    with Connection(servers.broker_url("catalog")) as connection:
        exchange = Exchange(EVENTS_EXCHANGE, "topic")
        Publisher(connection.channel(), exchange=exchange, auto_declare=False).publish(
            body, routing_key=routing_key, mandatory=True, content_type="application/json"
        )


def give_up(servers: Servers, body: bytes) -> None:
    """As the broker does with what was delivered too often."""
    with Connection(servers.broker_url("ordering")) as connection:
        exchange = Exchange(lanes_exchange("ordering"), "direct")
        Publisher(connection.channel(), exchange=exchange, auto_declare=False).publish(
            body, routing_key="parking", mandatory=True
        )


def bind(servers: Servers, routing_key: str, *, unbind: bool = False) -> None:
    with Connection(servers.broker_url("ordering")) as connection:
        channel = connection.channel()
        act = channel.queue_unbind if unbind else channel.queue_bind
        act("ordering.main", EVENTS_EXCHANGE, routing_key)


def depth(servers: Servers, queue: str) -> int:
    """How many messages are ready in the queue."""
    with Connection(servers.broker_url("ordering")) as connection:
        declared = connection.channel().queue_declare(queue, passive=True)
        return int(declared.message_count)
