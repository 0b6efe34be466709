"""Gives answers to public reads that were given before, without going through the application.

It stands in front of Flask as WSGI: routing, hooks and parsing of a request take five times as long
as fetching its answer. What it cannot answer goes through unchanged. Its own answers leave no line
in the service's log; the gateway's has them.
"""

import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

from werkzeug.http import parse_etags

from catalog.use_cases.queries import Answer, Answers

about: ContextVar[UUID | None] = ContextVar("about", default=None)
"""Where a view says which product its answer is about."""

_PATH = re.compile(r"/api/(?:products(?:/[a-z0-9-]{1,120})?|categories|tags)")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_LONGEST_QUERY = 2000
# What the answer depends on; anything else in a query string is ignored by the views too.
_PARAMETERS = frozenset(
    [
        "q",
        "category",
        "tag",
        "min_price",
        "max_price",
        "min_rating",
        "featured",
        "in_stock",
        "sort",
        "size",
        "cursor",
        "total",
        "facets",
    ]
)

Environ = dict[str, Any]
Headers = list[tuple[str, str]]


class Remembering:
    def __init__(self, app: Any, answers: Answers) -> None:
        self._app = app
        self._answers = answers

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        key = _key(environ)
        if key is None:
            return self._app(environ, start_response)  # type: ignore[no-any-return]
        answer = self._answers.get(key)
        if answer is None:
            passed = _Passed(self._app, environ)
            answer = self._answers.get_or_make(key, passed.answer)
            if answer is None:
                start_response(passed.status, passed.headers)
                return [passed.body]
        return _send(answer, environ, start_response)


class _Passed:
    """The application's own answer to a request without conditions."""

    status: str
    headers: Headers
    body: bytes

    def __init__(self, app: Any, environ: Environ) -> None:
        self._app = app
        self._environ = {**environ}
        self._environ.pop("HTTP_IF_NONE_MATCH", None)

    def answer(self) -> Answer | None:
        """What may be remembered of it."""
        about.set(None)
        chunks = self._app(self._environ, self._start)
        try:
            self.body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        etag = dict(self.headers).get("ETag", "")
        if not self.status.startswith("200") or not etag:
            return None
        return Answer(self.body, etag.strip('"'), about.get())

    def _start(self, status: str, headers: Headers, _error: Any = None) -> None:
        self.status, self.headers = status, headers


def _key(environ: Environ) -> str | None:
    """The same for requests that get the same answer; None if it cannot be remembered."""
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    if environ["REQUEST_METHOD"] != "GET" or not _PATH.fullmatch(path):
        return None
    if not query:
        return str(path)
    if len(query) > _LONGEST_QUERY or "%00" in query:
        return None
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    asked = sorted(pair for pair in pairs if pair[0] in _PARAMETERS)
    digest = blake2b(repr(asked).encode(errors="surrogateescape"), digest_size=16).hexdigest()
    return f"{path}?{digest}"


def _send(answer: Answer, environ: Environ, start_response: Any) -> Iterable[bytes]:
    headers = [("ETag", f'"{answer.etag}"'), ("X-Request-ID", _request_id(environ))]
    if environ.get("HTTP_AUTHORIZATION"):
        headers.append(("Cache-Control", "no-store"))
    else:
        # For the gateway, which takes it out: until the end of this second, and no longer.
        headers.append(("X-Accel-Expires", f"@{int(time.time())}"))
    seen = environ.get("HTTP_IF_NONE_MATCH")
    if seen and parse_etags(seen).contains_weak(answer.etag):
        start_response("304 Not Modified", headers)
        return [b""]
    headers.append(("Content-Type", "application/json"))
    headers.append(("Content-Length", str(len(answer.body))))
    start_response("200 OK", headers)
    return [answer.body]


def _request_id(environ: Environ) -> str:
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex
