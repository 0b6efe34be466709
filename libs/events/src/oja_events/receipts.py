"""Acknowledges many messages in one word, as long as nothing older is still in hand.

A word for each is a system call here and an entry in the log of the queue there.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aio_pika.abc import AbstractIncomingMessage as Message

log = logging.getLogger(__name__)


class Receipts:
    """Knows what is in hand. Deliveries are numbered from 1 on every channel, also on the one that
    takes the place of one that was lost."""

    def __init__(self) -> None:
        self._in_hand: dict[Any, set[int]] = defaultdict(set)

    @contextmanager
    def holding(self, message: Message) -> Iterator[None]:
        """In hand until the block ends; acknowledge it before."""
        channel = message.channel
        in_hand = self._in_hand[channel]
        in_hand.add(_number(message))
        try:
            yield
        finally:
            in_hand.discard(_number(message))
            if not in_hand:
                self._in_hand.pop(channel, None)

    async def give(self, messages: Sequence[Message]) -> None:
        """Acknowledge them all, if one word can say that; otherwise each is left to its holder."""
        last = max(messages, key=_number)
        try:
            if not self._are_the_oldest(messages, last):
                return
            await last.ack(multiple=True)
        except Exception as error:
            log.warning("not acknowledged together", extra={"error": repr(error)})
            return
        for each in messages:
            each.lock()

    def _are_the_oldest(self, messages: Sequence[Message], last: Message) -> bool:
        ours = {_number(each) for each in messages if each.channel is last.channel}
        up_to = {
            number for number in self._in_hand.get(last.channel, ()) if number <= _number(last)
        }
        return len(ours) == len(messages) and up_to <= ours


def _number(message: Message) -> int:
    return message.delivery_tag or 0
