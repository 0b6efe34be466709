"""Where requests are counted: sliding windows in Redis, in this process while Redis is away.

The counter of a running window and that of the one before it make up the count: what came before
counts less and less while the running window fills (the "sliding window counter" of the library
`limits`, whose strategy reads what is kept here).
"""

from collections.abc import Callable
from typing import Any

from flask import g
from limits.storage import MemoryStorage

from oja_web.shared_redis import RedisAway, SharedRedis

SCHEME = "oja-windows"

Window = tuple[int, float, int, float]

# One round trip for the decision and for what the answer's RateLimit fields say.
_TAKE = """
local before_key, now_key = KEYS[1], KEYS[2]
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

-- A counter lives for two windows: first as the running one, then as the one before.
local ttl = redis.call('PTTL', now_key)
if ttl > 0 and ttl <= window then
    redis.call('SET', before_key, redis.call('GET', now_key), 'PX', ttl)
    ttl = ttl + window
    redis.call('SET', now_key, 0, 'PX', ttl)
end

local before = tonumber(redis.call('GET', before_key) or 0)
local before_ttl = math.max(redis.call('PTTL', before_key), 0)
local now = tonumber(redis.call('GET', now_key) or 0)
local granted = math.floor(before * before_ttl / window) + now + cost <= limit
if granted then
    now = now + cost
    if ttl <= 0 then ttl = window * 2 end
    redis.call('SET', now_key, now, 'PX', ttl)
end
return {granted and 1 or 0, before, before_ttl, now, math.max(ttl, 0)}
"""


class Windows(MemoryStorage):
    """A storage of `limits`. `prefix` is what the service's keys in Redis begin with.

    `refuse` is asked when Redis is away: it raises where nothing may pass uncounted.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012  as the library declares it

    def __init__(
        self,
        uri: str | None = None,
        *,
        shared: SharedRedis,
        prefix: str,
        refuse: Callable[[], None],
        **options: Any,
    ) -> None:
        super().__init__(uri, **options)
        self._take = shared.script(_TAKE)
        self._prefix = prefix
        self._refuse = refuse

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        # The braces keep both keys on one machine, should Redis ever be a cluster.
        name = f"{self._prefix}{{{key}}}"
        try:
            granted, *window = self._take([f"{name}:before", name], [limit, expiry * 1000, amount])
        except RedisAway:
            self._refuse()
            granted = super().acquire_sliding_window_entry(key, limit, expiry, amount)
        else:
            _seen()[key] = (window[0], window[1] / 1000, window[2], window[3] / 1000)
        return bool(granted)

    def get_sliding_window(self, key: str, expiry: int) -> Window:
        """As it was when this request was counted."""
        return _seen().get(key) or super().get_sliding_window(key, expiry)


def _seen() -> dict[str, Window]:
    if "oja_windows" not in g:
        g.oja_windows = {}
    seen: dict[str, Window] = g.oja_windows
    return seen
