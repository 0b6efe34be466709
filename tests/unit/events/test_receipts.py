"""Acknowledging: never more than what is done, in as few words as that allows."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, cast

from oja_events.receipts import Receipts


@dataclass(eq=False)
class FakeChannel:
    acknowledged: list[tuple[int, bool]] = field(default_factory=list)
    is_closed: bool = False


@dataclass(eq=False)
class FakeMessage:
    """As much of aio-pika's message as is looked at."""

    delivery_tag: int
    way: FakeChannel = field(default_factory=FakeChannel)
    body: bytes = b""
    headers: Mapping[str, object] = field(default_factory=dict)
    redelivered: bool = False
    locked: bool = False

    @property
    def channel(self) -> FakeChannel:
        if self.way.is_closed:
            raise ConnectionError("closed")
        return self.way

    async def ack(self, multiple: bool = False) -> None:
        self.channel.acknowledged.append((self.delivery_tag, multiple))
        self.locked = True

    def lock(self) -> None:
        self.locked = True


def given(
    messages: list[FakeMessage],
    *,
    in_hand: list[FakeMessage],
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    receipts = Receipts()
    with ExitStack() as hands:
        for message in in_hand:
            hands.enter_context(receipts.holding(cast(Any, message)))
        meanwhile()
        asyncio.run(receipts.give(cast(Any, messages)))
    assert receipts._in_hand == {}


def on(channel: FakeChannel, *tags: int) -> list[FakeMessage]:
    return [FakeMessage(tag, channel) for tag in tags]


def test_the_oldest_in_hand_are_acknowledged_in_one_word() -> None:
    channel = FakeChannel()
    first, second, third, later = on(channel, 4, 5, 6, 7)

    given([second, first, third], in_hand=[first, second, third, later])

    assert channel.acknowledged == [(6, True)]
    assert [each.locked for each in (first, second, third, later)] == [True, True, True, False]


def test_while_an_older_one_is_in_hand_each_is_left_to_its_holder() -> None:
    channel = FakeChannel()
    older, *ours = on(channel, 4, 5, 6)

    given(ours, in_hand=[older, *ours])

    assert channel.acknowledged == []
    assert not any(each.locked for each in ours)


def test_messages_of_two_channels_are_not_acknowledged_in_one_word() -> None:
    before, after = FakeChannel(), FakeChannel()
    messages = [*on(before, 7), *on(after, 8)]

    given(messages, in_hand=messages)

    assert before.acknowledged == after.acknowledged == []


def test_what_is_in_hand_of_a_lost_channel_does_not_count_on_the_next() -> None:
    before, after = FakeChannel(), FakeChannel()
    old, new = on(before, 1, 2), on(after, 3, 4)

    given(new, in_hand=[*old, *new])

    assert after.acknowledged == [(4, True)]


def test_when_the_channel_is_gone_each_is_left_to_its_holder() -> None:
    channel = FakeChannel()
    messages = on(channel, 1, 2)

    given(messages, in_hand=messages, meanwhile=lambda: setattr(channel, "is_closed", True))

    assert channel.acknowledged == []
    assert not any(each.locked for each in messages)
