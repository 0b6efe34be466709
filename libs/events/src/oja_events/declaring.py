"""A service declares its own queues and bindings, with its own rights on the broker."""

import asyncio
from collections.abc import Iterable

import aio_pika

from oja_events.contracts import Event
from oja_events.topology import EVENTS_EXCHANGE, lanes, lanes_exchange, main_queue


def declare(service: str, subscriptions: Iterable[type[Event]], broker_url: str) -> None:
    """Create what is missing; safe to repeat, and done again by every consumer that starts.

    The exchanges, users and policies come from `topology.broker_definitions`.
    """
    asyncio.run(declare_async(service, subscriptions, broker_url))


async def declare_async(
    service: str, subscriptions: Iterable[type[Event]], broker_url: str
) -> None:
    connection = await aio_pika.connect(broker_url, timeout=5)
    async with connection, connection.channel() as channel:
        exchange = await channel.get_exchange(lanes_exchange(service), ensure=False)
        for routing_key, name in lanes(service).items():
            queue = await channel.declare_queue(
                name, durable=True, arguments={"x-queue-type": "quorum"}
            )
            await queue.bind(exchange, routing_key)
        main = await channel.get_queue(main_queue(service), ensure=False)
        for event in subscriptions:
            await main.bind(EVENTS_EXCHANGE, event.TYPE)
