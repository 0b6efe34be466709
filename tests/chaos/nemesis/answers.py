"""What customers saw: answers by class.

"Come again" is said by a Retry-After: with 503 by a service that lacks something it needs, with 502
and 504 by the gateway for a service that does not answer.
"""

import threading
from collections import Counter

import requests

KINDS = (
    "2xx",
    "4xx asked for",
    "other 4xx",
    "503, come again",
    "502 or 504, come again",
    "other 5xx",
    "no connection",
    "no answer in time",
)
# Said to somebody who is to come again in a moment.
PASSING = {"order_not_ready", "request_in_progress", "too_many_requests"}


def kind_of(answer: requests.Response, asked_for: bool) -> str:
    """The class of an answer; `asked_for` is whether the caller counts on it."""
    if answer.status_code < 400:
        return "2xx"
    if answer.status_code < 500:
        return "4xx asked for" if asked_for else "other 4xx"
    if "Retry-After" not in answer.headers:
        return "other 5xx"
    return {503: "503, come again"}.get(answer.status_code, "502 or 504, come again")


def code_of(answer: requests.Response) -> str:
    """The problem's code, empty for a success and for what is no problem document."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""


class Answers:
    """Counted by all customers together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._odd: list[str] = []

    def count(self, kind: str, about: str) -> None:
        with self._lock:
            self._counts[kind] += 1
            if kind in ("other 4xx", "other 5xx"):
                self._odd.append(f"{kind}: {about}")

    def so_far(self) -> "Counter[str]":
        with self._lock:
            return self._counts.copy()

    def odd(self) -> list[str]:
        """What nobody should see: each answer of those classes, in words."""
        with self._lock:
            return list(self._odd)
