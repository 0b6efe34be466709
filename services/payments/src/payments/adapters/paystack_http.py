"""Calls to Paystack's API: bounded in time and size, and what each kind of answer means."""

import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

import requests

from payments.adapters.breaker import Breaker
from payments.use_cases.errors import (
    DuplicateReference,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnclear,
)

log = logging.getLogger(__name__)

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
MAX_ANSWER_BYTES = 1024 * 1024


class NotKnown(ProviderRefused):
    """Paystack knows nothing of the kind."""


class PaystackHTTP:
    """One per process; every thread gets a session of its own.

    A call takes 13 s at most: 1 for a place, 2 to connect, 5 until the head of the answer is here,
    5 for the next piece of a body that drips.
    """

    def __init__(self, base_url: str, secret_key: str, breaker: Breaker) -> None:
        self._base_url = base_url
        # What all requests have in common, put together once.
        headers = {"Authorization": f"Bearer {secret_key}"}
        self._blank = _session().prepare_request(requests.Request("GET", base_url, headers))
        self._breaker = breaker
        self._local = threading.local()

    def get(
        self, path: str, params: Mapping[str, str] | None = None, *, patience: float | None = None
    ) -> Any:
        """The answer's `data`; raises NotKnown, and ProviderUnavailable for whatever else is no
        answer: that a question is refused says nothing about what was asked."""
        try:
            return self._call("GET", path, params=params, patience=patience)
        except NotKnown:
            raise
        except ProviderRefused as refusal:
            raise ProviderUnavailable(f"Paystack does not say: {refusal}") from refusal

    def post(self, path: str, fields: Mapping[str, object]) -> Any:
        """The answer's `data`; raises ProviderRefused, ProviderUnavailable, and of these
        ProviderUnclear when it may have been done all the same."""
        return self._call("POST", path, fields=fields)

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        fields: Mapping[str, object] | None = None,
        patience: float | None = None,
    ) -> Any:
        read = min(patience or READ_SECONDS, READ_SECONDS)
        deadline = time.monotonic() + read
        with self._breaker.call():
            try:
                with self._session().send(
                    self._request(method, path, params, fields),
                    timeout=(min(CONNECT_SECONDS, read), read),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return _data(response, _body(response, deadline))
            except requests.RequestException as error:
                raise ProviderUnclear(f"no answer from Paystack: {type(error).__name__}") from error

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        fields: Mapping[str, object] | None,
    ) -> requests.PreparedRequest:
        request = self._blank.copy()
        request.method = method
        request.prepare_url(f"{self._base_url}{path}", params)
        if fields is not None:
            request.prepare_body(None, None, json=fields)
        return request

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _session()
        return session


def _session() -> requests.Session:
    session = requests.Session()
    # A proxy or a .netrc of the environment has no business with our key.
    session.trust_env = False
    return session


def _body(response: requests.Response, deadline: float) -> bytes:
    body = b""
    for piece in response.iter_content(16 * 1024):
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise ProviderUnclear("the answer from Paystack is too large")
        if time.monotonic() > deadline:  # a read time-out alone lets it drip for ever
            raise ProviderUnclear("the answer from Paystack is too slow")
    return body


def _data(response: requests.Response, body: bytes) -> Any:
    status = response.status_code
    if status == 429:
        wait = response.headers.get("x-ratelimit-reset", "?")
        raise ProviderUnavailable(f"Paystack wants us to wait {wait} s")
    if status in (401, 403):
        log.error("Paystack does not accept our key", extra={"status": status})
        raise ProviderUnavailable("Paystack does not accept our key")
    answer = _envelope(body)
    if answer is None or not (200 <= status < 300 or 400 <= status < 500):
        raise ProviderUnclear(f"Paystack answered {status} in a form that says nothing")
    if status >= 400 or answer["status"] is not True:
        raise _refusal(status, answer)
    return answer.get("data")


def _envelope(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) and "status" in answer else None


def _refusal(status: int, answer: Mapping[str, Any]) -> ProviderRefused:
    message, code = str(answer.get("message", ""))[:300], str(answer.get("code", ""))[:100]
    if code == "duplicate_reference" or message.lower() == "duplicate transaction reference":
        return DuplicateReference(message, code)
    if status in (400, 404) and (code == "transaction_not_found" or "not found" in message.lower()):
        return NotKnown(message, code)
    return ProviderRefused(message or f"HTTP {status}", code)
