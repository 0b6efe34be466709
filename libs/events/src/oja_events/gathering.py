"""What waits in a consumer's hands is handled together; what comes alone is handled at once.

While one batch is worked on, the next one gathers by itself, so nobody waits for it to fill. Who
takes longer than SOON holds up nobody: the next ones begin beside him. A message that was in hand
before, because it failed or its consumer died, is handled alone.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from oja_events.handling import MessageHandler, Result, Verdict
from oja_events.receipts import Receipts

log = logging.getLogger(__name__)

MOST = 16  # messages in one transaction
SOON = 0.01  # while one batch waits for Postgres, the next one can be worked on
HOLD_DELAYS = (1, 2, 5, 10)  # seconds between looks at a database that is away
ATTEMPT_HEADER = "x-attempt"
RETURNS_HEADER = "x-delivery-count"  # the broker's own


def hold_delays() -> Iterator[int]:
    """How long to wait for the database, again and again."""
    return chain(HOLD_DELAYS, repeat(HOLD_DELAYS[-1]))


class Delivery:
    """A message in hand. `returns` counts how often it came back from hands like ours."""

    def __init__(self, message: AbstractIncomingMessage) -> None:
        self.message = message
        self.returns = int(str(message.headers.get(RETURNS_HEADER, int(bool(message.redelivered)))))
        self.is_new = not self.returns and ATTEMPT_HEADER not in message.headers
        self.result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def settle(self, result: Result) -> None:
        if not self.result.done():  # who waited for it went away with the channel that it came by
            self.result.set_result(result)

    def give_up(self, error: Exception) -> None:
        if not self.result.done():
            self.result.set_exception(error)


class Gathering:
    """The messages that one process has in hand, on their way through its handler."""

    def __init__(self, handler: MessageHandler, receipts: Receipts) -> None:
        self._handler = handler
        self._receipts = receipts
        self._new: list[Delivery] = []
        self._known: list[Delivery] = []
        self._most = MOST
        self._at_work = False
        self._under_way: set[asyncio.Task[None]] = set()

    async def handle(self, message: AbstractIncomingMessage) -> Result:
        """DONE or LATER; does not return while the database is away."""
        delivery = Delivery(message)
        (self._new if delivery.is_new else self._known).append(delivery)
        if not self._at_work:
            self._at_work = True
            self._begin(self._work())
        return await delivery.result

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _work(self) -> None:
        while self._new or self._known:
            for deliveries in (self._next_batch(), self._next_known()):
                if deliveries:
                    await asyncio.wait({self._begin(self._settle(deliveries))}, timeout=SOON)
        self._at_work = False

    def _next_batch(self) -> list[Delivery]:
        batch, self._new = self._new[: self._most], self._new[self._most :]
        return batch

    def _next_known(self) -> list[Delivery]:
        """One of them, from the other end after each death of a consumer: so that nobody always
        comes after the one that kills it, and is taken for a killer too."""
        if not self._known:
            return []
        deaths = max(each.returns for each in self._known)
        return [self._known.pop(-1 if deaths % 2 else 0)]

    async def _settle(self, deliveries: Sequence[Delivery]) -> None:
        """Together if that is possible. After a batch with something in its way the next one is
        half as large, after a good one twice as large."""
        try:
            went_well = await self._together(deliveries) or await self._alone(deliveries)
        except Exception as error:
            for each in deliveries:
                each.give_up(error)
            raise
        self._most = min(MOST, 2 * self._most) if went_well else max(1, self._most // 2)

    async def _together(self, deliveries: Sequence[Delivery]) -> bool:
        if len(deliveries) == 1:
            return False
        bodies = [each.message.body for each in deliveries]
        if not await asyncio.to_thread(self._handler.handle_together, bodies):
            return False
        await self._receipts.give([each.message for each in deliveries])
        for each in deliveries:
            each.settle(Result(Verdict.DONE))
        return True

    async def _alone(self, deliveries: Sequence[Delivery]) -> bool:
        """Each by itself. Whether nothing argues against batches: there was but one, and it went
        well."""
        results = await asyncio.gather(*(self._one(each) for each in deliveries))
        return len(results) == 1 and results[0].verdict is Verdict.DONE

    async def _one(self, delivery: Delivery) -> Result:
        body, headers = delivery.message.body, delivery.message.headers
        delays = hold_delays()
        while True:
            result = await asyncio.to_thread(self._handler.handle, body, headers)
            if result.verdict is not Verdict.HOLD:
                delivery.settle(result)
                return result
            log.warning("database is away, holding the message", extra={"error": result.error})
            await asyncio.sleep(next(delays))
