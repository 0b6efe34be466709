"""What Postgres knows of the orders that were made: how many, how fast, at what price."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection

from stack.context import Stack
from stack.failure import Failure
from stack.readiness import wait_until
from stack.servers import postgres
from stack.services import SERVICES

_DRAINED_WITHIN = 180.0

# From commit to commit, by the clock of Postgres.
_LATENCY = """
    SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY 1000 * extract(epoch FROM
        pg_xact_commit_timestamp(heard_in) - pg_xact_commit_timestamp(told_in)))
    FROM benchmark_deliveries
    WHERE occurred_at BETWEEN %(since)s AND %(until)s
        AND type LIKE %(type)s AND heard_by LIKE %(heard)s
"""
_WEBHOOK_TO_PAID = """
    SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY 1000 * extract(epoch FROM
        pg_xact_commit_timestamp(inbox.xmin) - received_at))
    FROM payments.webhooks JOIN payments.payments USING (reference)
    JOIN ordering.inbox ON inbox.subject = payments.order_id::text
        AND inbox.type LIKE '%%payment_confirmed%%'
    WHERE received_at BETWEEN %(since)s AND %(until)s
"""
_DONE = """
    SELECT count(*), extract(epoch FROM (
        SELECT max(sent_at) FROM notifier.mails WHERE created_at >= %(since)s) - min(placed_at)),
        (SELECT count(*) FROM notifier.mails WHERE status = 'sent' AND created_at >= %(since)s)
    FROM ordering.orders WHERE status = 'processing' AND placed_at >= %(since)s
"""
_STATEMENTS = """
    SELECT coalesce(sum(calls) FILTER (WHERE query !~* '^(BEGIN|COMMIT|ROLLBACK|SAVE|RELEASE)'), 0),
        coalesce(sum(calls) FILTER (WHERE query = 'COMMIT'), 0)
    FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid
    WHERE rolname = ANY(%(services)s)
"""
_SYNCS = "SELECT wal_sync FROM pg_stat_wal"
_UNDER_WAY = "SELECT EXISTS (SELECT FROM benchmark_under_way)"
_MESSAGES = "SELECT envelope FROM benchmark_deliveries WHERE occurred_at >= %(since)s"


Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Done:
    """Orders that were paid, and the seconds from the first of them to the last mail."""

    orders: int
    seconds: float
    mails: int


@dataclass(frozen=True, slots=True)
class Price:
    """What was asked of Postgres. `commits` are explicit transactions, `syncs` waits for disk."""

    statements: int
    commits: int
    syncs: int

    def __sub__(self, other: "Price") -> "Price":
        return Price(
            self.statements - other.statements,
            self.commits - other.commits,
            self.syncs - other.syncs,
        )


class Counted:
    def __init__(self, database: connection) -> None:
        self._database = database

    def now(self) -> datetime:
        found: datetime = self._one("SELECT clock_timestamp()")[0]
        return found

    def price(self) -> Price:
        """Of everything so far."""
        statements, commits = self._one(_STATEMENTS, services=list(SERVICES))
        return Price(int(statements), int(commits), int(self._one(_SYNCS)[0]))

    def wait_until_drained(self) -> None:
        """Return when no event, webhook or mail is under way any more; raises Failure."""
        if not wait_until(self._is_drained, within=_DRAINED_WITHIN, every=0.1):
            raise Failure("The orders of the benchmark do not come to an end.")

    def done(self, since: datetime) -> Done:
        orders, seconds, mails = self._one(_DONE, since=since)
        return Done(int(orders), float(seconds or 0), int(mails))

    def event_times(self, during: Span, *, of: str = "", at: str = "") -> Times:
        """From the commit of an event to the commit of its effect in the next service: all of
        them, or those named `of` that `at` heard."""
        since, until = during
        found = self._one(_LATENCY, since=since, until=until, type=f"%{of}%", heard=at or "%")
        return Times(*found[0])

    def webhook_to_paid(self, during: Span) -> Times:
        """From the arrival of Paystack's webhook to the order that is being prepared."""
        since, until = during
        return Times(*self._one(_WEBHOOK_TO_PAID, since=since, until=until)[0])

    def messages(self, since: datetime) -> list[bytes]:
        """Every event as often as it was delivered."""
        return [bytes(row[0]) for row in self._ask(_MESSAGES, since=since)]

    def _is_drained(self) -> bool:
        return not self._one(_UNDER_WAY)[0]

    def _one(self, query: str, **values: object) -> Any:
        return self._ask(query, **values)[0]

    def _ask(self, query: str, **values: object) -> list[Any]:
        with self._database.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()


@contextmanager
def counted(stack: Stack) -> Iterator[Counted]:
    with closing(postgres.superuser(stack, postgres.DATABASE)) as database:
        database.autocommit = True
        yield Counted(database)
