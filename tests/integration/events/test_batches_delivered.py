"""A backlog that a real consumer takes off a real broker, many messages at a time."""

import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from kombu import Connection, Queue

from oja_events.contracts.catalog import ProductChanged
from oja_events.relay import Relay
from tests.integration.events.conftest import Consumer, Producer
from tests.integration.events.test_delivery import a_product, depth, inbox, offers, publish
from tests.sabotage.plugin import PYTHONPATH
from tests.support.servers import Servers, free_port
from tests.support.waiting import wait_until

Relaying = Callable[[Relay], threading.Event]
BACKLOG = 100


def pile_up(catalog: Producer, ordering: Consumer, relaying: Relaying, servers: Servers) -> None:
    """What nobody consumes yet: as many products."""
    ordering.kill()
    relaying(catalog.relay)
    catalog.tell(*(a_product(f"MUG-{number}") for number in range(BACKLOG)))
    wait_until(lambda: depth(servers, "ordering.main") == BACKLOG, timeout=60)


def test_a_batch_whose_consumer_dies_before_it_acknowledges_has_no_second_effect(
    catalog: Producer, ordering: Consumer, relaying: Relaying, servers: Servers, tmp_path: Path
) -> None:
    pile_up(catalog, ordering, relaying, servers)
    (tmp_path / "armed").write_text("cons.4 ordering 2")

    with ordering.again(OJA_CRASHES=str(tmp_path), PYTHONPATH=PYTHONPATH) as dying:
        wait_until(lambda: dying.poll() is not None, timeout=60, what="it dies")
    assert (tmp_path / "fired").exists()
    committed = ordering.rows("SELECT event_id, xmin::text FROM inbox")
    effects = ordering.rows("SELECT sku, xmin::text FROM offers")
    assert 1 < len(committed) < BACKLOG

    with ordering.again():
        wait_until(lambda: inbox(ordering) == BACKLOG, timeout=60)

    assert left(servers) == 0
    assert set(committed) <= set(ordering.rows("SELECT event_id, xmin::text FROM inbox"))
    assert set(effects) <= set(ordering.rows("SELECT sku, xmin::text FROM offers"))
    assert len(offers(ordering)) == BACKLOG


def test_what_cannot_be_read_is_put_away_and_those_around_it_have_their_effects(
    catalog: Producer, ordering: Consumer, relaying: Relaying, servers: Servers
) -> None:
    ordering.kill()
    relaying(catalog.relay)
    for number in range(3):
        publish(servers, b"not json %d" % number, routing_key=ProductChanged.TYPE)
        catalog.tell(*(a_product(f"CUP-{number}-{n}") for n in range(10)))
        wait_until(lambda: catalog.pending() == 0, timeout=60)

    with ordering.again():
        wait_until(lambda: len(offers(ordering)) == 30, timeout=60)
        parked = "SELECT reason FROM parked_message"
        wait_until(lambda: ordering.rows(parked) == [("malformed",)] * 3, timeout=60)


def test_two_consumers_share_the_news_of_the_same_products_and_lose_none(
    catalog: Producer, ordering: Consumer, relaying: Relaying, servers: Servers
) -> None:
    products = [(f"PEN-{number}", uuid4()) for number in range(5)]
    relaying(catalog.relay)

    with ordering.again(HEALTH_PORT=str(free_port())):
        for version in range(1, 31):
            catalog.tell(
                *(a_product(sku, product_id=key, version=version) for sku, key in products)
            )
        wait_until(lambda: inbox(ordering) == 150, timeout=60)

    assert offers(ordering) == {sku: "version 30" for sku, _ in products}
    assert ordering.rows("SELECT FROM parked_message") == []


def left(servers: Servers) -> int:
    """How many messages were not acknowledged, once nobody has any in hand."""
    with Connection(servers.broker_url("ordering")) as connection:
        queue = Queue("ordering.main", channel=connection.channel())
        wait_until(lambda: queue.queue_declare(passive=True).consumer_count == 0)
        return int(queue.queue_declare(passive=True).message_count)
