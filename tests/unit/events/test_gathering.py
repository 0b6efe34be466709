"""Messages in hand: together where that is possible, alone where it must be, never in each other's
way."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from oja_events import gathering
from oja_events.gathering import ATTEMPT_HEADER, MOST, RETURNS_HEADER, Gathering
from oja_events.handling import MessageHandler, Result, Verdict
from oja_events.receipts import Receipts
from tests.unit.events.test_receipts import FakeChannel, FakeMessage

DONE, LATER, HOLD = (Result(verdict) for verdict in (Verdict.DONE, Verdict.LATER, Verdict.HOLD))


@pytest.fixture(autouse=True)
def nobody_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is that the test runs on."""
    monkeypatch.setattr(gathering, "SOON", 60)


@dataclass
class FakeHandler:
    """Does what it is told to for some bodies, and well with all others; writes down its calls."""

    alone: dict[bytes, list[Result]] = field(default_factory=dict)
    in_the_way: set[bytes] = field(default_factory=set)
    slow: dict[bytes, threading.Event] = field(default_factory=dict)
    calls: list[list[bytes]] = field(default_factory=list)

    def handle(self, body: bytes, headers: Mapping[str, Any]) -> Result:
        self.calls.append([body])
        if body in self.slow:
            assert self.slow[body].wait(30)
        return self.alone.get(body, [DONE]).pop(0)

    def handle_together(self, bodies: Sequence[bytes]) -> bool:
        self.calls.append(list(bodies))
        return not self.in_the_way & set(bodies)


class Hands(Gathering):
    def __init__(self, handler: FakeHandler) -> None:
        self.receipts = Receipts()
        super().__init__(cast(MessageHandler, handler), self.receipts)

    def take(self, *messages: FakeMessage) -> "list[asyncio.Task[Result]]":
        return [asyncio.create_task(self.handle(cast(Any, message))) for message in messages]


def messages(count: int, **headers: object) -> list[FakeMessage]:
    return [FakeMessage(tag, body=b"%d" % tag, headers=headers) for tag in range(1, count + 1)]


def bodies(*of: FakeMessage) -> list[bytes]:
    return [message.body for message in of]


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def within_a_minute() -> None:
        await asyncio.wait_for(story(), 60)

    asyncio.run(within_a_minute())


def results(handler: FakeHandler, of: Sequence[FakeMessage]) -> list[Result]:
    """All of them came at once."""

    async def story() -> list[Result]:
        return await asyncio.wait_for(asyncio.gather(*Hands(handler).take(*of)), 60)

    return asyncio.run(story())


def test_who_comes_alone_is_handled_alone() -> None:
    handler = FakeHandler()

    assert results(handler, messages(1)) == [DONE]
    assert handler.calls == [[b"1"]]


def test_who_came_while_another_was_handled_is_handled_with_all_who_did() -> None:
    first, *others = messages(6)
    handler = FakeHandler(slow={first.body: threading.Event()})

    async def story() -> None:
        hands = Hands(handler)
        [task] = hands.take(first)
        while not handler.calls:
            await asyncio.sleep(0)
        tasks = hands.take(*others)
        await asyncio.sleep(0)
        handler.slow[first.body].set()
        assert await asyncio.gather(task, *tasks) == [DONE] * 6

    run(story)
    assert handler.calls == [[b"1"], bodies(*others)]


def test_there_are_never_more_than_that_in_one_transaction() -> None:
    handler = FakeHandler()

    assert results(handler, messages(2 * MOST + 1)) == [DONE] * (2 * MOST + 1)
    assert [len(call) for call in handler.calls] == [MOST, MOST, 1]


def test_with_one_in_the_way_each_is_handled_alone() -> None:
    handler = FakeHandler(alone={b"2": [LATER]}, in_the_way={b"2"})

    assert results(handler, messages(4)) == [DONE, LATER, DONE, DONE]
    assert handler.calls[0] == [b"1", b"2", b"3", b"4"]
    assert sorted(handler.calls[1:]) == [[b"1"], [b"2"], [b"3"], [b"4"]]


