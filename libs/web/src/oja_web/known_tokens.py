"""Access tokens that this process has found good: the next request with one costs no signature.

Only what cannot change is remembered. Whether the access was ended meanwhile (oja_web.access_marks)
is asked anew at every request, and nothing is remembered longer than the token lives.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 4000


@dataclass(frozen=True, slots=True)
class _Good(Generic[T]):
    meaning: T
    until: float


class KnownTokens(Generic[T]):
    """What tokens mean, for at most `most` of them. Safe for many threads."""

    def __init__(self, most: int = MOST, *, clock: Callable[[], float] = time.time) -> None:
        self._half = most // 2
        self._clock = clock
        # When the younger half is full it becomes the older one, and that one is forgotten.
        self._young: dict[bytes, _Good[T]] = {}
        self._old: dict[bytes, _Good[T]] = {}

    def find(self, token: str) -> T | None:
        name = _name(token)
        good = self._young.get(name) or self._old.get(name)
        return good.meaning if good and self._clock() < good.until else None

    def keep(self, token: str, meaning: T, until: float) -> None:
        """Remember a token that was just found good; `until` in seconds since 1970."""
        if len(self._young) >= self._half:
            self._young, self._old = {}, self._young
        self._young[_name(token)] = _Good(meaning, until)


def _name(token: str) -> bytes:
    # Not the token itself: what lies in memory for minutes should open no door.
    return sha256(token.encode()).digest()
