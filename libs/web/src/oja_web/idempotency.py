"""Requests that may be sent twice and take effect once, by their Idempotency-Key.

    @blp.post("/checkout")
    @signed_in
    @idempotent
    @blp.arguments(CheckoutSchema)
    @blp.response(201, OrderSchema)
    def checkout(body):
        return answer_once(
            deps().unit_of_work(), lambda uow: created(commands.place_order(body, uow=uow))
        )

The same key and request get the stored answer, byte for byte. Not stored, so that a retry runs
again: 5xx, and refusals that carry Retry-After, since those ask for the very same request again.
"""

import hashlib
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, Protocol, Self, TypeVar

from flask import Response, request
from sqlalchemy import Engine

from oja_web.auth import caller
from oja_web.idempotency_store import Answer, KeyStore, KeyTaken, Known, RequestKey, keys_alone
from oja_web.leases import LEASE_SECONDS, kept_up
from oja_web.problems import Problem, expected, problem_response
from oja_web.strict_json import decode, encode

P = ParamSpec("P")
R = TypeVar("R")

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")
# Made anew for every answer, or not for anybody else's eyes.
_NOT_STORED = {"content-length", "date", "set-cookie"}


class TransactionWithKeys(Protocol):
    """A unit of work that may be entered again when it is over.

    It must be READ COMMITTED: it has to see what the last holder of a lock committed.
    """

    @property
    def idempotency_keys(self) -> KeyStore: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None: ...
    def commit(self) -> None: ...


class _Inside:
    """The open transaction as a use case sees it, which opens and commits one of its own: here that
    is ours to do, with the answer in it."""

    def __init__(self, uow: TransactionWithKeys) -> None:
        self._uow = uow
        self._kept = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None and not self._kept:
            raise RuntimeError("what answers once commits what it did, or refuses")

    def commit(self) -> None:
        self._kept = True


def idempotent(view: Callable[P, R]) -> Callable[P, R]:
    """Refuse requests without a usable key before their body is read, and document the header."""

    @wraps(view)
    def checked_view(*args: P.args, **kwargs: P.kwargs) -> R:
        _key_of_request()
        return view(*args, **kwargs)

    documented: Any = checked_view
    documented._apidoc = deepcopy(getattr(view, "_apidoc", {}))
    manual = documented._apidoc.setdefault("manual_doc", {})
    manual.setdefault("parameters", []).append(
        {
            "in": "header",
            "name": HEADER,
            "required": True,
            "description": "Made by the client, new for every new intention; lives 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }
    )
    manual.setdefault("responses", {}).update({"400": "BAD_REQUEST", "409": "CONFLICT"})
    return checked_view


def answer_once(uow: TransactionWithKeys, work: Callable[[Any], Response]) -> Response:
    """Do the work, which is given the unit of work, and store its answer in one transaction, once
    per key.

    A refusal undoes the work and is stored; a failure (5xx) undoes everything.
    """
    key, fingerprint = _key_of_request(), _fingerprint()
    try:
        found = _answer_or_refusal(uow, key, fingerprint, work)
    except KeyTaken:
        raise _in_progress(1) from None
    return _replay(found, fingerprint) if isinstance(found, Known) else found


def _answer_or_refusal(
    uow: TransactionWithKeys, key: RequestKey, fingerprint: bytes, work: Callable[[Any], Response]
) -> Response | Known:
    try:
        return _answer_in_one(uow, key, fingerprint, work)
    except Exception as error:
        problem = expected(error)
        if problem is None:
            raise
    # What was done is undone with its transaction, so the refusal needs another one. Who came in
    # between with the same key has answered it, and theirs is the answer.
    refusal = problem_response(problem)
    if not _is_final(refusal):
        return refusal
    return _answer_in_one(uow, key, fingerprint, lambda _: refusal)


def _answer_in_one(
    uow: TransactionWithKeys, key: RequestKey, fingerprint: bytes, work: Callable[[Any], Response]
) -> Response | Known:
    with uow:
        known = uow.idempotency_keys.take(key)
        if known:
            return known
        response = work(_Inside(uow))
        if _is_final(response):
            uow.idempotency_keys.keep(key, fingerprint, _answer_of(response))
            uow.commit()
        return response


def answer_once_leased(engine: Engine, work: Callable[[], Response]) -> Response:
    """As answer_once, for work that talks to others between transactions of its own.

    The key is reserved first, for as long as the work runs. If this process dies, a retry some
    seconds later runs the work again, so the work must be idempotent by itself (say, by a reference
    that it gives to the other side).
    """
    key, fingerprint = _key_of_request(), _fingerprint()
    with keys_alone(engine) as keys:
        claimed = keys.claim(key, fingerprint, LEASE_SECONDS)
        known = None if claimed else keys.find(key)
    if claimed is None:
        if known is None:  # released between the two questions
            raise _in_progress(1)
        return _replay(known, fingerprint)
    return _run_claimed(engine, work, key, claimed)


def _run_claimed(
    engine: Engine, work: Callable[[], Response], key: RequestKey, claimed: datetime
) -> Response:
    answer: Answer | None = None
    try:
        with kept_up(engine, key, claimed):
            response = _refusals_as_responses(work)
        answer = _answer_of(response) if _is_final(response) else None
        return response
    finally:
        with keys_alone(engine) as keys:
            if answer:
                keys.finish(key, claimed, answer)
            else:
                keys.release(key, claimed)


def _refusals_as_responses(work: Callable[[], Response]) -> Response:
    try:
        return work()
    except Exception as error:
        problem = expected(error)
        if problem is None:
            raise
        return problem_response(problem)


def _key_of_request() -> RequestKey:
    given = request.headers.get(HEADER)
    if given is None:
        raise Problem(400, "idempotency_key_required", f"Send an {HEADER} header.")
    if not _VISIBLE_ASCII.fullmatch(given):
        raise Problem(
            400, "idempotency_key_invalid", f"{HEADER} must be 1 to 255 visible ASCII characters."
        )
    route = request.url_rule.rule if request.url_rule else request.path
    return RequestKey(str(caller().user_id), f"{request.method} {route}", given)


def _fingerprint() -> bytes:
    """A digest of what is asked for: other key order or white space is the same request."""
    body = request.get_data(cache=True)
    if body and request.mimetype == "application/json":
        body = encode(_sorted(decode(body)))
    parts = (request.method.encode(), request.full_path.encode(), body)
    return hashlib.sha256(b"\0".join(parts)).digest()


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def _is_final(response: Response) -> bool:
    return response.status_code < 500 and "Retry-After" not in response.headers


def _answer_of(response: Response) -> Answer:
    headers = [pair for pair in response.headers if pair[0].lower() not in _NOT_STORED]
    return Answer(response.status_code, headers, response.get_data())


def _replay(known: Known, fingerprint: bytes) -> Response:
    if known.fingerprint != fingerprint:
        raise Problem(
            422, "idempotency_key_reused", "This key was used for another request; make a new one."
        )
    if known.answer is None:
        raise _in_progress(known.wait_seconds)
    response = Response(known.answer.body, known.answer.status)
    response.headers.clear()
    response.headers.extend([(name, value) for name, value in known.answer.headers])
    response.headers["Content-Length"] = str(len(known.answer.body))
    response.headers[REPLAYED] = "true"
    return response


def _in_progress(wait_seconds: int) -> Problem:
    return Problem(
        409,
        "request_in_progress",
        "The first request with this key is still running.",
        headers={"Retry-After": str(wait_seconds)},
    )
