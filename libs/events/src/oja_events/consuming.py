"""Runs the consumer process of a service: broker -> handler -> acknowledgement.

The transaction of the effect commits first, then the message is acknowledged. What may work later
goes to the retry ladder as a confirmed copy before the original is acknowledged; so whatever
crashes in between repeats a message and loses none. What the broker loses, repair finds.
"""

import asyncio
import contextlib
import logging
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import aio_pika
import aiormq
from faststream import AckPolicy
from faststream.rabbit import (
    Channel,
    QueueType,
    RabbitBroker,
    RabbitExchange,
    RabbitMessage,
    RabbitQueue,
)
from faststream.rabbit.subscriber import RabbitSubscriber

from oja_events.declaring import declare_async
from oja_events.gathering import ATTEMPT_HEADER, MOST, Gathering, hold_delays
from oja_events.handling import MessageHandler, Subscriptions, Verdict
from oja_events.health import serve_health
from oja_events.receipts import Receipts
from oja_events.repair import REPAIRERS, Repair
from oja_events.topology import lanes_exchange, main_queue, parking_queue, retry_tier

log = logging.getLogger(__name__)

PREFETCH = 4 * MOST  # messages in hand at once: some batches at work, and the next one
THREADS = 8
# Sessions that a consumer may need at once: for every thread, for what compares feeds (it holds one
# while it works with another), and for whoever wakes the relay.
POOL_SIZE = THREADS + REPAIRERS + 3
GRACEFUL_STOP = 35.0
WATCHDOG_INTERVAL = 10.0
WATCHDOG_PATIENCE = 5.0
PATIENCE_AT_START = 10.0  # seconds until a broker counts as away that we have not reached yet


class ConsumerLost(Exception):
    """The broker no longer counts us among a queue's consumers; a new process declares and
    subscribes anew."""


def run_consumer(
    service: str,
    subscriptions: Subscriptions,
    handler: MessageHandler,
    *,
    broker_url: str,
    health: tuple[str, int],
    repair: Repair,
) -> None:
    """Consume until SIGTERM or SIGINT, finishing what is in hand. Waits for a broker that is away,
    and lives by the feeds meanwhile.

    Raises ConsumerLost when the subscription got lost in a way that reconnecting did not mend; the
    supervisor starts the process anew, because reconnect code is not to be trusted blindly.
    """
    asyncio.run(_Consumer(service, subscriptions, handler, broker_url, health, repair).run())


