"""Profiles in Redis, as clients see them, for a minute at most.

    read    GET; on a miss from Postgres, then SET NX
    change  SET a grave stone for some seconds, then commit

While the stone lies there nobody can put an older profile back, so who reads after a commit sees
it. Without Redis everything comes from Postgres. What a change could not clear, because Redis was
out of its reach alone, is old for a minute.
"""

import time
from typing import Any
from uuid import UUID

import redis

SECONDS_KEPT = 60
# Longer than any request that has read a profile still takes to offer it.
STONE_SECONDS = 20
_STONE = b""
_TIMEOUT_SECONDS = 0.1
# After trouble with Redis nobody asks it for so long, except to clear.
_REST_SECONDS = 1.0


class RedisProfiles:
    """See use_cases.ports.Profiles."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )
        self._rests_until = 0.0

    def get(self, user_id: UUID) -> bytes | None:
        found: bytes | None = self._ask("GET", _name(user_id))
        return found or None

    def keep(self, user_id: UUID, profile: bytes) -> None:
        self._ask("SET", _name(user_id), profile, "NX", "EX", SECONDS_KEPT)

    def clear(self, user_id: UUID) -> None:
        self._rests_until = 0.0
        self._ask("SET", _name(user_id), _STONE, "EX", STONE_SECONDS)

    def _ask(self, *command: Any) -> Any:
        """Redis' answer, None if it has none to give."""
        if time.monotonic() < self._rests_until:
            return None
        try:
            return self._redis.execute_command(*command)  # type: ignore[no-untyped-call]
        except redis.RedisError:
            self._rests_until = time.monotonic() + _REST_SECONDS
            return None


def _name(user_id: UUID) -> str:
    return f"identity:profile:{user_id}"
