"""A consumer process notices what it does not hear any more, and ends for a new one to begin."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, cast

import aio_pika
import pytest
from kombu import Connection

from oja_events import consuming
from oja_events.consuming import ConsumerLost, _Consumer
from oja_events.declaring import declare
from oja_events.handling import MessageHandler
from oja_events.repair import Repair
from oja_events.topology import main_queue, parking_queue
from ordering.entrypoints.consumer import SUBSCRIPTIONS
from tests.integration.events.conftest import Consumer
from tests.support.servers import Servers, free_port
from tests.support.waiting import wait_until

QUEUES = [main_queue("ordering"), parking_queue("ordering")]


class NothingToRepair:
    def run(self, stop: threading.Event, broker_is_away: Callable[[], bool]) -> None:
        stop.wait()


@pytest.mark.parametrize("queue", QUEUES)
def test_a_subscription_that_was_lost_beside_a_sibling_is_noticed(
    queue: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "WATCHDOG_INTERVAL", 0.3)
    url = servers.broker_url("ordering")

    async def story() -> None:
        consumer = _Consumer(
            "ordering",
            SUBSCRIPTIONS,
            cast(MessageHandler, None),
            url,
            ("127.0.0.1", free_port()),
            cast(Repair, NothingToRepair()),
        )
        running = asyncio.create_task(consumer.run())
        async with await aio_pika.connect(url) as sibling:
            await until_it_consumes(consumer, running)
            for each in QUEUES:
                await subscribe(sibling, each)
            await lose(consumer, queue)
            await asyncio.wait_for(running, 20)

    with pytest.raises(ConsumerLost):
        asyncio.run(story())


async def until_it_consumes(consumer: _Consumer, running: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(30):
        while not consumer._consuming and not running.done():
            await asyncio.sleep(0.05)


async def subscribe(connection: Any, queue: str) -> None:
    async def ignore(message: object) -> None:
        pass

    channel = await connection.channel()
    await (await channel.get_queue(queue)).consume(ignore)


async def lose(consumer: _Consumer, name: str) -> None:
    """As when the broker and the library agree that it is over, and nobody else is told."""
    [subscriber] = [each for each in consumer._subscribers if each.queue.name == name]
    assert subscriber._queue_obj
    assert subscriber._consumer_tag
    await subscriber._queue_obj.cancel(subscriber._consumer_tag)


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_that_is_gone_ends_its_consumer(
    queue: str, ordering: Consumer, servers: Servers
) -> None:
    with Connection(servers.broker_url("ordering")) as connection:
        connection.channel().queue_delete(queue)

    wait_until(lambda: ordering.process.poll() is not None, timeout=120, what="it ends")
    with ordering.again():
        assert consumers(servers, queue) == 1


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_that_was_made_anew_has_both_its_consumers_again(
    queue: str, ordering: Consumer, servers: Servers
) -> None:
    url = servers.broker_url("ordering")
    with ordering.again(HEALTH_PORT=str(free_port())) as sibling:
        wait_until(lambda: consumers(servers, queue) == 2)
        with Connection(url) as connection:
            connection.channel().queue_delete(queue)
        declare("ordering", SUBSCRIPTIONS, url)

        wait_until(lambda: consumers(servers, queue) == 2, timeout=60)
        assert (ordering.process.poll(), sibling.poll()) == (None, None)


def consumers(servers: Servers, queue: str) -> int:
    with Connection(servers.broker_url("ordering")) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).consumer_count)