def test_after_trouble_the_batches_are_small_and_grow_again() -> None:
    handler = FakeHandler(in_the_way={b"1"})

    results(handler, messages(4 * MOST))

    batches = [len(call) for call in handler.calls if len(call) > 1]
    assert batches[:4] == [MOST, MOST // 2, MOST, MOST]


def test_where_something_is_always_in_the_way_each_is_handled_once_in_vain() -> None:
    everybody = messages(3 * MOST)
    handler = FakeHandler(in_the_way=set(bodies(*everybody)))

    assert results(handler, everybody) == [DONE] * len(everybody)
    together = [body for call in handler.calls if len(call) > 1 for body in call]
    assert len(together) == len(set(together))


@pytest.mark.parametrize("headers", [{ATTEMPT_HEADER: 1}, {RETURNS_HEADER: 1}], ids=str)
def test_who_was_in_hand_before_is_handled_alone(headers: dict[str, object]) -> None:
    handler = FakeHandler()
    known, new = messages(3, **headers), [FakeMessage(tag, body=b"n%d" % tag) for tag in (7, 8)]

    assert results(handler, [*known, *new]) == [DONE] * 5
    assert [call for call in handler.calls if len(call) > 1] == [bodies(*new)]


def test_who_comes_back_with_the_flag_alone_was_in_hand_before() -> None:
    handler = FakeHandler()

    results(handler, [FakeMessage(1, redelivered=True), FakeMessage(2, redelivered=True)])

    assert [len(call) for call in handler.calls] == [1, 1]


@pytest.mark.parametrize("place", range(9))
def test_one_that_kills_its_consumer_is_soon_the_only_one_that_comes_back(place: int) -> None:
    left = [b"%d" % number for number in range(9)]
    killer = left[place]

    for deaths in (1, 2):
        back = [
            FakeMessage(n, body=b, headers={RETURNS_HEADER: deaths}) for n, b in enumerate(left)
        ]
        handler = FakeHandler()
        results(handler, back)
        order = [body for [body] in handler.calls]
        left = [body for body in left if order.index(body) >= order.index(killer)]

    assert left == [killer]


def test_while_the_database_is_away_the_message_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "HOLD_DELAYS", (0,))
    handler = FakeHandler(alone={b"1": [HOLD, HOLD, DONE]})

    assert results(handler, messages(1)) == [DONE]
    assert handler.calls == [[b"1"]] * 3


def test_who_takes_long_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "SOON", 0.01)
    first, second = messages(2)
    handler = FakeHandler(slow={first.body: threading.Event()})

    async def story() -> None:
        hands = Hands(handler)
        [slow] = hands.take(first)
        while not handler.calls:
            await asyncio.sleep(0)
        [other] = hands.take(second)
        assert await other == DONE
        assert not slow.done()
        handler.slow[first.body].set()
        await slow

    run(story)


def test_what_escapes_the_handler_reaches_those_who_must_reject_the_message() -> None:
    class Failing(FakeHandler):
        def handle(self, body: bytes, headers: Mapping[str, Any]) -> Result:
            raise LookupError

    async def story() -> None:
        hands = Hands(Failing(in_the_way={b"1"}))
        results = await asyncio.gather(*hands.take(*messages(2)), return_exceptions=True)
        assert [type(each) for each in results] == [LookupError, LookupError]
        assert await asyncio.gather(*hands.take(*messages(3)[1:])) == [DONE, DONE]

    run(story)


def test_who_waits_no_longer_because_the_channel_is_gone_disturbs_nobody() -> None:
    handler = FakeHandler()

    async def story() -> None:
        gone, *others = Hands(handler).take(*messages(3))
        await asyncio.sleep(0)
        gone.cancel()
        assert await asyncio.gather(*others) == [DONE, DONE]

    run(story)


def test_what_was_done_together_is_acknowledged_in_one_word() -> None:
    channel = FakeChannel()
    three = [FakeMessage(tag, channel) for tag in (1, 2, 3)]

    async def story() -> None:
        hands = Hands(FakeHandler())
        with ExitStack() as in_hand:
            for message in three:
                in_hand.enter_context(hands.receipts.holding(cast(Any, message)))
            await asyncio.gather(*hands.take(*three))

    run(story)
    assert channel.acknowledged == [(3, True)]
    assert all(message.locked for message in three)
