"""How often one caller may ask: flask-limiter, with what this shop promises around it.

Every route counts for its caller, signed-in people by user, others by network address. A route that
needs a tighter limit of its own names it, next to the URL:

    @blp.post("/login")
    @public
    @limited("login", by_address=True, closed=True)

The rates behind the names are settings. Whoever is over the limit gets 429 with `Retry-After`; the
`RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-10) are on every answer that was counted.

While Redis is away, each process counts for itself; a route that is `closed` answers 503 instead.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, ParamSpec, TypeVar

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limit, Limiter, RequestLimit
from limits import parse_many

from oja_web.auth import caller_if_good, document_answers
from oja_web.problems import Problem
from oja_web.shared_redis import SharedRedis
from oja_web.windows import SCHEME

P = ParamSpec("P")
R = TypeVar("R")

ANONYMOUS = "anonymous"
SIGNED_IN = "signed_in"
HEADERS = {
    "Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds"},
    "RateLimit": {"schema": {"type": "string"}, "description": '"name";r=left;t=seconds'},
    "RateLimit-Policy": {"schema": {"type": "string"}, "description": '"name";q=quota;w=seconds'},
}
_EXTENSION = "oja_web.throttling"
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
    app.extensions[_EXTENSION] = throttling.rates
    limiter = Limiter(
        _whom,
        default_limits=[Limit(_rates, scope=lambda _endpoint: _limit().name, shared=True)],
        strategy="sliding-window-counter",
        storage_uri=f"{SCHEME}://" if throttling.redis_url else "memory://",
        storage_options=_storage_options(service, throttling.redis_url),
    )
    limiter.init_app(app)
    app.after_request(lambda response: _tell(response, limiter.current_limits))


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


def _storage_options(service: str, redis_url: str | None) -> dict[str, Any]:
    if not redis_url:
        return {}
    return {
        "shared": SharedRedis(redis_url),
        "prefix": f"{service}:limit:",
        "refuse": _refuse_if_closed,
    }


def _limit() -> Limited:
    """The limit of this request."""
    limit: Limited | None = g.get("oja_limit")
    if limit is None:
        own = _mark(current_app, request.endpoint or "", request.method)
        limit = g.oja_limit = own or Limited(SIGNED_IN if caller_if_good() else ANONYMOUS)
    return limit


def _rates() -> str:
    """The rates for this request, "" if it is not counted."""
    rule = request.url_rule
    # The gateway lets nobody in there.
    if rule is None or rule.rule.startswith("/internal/"):
        return ""
    if getattr(_view(current_app, rule.endpoint, request.method), "unlimited", False):
        return ""
    rates: Mapping[str, str] = current_app.extensions[_EXTENSION]
    return rates[_limit().name]


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


def _tell(response: Response, limits: list[RequestLimit]) -> Response:
    """Say how much is left, and how long to wait if nothing is.

    Before signing in only a refusal says so: other answers are the same for all, to the byte, so
    that nobody learns from them whether there is an account.
    """
    for limit in limits:
        name, seconds = _policy_name(limit, limits), limit.limit.get_expiry()
        wait = max(1, limit.reset_at - int(time.time()))
        response.headers.add("RateLimit-Policy", f'"{name}";q={limit.limit.amount};w={seconds}')
        if limit.breached or not _limit().by_address:
            response.headers.add("RateLimit", f'"{name}";r={limit.remaining};t={wait}')
        if limit.breached:
            response.headers["Retry-After"] = str(wait)
    return response


def _policy_name(limit: RequestLimit, limits: list[RequestLimit]) -> str:
    name = _limit().name
    return name if len(limits) == 1 else f"{name}-{limit.limit.get_expiry()}s"
