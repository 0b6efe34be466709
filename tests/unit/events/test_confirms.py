"""Which of the broker's answers belongs to which message."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from kombu import Connection
from kombu.transport.memory import Channel

from oja_events import confirms
from oja_events.confirms import ConfirmWindow, Unconfirmed


@dataclass(frozen=True, slots=True)
class Sent:
    id: int
    position: int = 1
    type: str = "oja.catalog.product_changed.v1"
    envelope: bytes = b"{}"

    @property
    def event_id(self) -> str:
        return f"event {self.id}"


class FakeChannel(Channel):
    """Takes messages; the test says what the broker answers."""

    def confirm_select(self) -> None:
        self.events = {name: set() for name in ("basic_ack", "basic_nack", "basic_return")}

    def basic_publish(self, *_: object, **__: object) -> None:
        """Sent, and not answered yet."""

    def says(self, answer: str, *values: object) -> None:
        for listener in self.events[answer]:
            listener(*values)


class FakeConnection:
    """Each wait for answers takes the next of the scripted ones; without any, it times out."""

    def __init__(self) -> None:
        self.answers: list[Callable[[], None]] = []
        self.opened = FakeChannel(Connection("memory://").connect())

    def channel(self) -> FakeChannel:
        return self.opened

    def drain_events(self, timeout: float) -> None:
        if not self.answers:
            raise TimeoutError
        self.answers.pop(0)()


@pytest.fixture
def broker() -> FakeConnection:
    return FakeConnection()


@pytest.fixture
def window(broker: FakeConnection) -> ConfirmWindow:
    return ConfirmWindow(broker)  # type: ignore[arg-type]


def returned(event_id: str) -> Any:
    class Message:
        properties = {"message_id": event_id}  # noqa: RUF012  # as amqp has it

    return Message()


def test_every_message_has_its_own_answer_in_whatever_order(
    broker: FakeConnection, window: ConfirmWindow
) -> None:
    says = broker.opened.says
    broker.answers = [
        lambda: says("basic_ack", 2, False),
        lambda: says("basic_nack", 3, False),
        lambda: says("basic_ack", 1, False),
    ]

    outcome = window.publish([Sent(10), Sent(20), Sent(30)])

    assert (outcome.confirmed, outcome.refused) == ([20, 10], [30])


def test_one_answer_may_be_for_many(broker: FakeConnection, window: ConfirmWindow) -> None:
    broker.answers = [lambda: broker.opened.says("basic_ack", 3, True)]

    outcome = window.publish([Sent(10), Sent(20), Sent(30)])

    assert outcome.confirmed == [10, 20, 30]


def test_what_no_queue_wanted_is_refused_though_it_is_acknowledged(
    broker: FakeConnection, window: ConfirmWindow
) -> None:
    says = broker.opened.says
    broker.answers = [
        lambda: says("basic_return", None, "", "", returned("event 10")),
        lambda: says("basic_ack", 2, True),
    ]

    outcome = window.publish([Sent(10), Sent(20)])

    assert (outcome.confirmed, outcome.refused) == ([20], [10])


def test_a_window_without_an_answer_is_in_doubt(
    broker: FakeConnection, window: ConfirmWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirms, "CONFIRM_DEADLINE", 0.01)

    with pytest.raises(Unconfirmed):
        window.publish([Sent(10)])


def test_a_late_answer_is_not_taken_for_that_to_another_message(
    broker: FakeConnection, window: ConfirmWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = broker.opened.says
    monkeypatch.setattr(confirms, "CONFIRM_DEADLINE", 0.01)
    with pytest.raises(Unconfirmed):
        window.publish([Sent(10)])

    broker.answers = [lambda: says("basic_ack", 1, False), lambda: says("basic_nack", 2, False)]
    outcome = window.publish([Sent(20)])

    assert 20 not in outcome.confirmed
