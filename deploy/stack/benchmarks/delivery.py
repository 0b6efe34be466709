"""Events: how many, how fast from commit to effect, and how soon after the loss of the broker."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

from psycopg2.extensions import connection
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from oja_events.contracts.catalog import ProductArchived
from oja_events.database import make_engine
from oja_events.outbox import Outbox
from oja_events.unit_of_work import SqlTransaction
from oja_events.wakeup import Waker
from stack.benchmarks.bench import REPEATS, Bench
from stack.benchmarks.courier import carry
from stack.context import Stack
from stack.failure import Failure
from stack.programs import everything
from stack.readiness import wait_for, wait_until
from stack.report import out
from stack.servers import postgres, rabbitmq

_WITHIN = 180.0
_PER_COMMIT = 100  # events of one transaction, where they come in masses
_SOON = 1.0  # an event that takes longer was held up
_RELAY, _CONSUMER = "catalog-worker-1", "ordering-consumer-1"

_TIMES = """
    SELECT extract(epoch FROM pg_xact_commit_timestamp(log.xmin)),
        extract(epoch FROM pg_xact_commit_timestamp(inbox.xmin))
    FROM catalog.event_log AS log JOIN ordering.inbox USING (event_id)
    WHERE log.id > %s ORDER BY 1
"""


def run(bench: Bench) -> None:
    """Metrics: see benchmarks/README.md."""
    with _told(bench.stack) as shop:
        shop.tell(200)  # not counted: first times
        shop.await_handled(0)
        _masses(bench, shop)
        _one_by_one(bench, shop)
        _without_broker_data(bench, shop)


def _masses(bench: Bench, shop: "_Shop") -> None:
    count = 2_000 if bench.quick else 20_000
    relayed, handled, carried = list[float](), list[float](), list[float]()
    for _ in range(1 if bench.quick else REPEATS):
        out.print("  the relay alone, the whole way, bare kombu with the same messages")
        relayed.append(_relay(bench.stack, shop, count))
        handled.append(_whole_way(shop, count))
        seconds, *_ = carry(_broker(bench.stack), shop.messages(200), count)
        carried.append(count / seconds)
    reference = ("kombu", median(carried))
    bench.results.add("relayed_per_second", median(relayed), "events/s", reference)
    bench.results.add("handled_per_second", median(handled), "events/s", reference)


def _relay(stack: Stack, shop: "_Shop", count: int) -> float:
    """Events per second from the outbox into the broker, while nobody consumes."""
    since = shop.last()
    stack.supervisor.stop([_CONSUMER, _RELAY])
    shop.tell(count)
    stack.supervisor.start_programs([_RELAY])
    _wait(lambda: shop.pending() < count, "The relay does not begin.")
    began, left = time.monotonic(), shop.pending()
    _wait(lambda: shop.pending() == 0, "The relay does not come to an end.")
    took = time.monotonic() - began
    stack.supervisor.start_programs([_CONSUMER])
    wait_for(stack, [p for p in everything(stack) if p.name == _CONSUMER], within=_WITHIN)
    shop.await_handled(since)
    return left / took


def _whole_way(shop: "_Shop", count: int) -> float:
    """Events per second from the first commit to the last effect."""
    since = shop.last()
    shop.tell(count)
    shop.await_handled(since)
    times = shop.times(since)
    return len(times) / (max(heard for _, heard in times) - times[0][0])


def _one_by_one(bench: Bench, shop: "_Shop") -> None:
    out.print("  one event at a time, and one bare message at a time")
    since, count = shop.last(), 40 if bench.quick else 400
    for _ in range(count):
        shop.tell(1)
        time.sleep(0.03)
    shop.await_handled(since)
    took = [1000 * (heard - told) for told, heard in shop.times(since)]
    _, *bare = carry(_broker(bench.stack), shop.messages(count), count, window=1)
    for name, cut in (("p50", 49), ("p99", 98)):
        reference = (f"kombu_round_trip_{name}", _cut(bare, cut))
        bench.results.add(f"event_{name}_idle", _cut(took, cut), "ms", reference)


def _without_broker_data(bench: Bench, shop: "_Shop") -> None:
    out.print("  the broker's data is deleted while events are told")
    since, stop = shop.last(), threading.Event()
    teller = threading.Thread(target=shop.go_on_telling, args=(stop,))
    teller.start()
    time.sleep(3)
    lost_at = time.time()
    _wipe_broker(bench.stack)
    time.sleep(10 if bench.quick else 30)
    stop.set()
    teller.join()
    shop.await_handled(since)
    late = [heard for told, heard in shop.times(since) if heard - told > _SOON]
    bench.results.add("wiped_events", len(shop.times(since)), "events")
    bench.results.add("wiped_events_lost", shop.last() - since - len(shop.times(since)), "events")
    bench.results.add("wiped_recovery", max(late, default=lost_at) - lost_at, "s")


def _wipe_broker(stack: Stack) -> None:
    """Delete what it keeps, and kill it, so that it begins with nothing."""
    process = stack.supervisor.information()["rabbitmq"]["pid"]
    shutil.rmtree(rabbitmq.node_folder(stack), ignore_errors=True)
    os.kill(process, signal.SIGKILL)


class _Telling(SqlTransaction):
    def open(self, session: Session, outbox: Outbox) -> None:
        self.outbox = outbox


@dataclass(frozen=True, slots=True)
class _Shop:
    """Catalog as it tells, and what Postgres knows of the way of its events to ordering."""

    engine: Engine
    waker: Waker
    database: connection

    def tell(self, count: int) -> None:
        for first in range(0, count, _PER_COMMIT):
            with _Telling(sessionmaker(self.engine), source="catalog", waker=self.waker) as uow:
                uow.outbox.add(*(_event() for _ in range(min(_PER_COMMIT, count - first))))
                uow.commit()

    def go_on_telling(self, stop: threading.Event) -> None:
        while not stop.wait(0.02):
            self.tell(1)

    def last(self) -> int:
        return int(self._ask("SELECT coalesce(max(id), 0) FROM catalog.event_log")[0][0])

    def pending(self) -> int:
        return int(self._ask("SELECT count(*) FROM catalog.outbox_pending")[0][0])

    def times(self, since: int) -> list[tuple[float, float]]:
        """When each event was committed and when its effect was, in seconds."""
        return [(float(told), float(heard)) for told, heard in self._ask(_TIMES, since)]

    def messages(self, count: int) -> list[bytes]:
        rows = self._ask("SELECT envelope FROM catalog.event_log ORDER BY id DESC LIMIT %s", count)
        return [bytes(row[0]) for row in rows]

    def await_handled(self, since: int) -> None:
        _wait(lambda: len(self.times(since)) == self.last() - since, "Not all events were handled.")

    def _ask(self, query: str, *values: object) -> list[Any]:
        with self.database.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()


@contextmanager
def _told(stack: Stack) -> Iterator[_Shop]:
    url = postgres.dsn(stack, "catalog").replace("postgresql://", "postgresql+psycopg2://", 1)
    engine = make_engine(url, application="benchmark")
    database = postgres.superuser(stack, postgres.DATABASE)
    database.autocommit = True
    try:
        yield _Shop(engine, Waker(engine, "catalog"), database)
    finally:
        database.close()
        engine.dispose()


def _event() -> ProductArchived:
    """As small as an event can be, so that all that is measured is its way."""
    return ProductArchived(product_id=uuid4(), version=1, skus=(), archived_at=datetime.now(UTC))


def _broker(stack: Stack) -> str:
    return rabbitmq.url(stack, rabbitmq.ADMIN)


def _cut(values: list[float], cut: int) -> float:
    return quantiles(values, n=100, method="inclusive")[cut]


def _wait(condition: Callable[[], bool], complaint: str) -> None:
    if not wait_until(condition, within=_WITHIN, every=0.02):
        raise Failure(complaint)
