"""Answers in Redis: the bytes that go out, each with the version of what it was made from.

Nothing is ever cleared. An answer whose version is not today's is as good as none, so a change made
while Redis was away is no less seen than any other. Redis adds that it is seen at once: each
commit, but for those of events, leaves a sign there that makes everybody ask Postgres again.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import redis

from catalog.adapters.freshness import LISTS, Counts, Freshness, part_of
from catalog.use_cases.queries import Answer

SECONDS_KEPT = 15 * 60
_TIMEOUT_SECONDS = 0.1
# After trouble with Redis nobody asks it for so long.
_REST_SECONDS = 1.0
# How long to wait for an answer that another process is making, and how often to look.
_PATIENCE_SECONDS = 2.0
_LOOK_SECONDS = 0.01
_SIGN = "catalog:sign"

Make = Callable[[], Answer | None]
Command = tuple[Any, ...]


@dataclass(slots=True)
class _Flight:
    """An answer that a thread of this process is making."""

    landed: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    counts: Counts = field(default_factory=Counts)


class RedisAnswers:
    """See use_cases.queries.Answers. Without Redis it makes every answer anew."""

    def __init__(self, url: str, freshness: Freshness) -> None:
        # from_url means no retries: a Redis that is away costs one time-out a second.
        self._redis = redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )
        self._freshness = freshness
        self._rests_until = 0.0
        self._flights: dict[str, _Flight] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Answer | None:
        return self._held(self._ask("MGET", _name(key), _SIGN))

    def _held(self, found: Sequence[bytes | None] | None) -> Answer | None:
        """The answer of what was found beside the sign, if it is today's."""
        if found is None:
            return None
        self._freshness.keep_up(found[1])
        if found[0] is None:
            return None
        part, version, answer = _unpacked(found[0])
        return answer if self._freshness.counts.version(part) == version else None

    def get_or_make(self, key: str, make: Make) -> Answer | None:
        with self._lock:
            running = self._flights.get(key)
            if running is None:
                mine = self._flights[key] = _Flight()
        if running is not None:
            running.landed.wait(_PATIENCE_SECONDS)
            return self.get(key) or self._shared(running) or make()
        try:
            return self._make_alone(key, make, mine)
        finally:
            with self._lock:
                del self._flights[key]
            mine.landed.set()

    def announce(self) -> bool:
        return self._ask("SET", _SIGN, os.urandom(8)) is not None

    def _make_alone(self, key: str, make: Make, flight: _Flight) -> Answer | None:
        """Make it unless another process does."""
        lock = f"catalog:making:{key}"
        locked, found = self._tell(
            ("SET", lock, b"1", "NX", "PX", int(_PATIENCE_SECONDS * 1000)),
            # Once more: whoever held the lock until now may have made it since we looked.
            ("MGET", _name(key), _SIGN),
        ) or (None, None)
        after: list[Command] = [("DEL", lock)] if locked else []
        if answer := self._held(found):
            self._tell(*after)
            return answer
        if not locked and self._answers() and (answer := self._await(key, lock)):
            return answer
        try:
            answer = self._make(make, flight)
            if answer and flight.counts:
                stored = _packed(answer, flight.counts)
                after.insert(0, ("SET", _name(key), stored, "EX", SECONDS_KEPT))
        finally:
            self._tell(*after)
        return answer

    def _await(self, key: str, lock: str) -> Answer | None:
        """The answer that another process is making; None if it does not come."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            # In this order: whoever gives up the lock has stored the answer before.
            making, found = self._tell(("EXISTS", lock), ("MGET", _name(key), _SIGN)) or (0, None)
            answer = self._held(found)
            if answer or not making:
                return answer
        return None

    def _make(self, make: Make, flight: _Flight) -> Answer | None:
        # The counts come first, those of `get` a moment ago: what changes after them makes the
        # answer old, never wrong.
        flight.counts = self._freshness.counts if self._answers() else self._today()
        flight.answer = make()
        return flight.answer

    def _shared(self, flight: _Flight) -> Answer | None:
        """What another thread has made since we asked, unless something changed meanwhile."""
        if flight.answer is None or not flight.counts:
            return None
        part = _part(flight.answer.product_id)
        same = self._today().version(part) == flight.counts.version(part)
        return flight.answer if same else None

    def _today(self) -> Counts:
        self._freshness.keep_up(self._ask("GET", _SIGN))
        return self._freshness.counts

    def _answers(self) -> bool:
        return time.monotonic() >= self._rests_until

    def _ask(self, *command: Any) -> Any:
        """Redis' answer, None if it has none to give."""
        return self._unless_away(lambda: self._redis.execute_command(*command))  # type: ignore[no-untyped-call]

    def _tell(self, *commands: Command) -> Any:
        """Redis' answers to all of them, in one go; None if it has none to give."""
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        return self._unless_away(pipeline.execute)

    def _unless_away(self, ask: Callable[[], Any]) -> Any:
        if not self._answers():
            return None
        try:
            return ask()
        except redis.RedisError:
            self._rests_until = time.monotonic() + _REST_SECONDS
            return None


def _name(key: str) -> str:
    return f"catalog:answer:{key}"


def _part(product_id: UUID | None) -> int:
    return LISTS if product_id is None else part_of(product_id)


def _packed(answer: Answer, counts: Counts) -> bytes:
    part = _part(answer.product_id)
    return f"{part} {counts.version(part)} {answer.etag}\n".encode() + answer.body


def _unpacked(stored: bytes) -> tuple[int, int, Answer]:
    head, _, body = stored.partition(b"\n")
    part, version, etag = head.split(b" ")
    return int(part), int(version), Answer(body, etag.decode())
