"""Which request this is: the id that its logs, its answer and all its events carry."""

import logging
import re
import time
import uuid
from contextlib import ExitStack

from flask import Flask, Response, g, request

from oja_events.context import Trace, trace, use_trace

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# W3C Trace Context, version 00: trace id and parent id must not be all zero.
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def request_id() -> str:
    """The id of the running request, also its correlation id; empty outside of one."""
    current = trace.get()
    return current.correlation_id if current else ""


def register_context(app: Flask) -> None:
    """Give every request its trace, echo its id, and write one access line when it is answered."""
    app.before_request(_enter)
    app.after_request(_echo)
    app.teardown_request(_leave)


def _enter() -> None:
    g.oja_started = time.perf_counter()
    g.oja_scope = ExitStack()
    g.oja_scope.enter_context(use_trace(_trace_of_request()))


def _trace_of_request() -> Trace:
    given_id = request.headers.get("X-Request-ID", "")
    given_parent = request.headers.get("traceparent", "")
    return Trace(
        correlation_id=given_id if _REQUEST_ID.fullmatch(given_id) else uuid.uuid4().hex,
        traceparent=given_parent if _TRACEPARENT.fullmatch(given_parent) else _new_traceparent(),
    )


def _new_traceparent() -> str:
    return f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00"


def _echo(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    rule = request.url_rule.rule if request.url_rule else None
    # Probes come every few seconds and say nothing while they succeed.
    quiet = rule is not None and rule.startswith("/internal/") and response.status_code < 400
    log.log(
        logging.DEBUG if quiet else logging.INFO,
        "request answered",
        extra={
            "method": request.method,
            "route": rule,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.oja_started) * 1000, 1),
        },
    )
    return response


def _leave(_error: BaseException | None) -> None:
    scope = g.pop("oja_scope", None)
    if scope is not None:
        scope.close()
