"""How often one caller may ask: counted by the library `limits`, with what this shop promises
around it.

Every route counts for its caller, signed-in people by user, others by network address. A route that
needs a tighter limit of its own names it, next to the URL:

    @blp.post("/login")
    @public
    @limited("login", by_address=True, closed=True)

The rates behind the names are settings. Whoever is over the limit gets 429 with `Retry-After`; the
`RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-10) are on every answer that was counted.

While Redis is away, each process counts for itself; a route that is `closed` answers 503 instead.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, request
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from werkzeug.exceptions import TooManyRequests

from oja_web.auth import caller_if_good, document_answers
from oja_web.problems import Problem
from oja_web.shared_redis import SharedRedis
from oja_web.windows import Windows

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

ANONYMOUS = "anonymous"
SIGNED_IN = "signed_in"
HEADERS = {
    "Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds"},
    "RateLimit": {"schema": {"type": "string"}, "description": '"name";r=left;t=seconds'},
    "RateLimit-Policy": {"schema": {"type": "string"}, "description": '"name";q=quota;w=seconds'},
}
# Who gets an IPv6 address gets 2^64 of them.
_IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Throttling:
    """`rates` by name, in the words of the library `limits`: "5 per minute; 100 per hour".

    It names at least `anonymous` and `signed_in`. Without a `redis_url` each process counts for
    itself. Raises ValueError for a rate that cannot be read.
    """

    rates: Mapping[str, str]
    redis_url: str | None = None

    def __post_init__(self) -> None:
        for name, rate in self.rates.items():
            try:
                parse_many(rate)
            except ValueError:
                raise ValueError(f"the limit {name!r} has no rate: {rate!r}") from None


@dataclass(frozen=True, slots=True)
class Limited:
    """What a route says about itself."""

    name: str
    by_address: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Rate:
    """One rate of a limit, and what answers call it."""

    name: str
    item: RateLimitItem


@dataclass(frozen=True, slots=True)
class _Counted:
    """What came of counting a request: how much is `left` `until` then, in seconds since 1970."""

    rate: _Rate
    granted: bool
    left: int
    until: float


def limited(
    name: str, *, by_address: bool = False, closed: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Count calls of this view under a limit of its own.

    `by_address`: also people who show a token are counted by address, for what comes before signing
    in. `closed`: nothing may pass uncounted, so without Redis the answer is 503.
    """

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        view.throttling = Limited(name, by_address, closed)  # type: ignore[attr-defined]
        return document_answers(view, {"503": "SERVICE_UNAVAILABLE"} if closed else {})

    return mark


def unlimited(view: Callable[P, R]) -> Callable[P, R]:
    """Do not count calls of this view; put it below @public and say why."""
    view.unlimited = True  # type: ignore[attr-defined]
    return view


def register_throttling(app: Flask, service: str, throttling: Throttling) -> None:
    """Count requests before their views run; call it when all routes are there.

    Raises RuntimeError when a route names a limit that has no rate.
    """
    missing = {ANONYMOUS, SIGNED_IN, *_names(app)} - throttling.rates.keys()
    if missing:
        raise RuntimeError(f"{service} has no rates for {sorted(missing)}")
    rates = {name: _rates(name, rate) for name, rate in throttling.rates.items()}
    windows = SlidingWindowCounterRateLimiter(_storage(service, throttling.redis_url))
    app.before_request(lambda: _count(rates, windows))
    app.after_request(_tell)


