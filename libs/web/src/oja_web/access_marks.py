"""Which access tokens are worth nothing though they have not expired: see oja_events.access_marks.

    revoked(token) ──▶ a dictionary in this process, at most `max_age` old
                          ▲ one small query, by whoever finds it too old; others wait for it

So a busy process asks its own database twice a second, an idle one never, and no answer is older
than `max_age`. While the database is away nobody can say, so signed-in calls fail like all others
that need it (503): an unread mark must not open a door. Those who waited for a read that failed
fail with it: none of them waits for a second one.
"""

import threading
import time
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

MAX_AGE_SECONDS = 0.5
# Longer than any token lives, with the leeway and a late commit.
KEEP_SECONDS = 15 * 60
# A mark is seen when its transaction commits, which may be some seconds after it was written.
_OVERLAP_SECONDS = 30
_PRUNE_SECONDS = 60

_NOTED_SINCE = text("""
    SELECT subject::text, generation FROM access_mark
    WHERE noted_at > clock_timestamp() - make_interval(secs => :seconds)
""")


class AccessMarks:
    """The marks of one service, for its AuthSettings. Safe for many threads."""

    def __init__(
        self,
        engine: Engine,
        *,
        max_age: float = MAX_AGE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._max_age = max_age
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._failure: SQLAlchemyError | None = None
        self._failed_at = 0.0
        self._pruned_at = clock()
        # subject -> (generation, when it was last read)
        self._marks: dict[str, tuple[int, float]] = {}

    def revoked(self, claims: Mapping[str, Any]) -> bool:
        """Whether the bearer of this token has to sign in again; raises SQLAlchemyError."""
        marks = self._fresh()
        first_good, _ = marks.get(str(claims["sub"]), (0, 0.0))
        return int(claims.get("gen", 0)) < first_good or str(claims.get("sid", "")) in marks

    def _fresh(self) -> dict[str, tuple[int, float]]:
        if self._is_stale():
            asked_at = self._clock()
            with self._lock:
                if self._is_stale():
                    self._fail_with_others(asked_at)
                    self._read_or_remember()
        return self._marks

    def _is_stale(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at > self._max_age

    def _fail_with_others(self, asked_at: float) -> None:
        if self._failure and asked_at <= self._failed_at:
            raise copy(self._failure)  # not the same one: raising writes into it

    def _read_or_remember(self) -> None:
        try:
            self._read()
            self._failure = None
        except SQLAlchemyError as failure:
            self._failure, self._failed_at = copy(failure), self._clock()
            raise

    def _read(self) -> None:
        now = self._clock()
        since = KEEP_SECONDS if self._read_at is None else now - self._read_at + _OVERLAP_SECONDS
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            rows = connection.execute(_NOTED_SINCE, {"seconds": min(since, KEEP_SECONDS)}).all()
        # Another dictionary, since others are reading this one.
        self._marks = self._kept(now) | {subject: (generation, now) for subject, generation in rows}
        self._read_at = now

    def _kept(self, now: float) -> dict[str, tuple[int, float]]:
        if now - self._pruned_at < _PRUNE_SECONDS:
            return self._marks
        self._pruned_at = now
        return {
            subject: mark for subject, mark in self._marks.items() if now - mark[1] < KEEP_SECONDS
        }
