"""Publishing with pipelined confirms on kombu.

kombu's own `confirm_publish` waits for *any* ack and never compares delivery tags, so after one
time-out the late ack of message A confirms message B. Here every tag is counted, and after any
doubt the connection is thrown away.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from kombu import Connection, Exchange, Producer  # type: ignore[attr-defined]  # lazily exported

from oja_events.topology import EVENTS_EXCHANGE, is_awaited

CONFIRM_DEADLINE = 5.0  # seconds for one window
HEARTBEAT = 15


class Unconfirmed(Exception):
    """The broker did not answer for a whole window in time: nothing about it is known."""


class Message(Protocol):
    """What is published: `id` is the caller's key, `event_id` the message id on the wire."""

    @property
    def id(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def event_id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def envelope(self) -> bytes: ...


@dataclass(slots=True)
class Outcome:
    """The callers' keys: taken over by every bound queue, or refused (nacked, unroutable)."""

    confirmed: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """One connection of our own, closed hard on the way out."""
    connection = Connection(url, heartbeat=HEARTBEAT, connect_timeout=5)
    try:
        connection.connect()
        yield connection
    finally:
        connection.collect(socket_timeout=1)


class ConfirmWindow:
    """One channel in confirm mode. `select` may wait on it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        channel: Any = connection.channel()
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)
        channel.events["basic_return"].add(self._on_return)
        self._producer = Producer(
            channel, exchange=Exchange(EVENTS_EXCHANGE, "topic"), auto_declare=False
        )
        self._tag = 0
        self._waiting: dict[int, tuple[int, str]] = {}
        self._returned: set[str] = set()
        self._outcome = Outcome()

    def fileno(self) -> int:
        """The broker's socket."""
        number: int = self._connection.connection.sock.fileno()
        return number

    def publish(self, messages: Sequence[Message]) -> Outcome:
        """Send all, then wait for every answer; raises Unconfirmed after CONFIRM_DEADLINE."""
        self._returned.clear()
        self._outcome = Outcome()
        for message in messages:
            self._send(message)
        self._collect(time.monotonic() + CONFIRM_DEADLINE)
        return self._outcome

    def drain(self) -> None:
        """Read what the broker has sent, without waiting."""
        try:
            self._connection.drain_events(timeout=0.001)
        except TimeoutError:
            return

    def heartbeat(self) -> None:
        """Call about once a second: an idle publisher sends and notices nothing by itself."""
        self._connection.heartbeat_check()

    def _send(self, message: Message) -> None:
        self._tag += 1
        self._waiting[self._tag] = (message.id, message.event_id)
        self._producer.publish(
            message.envelope,
            routing_key=message.type,
            mandatory=is_awaited(message.type),
            delivery_mode=2,
            content_type="application/cloudevents+json",
            content_encoding="utf-8",
            message_id=message.event_id,
            type=message.type,
            headers={"x-position": message.position},
        )

    def _collect(self, deadline: float) -> None:
        while self._waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Unconfirmed(f"{len(self._waiting)} messages unconfirmed")
            try:
                self._connection.drain_events(timeout=left)
            except TimeoutError as error:
                raise Unconfirmed(f"{len(self._waiting)} messages unconfirmed") from error

    def _on_ack(self, tag: int, multiple: bool) -> None:
        # A returned message is acked as well, after its return: no queue had wanted it.
        self._resolve(tag, multiple, lambda event_id: event_id not in self._returned)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._resolve(tag, multiple, lambda event_id: False)

    def _on_return(self, error: Exception, exchange: str, routing_key: str, message: Any) -> None:
        self._returned.add(message.properties["message_id"])

    def _resolve(self, tag: int, multiple: bool, good: Callable[[str], bool]) -> None:
        tags = [waiting for waiting in self._waiting if waiting <= tag] if multiple else [tag]
        for each in tags:
            key, event_id = self._waiting.pop(each)
            (self._outcome.confirmed if good(event_id) else self._outcome.refused).append(key)
