"""Every refusal and every failure, as one shape: application/problem+json (RFC 9457).

    {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"?}

`code` is what programs branch on. `type` is `about:blank` where the code only repeats the status
(`not_found`), else the URI reference `/problems/<code>`: an identifier, nothing is served there.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, current_app, request
from marshmallow import Schema, ValidationError, fields
from sqlalchemy import exc as sql_errors
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as AnyResponse

from oja_web.context import request_id
from oja_web.strict_json import BadJSON, encode

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
Errors = Mapping[str, list[str]]
NO_HEADERS: Mapping[str, str] = {}

# The code of an HTTP error that says no more than its status does.
_GENERIC_CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    411: "length_required",
    412: "precondition_failed",
    413: "content_too_large",
    415: "unsupported_media_type",
    422: "invalid",
    428: "precondition_required",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
_DETAILS = {
    404: "There is nothing here.",
    405: "This resource does not support that method.",
    413: "The body is larger than this resource accepts.",
    422: "Some of the values are not acceptable; see errors.",
    429: "There were too many requests; try again later.",
    500: "Something went wrong on our side. Quote the request id when you report it.",
    503: "The service cannot answer right now. Try again shortly.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """How an exception of the use cases looks from outside.

    Without a `detail` the exception's own message is shown, so leave it out only where that
    message is meant for clients. A mapping `errors` on the exception ({"field": ["message"]})
    is shown as well.
    """

    status: int
    code: str
    detail: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Problem(Exception):
    """An answer other than success; raise it anywhere below a view."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str | None = None,
        errors: Errors | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title or _title(status, code)
        self.errors = errors
        self.headers = headers


class ProblemSchema(Schema):
    """The documented form of every error."""

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True, metadata={"minimum": 400, "maximum": 599})
    detail = fields.String(required=True)
    instance = fields.String(required=True, metadata={"format": "uri-reference"})
    code = fields.String(required=True, metadata={"description": "Stable; branch on this"})
    request_id = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "What is wrong, by field path: items.0.quantity"},
    )


def problem_response(problem: Problem) -> Response:
    generic = problem.code == _GENERIC_CODES.get(problem.status)
    body: dict[str, object] = {
        "type": "about:blank" if generic else f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": quote(request.path),
        "code": problem.code,
        "request_id": request_id(),
    }
    if problem.errors:
        body["errors"] = problem.errors
    response = Response(encode(body), problem.status, content_type=CONTENT_TYPE)
    response.headers.extend(dict(problem.headers))
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def register_problems(app: Flask, table: Mapping[type[Exception], Refusal]) -> None:
    """Answer every exception with a problem; `table` says what the service's own ones mean."""
    app.extensions["oja_web.refusals"] = dict(table)
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> Response | AnyResponse:
    """Turn any exception into a response. What nobody expected is logged and answers 500."""
    if isinstance(error, HTTPException) and (error.code is None or error.code < 400):
        return error.get_response()
    problem = expected(error)
    if problem is None:
        log.error("request failed", exc_info=error)
        problem = _generic(500)
    return problem_response(problem)


def expected(error: Exception) -> Problem | None:
    """The problem that this exception stands for, None for one that nobody foresaw."""
    if isinstance(error, Problem):
        return error
    refusal = _refusal_of(error)
    if refusal:
        return _refused(refusal, error)
    if isinstance(error, ValidationError):
        return _invalid(error.messages)
    if isinstance(error, BadJSON):
        return Problem(400, "malformed_json", str(error))
    if isinstance(error, HTTPException):
        return _from_http(error)
    if isinstance(error, sql_errors.OperationalError | sql_errors.TimeoutError):
        log.warning("database unavailable", exc_info=error)
        return _generic(503, headers={"Retry-After": "1"})
    return None


def flatten(messages: object, path: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages as {"items.0.quantity": ["message"]}.

    A message about a whole object is filed under the path of that object, `body` at the top.
    """
    if isinstance(messages, Mapping):
        return _merged(flatten(inner, _join(path, key)) for key, inner in messages.items())
    if isinstance(messages, list | tuple):
        # A list may hold mappings: a validator of a whole field tells what is wrong inside of it.
        return _merged(flatten(each, path) for each in messages)
    return {path or "body": [str(messages)]}


def _merged(parts: Iterable[dict[str, list[str]]]) -> dict[str, list[str]]:
    merged: dict[str, list[str]] = {}
    for part in parts:
        for name, texts in part.items():
            merged.setdefault(name, []).extend(texts)
    return merged


def _join(path: str, key: object) -> str:
    if key == "_schema":
        return path
    return f"{path}.{key}" if path else str(key)


def _refusal_of(error: Exception) -> Refusal | None:
    table: Mapping[type[Exception], Refusal] = current_app.extensions["oja_web.refusals"]
    for kind in type(error).__mro__:
        if kind in table:
            return table[kind]
    return None


def _refused(refusal: Refusal, error: Exception) -> Problem:
    errors = getattr(error, "errors", None)
    return Problem(
        refusal.status,
        refusal.code,
        refusal.detail or str(error) or _sentence(refusal.status),
        errors=flatten(errors) if isinstance(errors, Mapping) else None,
        headers=refusal.headers,
    )


def _from_http(error: HTTPException) -> Problem | None:
    if getattr(error, "original_exception", None) is not None:
        return None
    status = error.code or 500
    if status == 422:
        messages = (getattr(error, "data", None) or {}).get("messages", {})
        return _invalid([error.description] if not messages else _without_location(messages))
    return _generic(status, headers=_useful(error.get_headers()))


def _without_location(messages: Mapping[str, object]) -> object:
    """webargs files messages under the part of the request: {"json": {...}}."""
    merged: dict[str, object] = {}
    for location, inner in messages.items():
        merged.update(inner if isinstance(inner, Mapping) else {location: inner})
    return merged


def _useful(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name != "Content-Type"}


def _invalid(messages: object) -> Problem:
    return Problem(422, "invalid", _DETAILS[422], errors=flatten(messages))


def _generic(status: int, headers: Mapping[str, str] = NO_HEADERS) -> Problem:
    code = _GENERIC_CODES.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "_")
    return Problem(status, code, _sentence(status), headers=headers)


def _sentence(status: int) -> str:
    return _DETAILS.get(status) or f"{HTTPStatus(status).description or HTTPStatus(status).phrase}."


def _title(status: int, code: str) -> str:
    if code == _GENERIC_CODES.get(status):
        return HTTPStatus(status).phrase
    return code.replace("_", " ").capitalize()