def quota_exceeded(name: str, *, quota: int, window: int, wait: float) -> Problem:
    """The answer to somebody over a limit that a service keeps by itself: `quota` times in
    `window` seconds, come back in `wait` seconds."""
    seconds = max(1, -int(-wait // 1))
    headers = {
        "Retry-After": str(seconds),
        "RateLimit-Policy": f'"{name}";q={quota};w={window}',
        "RateLimit": f'"{name}";r=0;t={seconds}',
    }
    detail = "There were too many requests; try again later."
    return Problem(429, "too_many_requests", detail, headers=headers)


def _names(app: Flask) -> set[str]:
    """The limits that routes name."""
    rules = app.url_map.iter_rules()
    marks = [_mark(app, rule.endpoint, verb) for rule in rules for verb in rule.methods or ()]
    return {mark.name for mark in marks if mark}


def _mark(app: Flask, endpoint: str, method: str) -> Limited | None:
    mark: Limited | None = getattr(_view(app, endpoint, method), "throttling", None)
    return mark


def _view(app: Flask, endpoint: str, method: str) -> Any:
    """The function that answers; flask-smorest makes classes with one for each method."""
    view: Any = app.view_functions[endpoint]
    verb = "get" if method == "HEAD" else method.lower()
    return getattr(getattr(view, "view_class", None), verb, view)


def _rates(name: str, rate: str) -> list[_Rate]:
    """The shortest window first."""
    items = sorted(parse_many(rate))
    if len(items) == 1:
        return [_Rate(name, items[0])]
    return [_Rate(f"{name}-{item.get_expiry()}s", item) for item in items]


def _storage(service: str, redis_url: str | None) -> MemoryStorage:
    if not redis_url:
        return MemoryStorage()
    prefix = f"{service}:limit:"
    return Windows(SharedRedis(redis_url), prefix=prefix, refuse=_refuse_if_closed)


def _count(rates: Mapping[str, list[_Rate]], windows: SlidingWindowCounterRateLimiter) -> None:
    """Count this request; raises TooManyRequests."""
    if not _is_counted():
        return
    name, whom = _limit().name, _whom()
    g.oja_counted = counted = []
    for rate in rates[name]:
        granted = windows.hit(rate.item, whom, name)
        until, left = windows.get_window_stats(rate.item, whom, name)
        counted.append(_Counted(rate, granted, left, until))
        if not granted:
            log.info("too many requests", extra={"limit": rate.name, "whom": whom})
            raise TooManyRequests


def _is_counted() -> bool:
    rule = request.url_rule
    # The gateway lets nobody in there.
    if rule is None or rule.rule.startswith("/internal/"):
        return False
    return not getattr(_view(current_app, rule.endpoint, request.method), "unlimited", False)


def _limit() -> Limited:
    """The limit of this request."""
    limit: Limited | None = g.get("oja_limit")
    if limit is None:
        own = _mark(current_app, request.endpoint or "", request.method)
        limit = g.oja_limit = own or Limited(SIGNED_IN if caller_if_good() else ANONYMOUS)
    return limit


def _whom() -> str:
    """Who is counted."""
    caller = None if _limit().by_address else caller_if_good()
    return f"user:{caller.user_id}" if caller else f"address:{network(request.remote_addr)}"


def network(address: str | None) -> str:
    """What a single caller can take addresses from: an IPv4 address, an IPv6 /64."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return "unknown"
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(IPv6Address(int(known) >> _IPV6_PREFIX << _IPV6_PREFIX))


def _refuse_if_closed() -> None:
    if _limit().closed:
        detail = "This cannot be done safely right now. Try again shortly."
        raise Problem(503, "unavailable", detail, headers={"Retry-After": "1"})


def _tell(response: Response) -> Response:
    """Say how much is left, and how long to wait if nothing is.

    Before signing in only a refusal says so: other answers are the same for all, to the byte, so
    that nobody learns from them whether there is an account.
    """
    for counted in g.get("oja_counted", ()):
        name, item = counted.rate.name, counted.rate.item
        wait = max(1, int(counted.until) + 1 - int(time.time()))
        policy = f'"{name}";q={item.amount};w={item.get_expiry()}'
        response.headers.add("RateLimit-Policy", policy)
        if not counted.granted or not _limit().by_address:
            response.headers.add("RateLimit", f'"{name}";r={counted.left};t={wait}')
        if not counted.granted:
            response.headers["Retry-After"] = str(wait)
    return response
