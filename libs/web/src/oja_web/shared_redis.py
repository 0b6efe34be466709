"""A Redis that all processes of a service share, and that may be away.

Nobody waits for it: it has a third of a second to answer, and after trouble nobody asks it for a
second; then one caller tries while the others still do without. So a Redis that hangs holds up one
thread a second, and one that is back is in use within a second, by itself.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.3
REST_SECONDS = 1.0

Script = Callable[[Sequence[str], Sequence[Any]], Any]


class RedisAway(Exception):
    """Redis does not answer, or did not a moment ago."""


class SharedRedis:
    """Safe for many threads. Nothing connects before the first question."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        # from_url means no retries: whoever asks decides what to do without an answer.
        self._redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._away = False
        self._rests_until = 0.0

    def script(self, lua: str) -> Script:
        """A function of keys and arguments that runs the script there; it raises RedisAway."""
        run = self._redis.register_script(lua)
        return lambda keys, arguments: self._ask(lambda: run(list(keys), list(arguments)))

    def _ask(self, question: Callable[[], Any]) -> Any:
        if not self._may_ask():
            raise RedisAway
        try:
            answer = question()
        except (redis.RedisError, OSError) as error:
            self._rest()
            raise RedisAway from error
        self._back()
        return answer

    def _may_ask(self) -> bool:
        if not self._away:
            return True
        with self._lock:
            if self._away and self._clock() < self._rests_until:
                return False
            # This caller tries; the others go on without for as long as that may take.
            self._rests_until = self._clock() + REST_SECONDS
            return True

    def _rest(self) -> None:
        with self._lock:
            self._rests_until = self._clock() + REST_SECONDS
            was_away, self._away = self._away, True
        if not was_away:
            log.warning("Redis does not answer", exc_info=True)

    def _back(self) -> None:
        if self._away:
            self._away = False
            log.info("Redis answers again")
