"""Which remembered answers still hold: how often each part of the catalogue has changed so far.

Triggers count (see the migration `0002_search`), so that whatever changes the tables is counted, in
the transaction of the change. A process asks again when somebody says that something was committed,
and otherwise at most MOST_SECONDS_OLD after it asked last.
"""

import logging
import threading
import time
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)

MOST_SECONDS_OLD = 0.2
"""How long a process relies on what it knows if nobody tells it of a change."""

EVERYTHING = 0
LISTS = 1
_FIRST_PRODUCT_PART = 2
# Beyond so many rows, they are added up.
_MOST_ROWS = 2000

_COUNT = text("""
    SELECT part, CAST(sum(times) AS bigint) AS times, count(*) AS entries
    FROM catalogue_changes GROUP BY part
""")
# What others add up at the same moment is left to them. The sums are the same in every snapshot.
_ADD_UP = text("""
    WITH old AS (
        DELETE FROM catalogue_changes
        WHERE id IN (SELECT id FROM catalogue_changes FOR UPDATE SKIP LOCKED)
        RETURNING part, times
    )
    INSERT INTO catalogue_changes (part, times) SELECT part, sum(times) FROM old GROUP BY part
""")


def part_of(product_id: UUID) -> int:
    """Products share parts; a change to one outdates what is remembered of a few others."""
    return _FIRST_PRODUCT_PART + product_id.bytes[-1]


class Counts(dict[int, int]):
    """How often each part has changed; empty if nobody knows."""

    def version(self, part: int) -> int | None:
        """Grows with every change to the part; None if nobody knows."""
        return self[EVERYTHING] + self.get(part, 0) if self else None


class Freshness:
    """What one process knows. `sign` is whatever was last said to have been committed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._counts = Counts()
        self._sign: bytes | None = None
        self._asked = float("-inf")

    @property
    def counts(self) -> "Counts":
        """What is known now; it does not change any more."""
        return self._counts

    def keep_up(self, sign: bytes | None = None) -> None:
        """Know all that was committed before `sign` was given, or MOST_SECONDS_OLD ago.

        While Postgres is away nothing can change, so what is known goes on to hold.
        """
        if self._is_current(sign):
            return
        with self._lock:
            if not self._is_current(sign):
                self._ask(sign)

    def _is_current(self, sign: bytes | None) -> bool:
        return sign == self._sign and time.monotonic() - self._asked < MOST_SECONDS_OLD

    def _ask(self, sign: bytes | None) -> None:
        asked = time.monotonic()
        try:
            with self._engine.begin() as connection:
                rows = connection.execute(_COUNT).all()
                if sum(row.entries for row in rows) > _MOST_ROWS:
                    connection.execute(_ADD_UP)
        except SQLAlchemyError:
            log.warning("nobody can say what has changed", exc_info=True)
            if sign != self._sign:
                self._counts = Counts()
            # Whoever waited meanwhile need not find out for themselves, one after the other.
            self._sign, self._asked = sign, time.monotonic()
            return
        self._counts = Counts({row.part: row.times for row in rows})
        self._sign, self._asked = sign, asked