class _Consumer:
    def __init__(
        self,
        service: str,
        subscriptions: Subscriptions,
        handler: MessageHandler,
        broker_url: str,
        health: tuple[str, int],
        repair: Repair,
    ) -> None:
        self._service = service
        self._subscriptions = subscriptions
        self._handler = handler
        self._receipts = Receipts()
        self._gathering = Gathering(handler, self._receipts)
        self._url = broker_url
        self._health = health
        self._repair = repair
        self._stop = asyncio.Event()
        self._consuming = False
        self._broker: RabbitBroker | None = None
        self._subscribers: list[RabbitSubscriber] = []
        self._started = time.monotonic()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, "handler"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        with serve_health(self._health, lambda: self._consuming), self._repairing():
            await self._declare_when_possible()
            if not self._stop.is_set():
                await self._consume()

    @contextlib.contextmanager
    def _repairing(self) -> Iterator[None]:
        stop = threading.Event()
        work = (stop, self._broker_is_away)
        thread = threading.Thread(target=self._repair.run, args=work, name="repair", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=GRACEFUL_STOP)

    def _broker_is_away(self) -> bool:
        if not self._broker:
            return time.monotonic() - self._started > PATIENCE_AT_START
        connection = self._broker._connection
        return not connection or not connection.connected.is_set()

    async def _declare_when_possible(self) -> None:
        while not self._stop.is_set():
            try:
                return await declare_async(self._service, self._subscriptions, self._url)
            except (aio_pika.exceptions.AMQPError, OSError, TimeoutError) as error:
                log.warning("broker is away", extra={"error": str(error)})
                await self._sleep(1)

    async def _consume(self) -> None:
        self._copies = self._connecting(Channel(on_return_raises=True))
        broker = self._broker = self._connecting(Channel(prefetch_count=PREFETCH))
        self._subscribe(broker, main_queue(self._service), self._on_message)
        self._subscribe(
            broker, parking_queue(self._service), self._on_parked, Channel(prefetch_count=1)
        )
        await self._copies.connect()
        await broker.start()
        self._consuming = True
        log.info("consuming", extra={"queue": main_queue(self._service)})
        try:
            await self._watch()
        finally:
            self._consuming = False
            await broker.stop()
            await self._copies.stop()

    def _connecting(self, channel: Channel) -> RabbitBroker:
        return RabbitBroker(
            self._url + "?heartbeat=15",
            default_channel=channel,
            reconnect_interval=1,
            graceful_timeout=GRACEFUL_STOP,
            apply_types=False,
            logger=None,
        )

    def _subscribe(
        self, broker: RabbitBroker, queue: str, handle: Any, channel: Channel | None = None
    ) -> None:
        # What escapes a handler is rejected, and the queue's policy parks it: neither lost nor
        # left unacknowledged to freeze the lane.
        subscriber = broker.subscriber(
            RabbitQueue(queue, queue_type=QueueType.QUORUM, declare=False),
            channel=channel,
            ack_policy=AckPolicy.REJECT_ON_ERROR,
            decoder=_whole_message,
            no_reply=True,
        )
        subscriber(handle)
        self._subscribers.append(subscriber)

    async def _on_message(self, message: RabbitMessage) -> None:
        with self._receipts.holding(message.raw_message):
            result = await self._gathering.handle(message.raw_message)
            if result.verdict is Verdict.LATER:
                await self._try_later(message, result.error)
            await message.ack()

    async def _try_later(self, message: RabbitMessage, error: str) -> None:
        attempt = int(message.headers.get(ATTEMPT_HEADER, 0))
        tier = retry_tier(attempt)
        if tier is None:
            return await self._park(message, "exhausted", error)
        while True:
            try:
                return await self._copy(message, f"retry.{tier}", attempt + 1, error)
            except (aio_pika.exceptions.AMQPError, OSError, TimeoutError) as trouble:
                # Not to be rejected for the broker's trouble; a lost channel redelivers it anyway.
                log.warning("retry copy not confirmed", extra={"error": str(trouble)})
                await asyncio.sleep(1)

    async def _copy(self, message: RabbitMessage, lane: str, attempt: int, error: str) -> None:
        """Returns when the broker has confirmed the copy."""
        await self._copies.publish(
            message.body,
            exchange=RabbitExchange(lanes_exchange(self._service), declare=False),
            routing_key=lane,
            persist=True,
            mandatory=True,
            timeout=5,
            message_id=message.raw_message.message_id,
            message_type=message.raw_message.type,
            content_type=message.raw_message.content_type,
            headers={ATTEMPT_HEADER: attempt, "x-error": error},
        )

    async def _on_parked(self, message: RabbitMessage) -> None:
        """What the broker gave up on (delivery limit, rejected) becomes a row as well."""
        await self._park(message, "crash", "given up by the broker")

    async def _park(self, message: RabbitMessage, reason: str, error: str) -> None:
        """Returns when the row is written: what is rejected out of the parking queue is lost."""
        for delay in hold_delays():
            try:
                return await asyncio.to_thread(
                    self._handler.park, message.body, message.headers, reason, error
                )
            except Exception:
                log.warning("cannot park, holding the message", exc_info=True)
                await asyncio.sleep(delay)

    async def _watch(self) -> None:
        """Return when asked to stop; raise when a subscription is missing twice in a row."""
        missing = 0
        while not await self._sleep(WATCHDOG_INTERVAL):
            missing = 0 if await self._is_subscribed() else missing + 1
            if missing == 2:
                raise ConsumerLost(self._service)

    async def _is_subscribed(self) -> bool:
        try:
            return await self._has_consumers() and await self._holds_its_subscriptions()
        except (aio_pika.exceptions.AMQPError, OSError, TimeoutError):
            return True  # the broker is away for everybody: wait for it rather than restart

    async def _has_consumers(self) -> bool:
        """Whether the broker has somebody for each queue; whom, it does not say."""
        try:
            connection = await aio_pika.connect(self._url, timeout=WATCHDOG_PATIENCE)
            async with connection, connection.channel() as channel:
                for name in (main_queue(self._service), parking_queue(self._service)):
                    queue = await channel.declare_queue(
                        name, passive=True, timeout=WATCHDOG_PATIENCE
                    )
                    if not queue.declaration_result.consumer_count:
                        return False
                return True
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return False

    async def _holds_its_subscriptions(self) -> bool:
        """Whether we are among them: what the broker cancels is taken off our channel. A connection
        of ours that is still away, when the broker is not, holds none."""
        try:
            async with asyncio.timeout(WATCHDOG_PATIENCE):
                return all([await _stands(each) for each in self._subscribers])
        except (aio_pika.exceptions.AMQPError, TimeoutError):
            return False

    async def _sleep(self, seconds: float) -> bool:
        """Wait; True when it is time to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        return self._stop.is_set()


async def _stands(subscriber: RabbitSubscriber) -> bool:
    if not subscriber._queue_obj:
        return False
    channel = cast(aiormq.Channel, await subscriber._queue_obj.channel.get_underlay_channel())
    return not channel.is_closed and subscriber._consumer_tag in channel.consumers


async def _whole_message(message: RabbitMessage) -> RabbitMessage:
    """Decoding is the handler's: a body that cannot be decoded must be parked with its reason."""
    return message
