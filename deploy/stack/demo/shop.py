"""The shop's API as a patient client sees it."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests

from stack.failure import Failure

PATIENCE = 90.0  # seconds for one call; a process that was killed is back long before
_PAUSE = 0.3
_TIMEOUT = (3, 15)
# The gateway's words for "that process is just being restarted".
_PASSING = {502, 503, 504}
_AGAIN = {"request_in_progress", "order_not_ready", "too_many_requests"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, how long the successful try took, and how often we asked."""

    status: int
    body: Any
    headers: Mapping[str, str]
    milliseconds: float
    tries: int

    @property
    def code(self) -> str:
        """The problem's code, empty for a success."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


@dataclass(slots=True)
class Shop:
    """Calls one origin. Credentials stay with the object, like in a browser."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        once: bool = False,
        headers: Callable[[], dict[str, str]] = dict,
        accept: Collection[str] = (),
    ) -> Answer:
        """Ask until there is a real answer; raises Failure when it is a refusal or never comes.

        `once` sends an Idempotency-Key, so that asking again is safe. `headers` is made anew for
        every try. `accept` names problem codes that are good answers too: when the first try did
        its work but its answer got lost, the second is told so.
        """
        fixed = {"Idempotency-Key": str(uuid4())} if once else {}
        deadline = time.monotonic() + PATIENCE
        tries = 0
        while True:
            tries += 1
            answer = self._try(method, path, body, {**self.headers, **fixed, **headers()}, tries)
            if answer is not None and not _is_passing(answer):
                return _checked(method, path, answer, accept)
            if time.monotonic() > deadline:
                raise Failure(f"{method} {path} got no answer for {PATIENCE:.0f} seconds.")
            time.sleep(_PAUSE)

    def _try(
        self, method: str, path: str, body: Any, headers: dict[str, str], tries: int
    ) -> Answer | None:
        started = time.monotonic()
        try:
            response = self.session.request(
                method, self.url + path, json=body, headers=headers, timeout=_TIMEOUT
            )
        except requests.RequestException:
            return None
        elapsed = (time.monotonic() - started) * 1000
        return Answer(response.status_code, _json(response), response.headers, elapsed, tries)


def _is_passing(answer: Answer) -> bool:
    return answer.status in _PASSING or answer.code in _AGAIN


def _checked(method: str, path: str, answer: Answer, accept: Collection[str]) -> Answer:
    if answer.status < 400 or answer.code in accept:
        return answer
    detail = answer.body.get("detail", "") if isinstance(answer.body, dict) else ""
    raise Failure(f"{method} {path} was refused: {answer.status} {answer.code} {detail}".rstrip())


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
