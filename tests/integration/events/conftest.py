"""One private set of servers for this folder, and the two ends of the wire: catalog, ordering."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from kombu import Connection
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from oja_events import schema
from oja_events.contracts import Event
from oja_events.database import make_engine
from oja_events.declaring import declare
from oja_events.migrating import migrate
from oja_events.outbox import Outbox
from oja_events.relay import Relay
from oja_events.topology import lanes
from oja_events.unit_of_work import SqlTransaction
from oja_events.wakeup import Waker
from oja_web.testing import make_key_pair
from ordering.bootstrap import MIGRATIONS
from ordering.entrypoints.consumer import SUBSCRIPTIONS
from tests.support.postgres import scratch_database
from tests.support.servers import Servers, free_port, private_servers
from tests.support.waiting import wait_until


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Of one connection, to an empty database."""
    with scratch_database() as url:
        engine = make_engine(url, application="test", pool_size=1)
        yield engine
        engine.dispose()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with private_servers() as running:
        yield running


class Telling(SqlTransaction):
    """A transaction that does nothing but tell."""

    outbox: Outbox

    def open(self, session: Session, outbox: Outbox) -> None:
        self.outbox = outbox


@dataclass(frozen=True, slots=True)
class Producer:
    """Somebody who tells events: its database, and a way to commit one."""

    engine: Engine
    broker_url: str
    waker: Waker

    def tell(self, *events: Event) -> None:
        with Telling(sessionmaker(self.engine), source="catalog", waker=self.waker) as uow:
            uow.outbox.add(*events)
            uow.commit()

    def pending(self) -> int:
        with self.engine.connect() as connection:
            return connection.execute(text("SELECT count(*) FROM outbox_pending")).scalar_one()

    @property
    def relay(self) -> Relay:
        return Relay(self.engine, self.broker_url, "catalog")


class _Op:
    """Alembic's `op` for a table set without a history."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, sqltext: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(sqltext))


@contextmanager
def producer(broker_url: str) -> Iterator[Producer]:
    """Catalog, as far as it tells, on a database of its own."""
    with scratch_database() as url:
        engine = make_engine(url, application="test")
        schema.create_v1(_Op(engine))
        schema.create_feed(_Op(engine))
        yield Producer(engine, broker_url, Waker(engine, "catalog"))
        engine.dispose()


@pytest.fixture
def catalog(servers: Servers) -> Iterator[Producer]:
    with producer(servers.broker_url("catalog")) as telling:
        yield telling


@pytest.fixture
def relaying() -> Iterator[Callable[[Relay], threading.Event]]:
    """Run relays in threads; all of them end with the test."""
    stops: list[tuple[threading.Event, threading.Thread]] = []

    def start(relay: Relay) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(target=relay.run, args=(stop,), daemon=True)
        thread.start()
        stops.append((stop, thread))
        return stop

    yield start
    for stop, thread in stops:
        stop.set()
        thread.join(timeout=10)


@dataclass(frozen=True, slots=True)
class Consumer:
    """A real consumer process of ordering on a database of its own."""

    engine: Engine
    process: subprocess.Popen[bytes]
    again: Callable[..., AbstractContextManager[subprocess.Popen[bytes]]]
    """Starts another one, in its place or, with more variables of the environment, beside it."""

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]


@pytest.fixture
def ordering(servers: Servers) -> Iterator[Consumer]:
    broker_url = servers.broker_url("ordering")
    declare("ordering", SUBSCRIPTIONS, broker_url)
    empty_lanes(broker_url)
    with scratch_database() as url:
        migrate("ordering", MIGRATIONS, url)
        environment = {
            "DATABASE_URL": url,
            "BROKER_URL": broker_url,
            "JWT_PUBLIC_KEYS": make_key_pair().jwks,
            "JWT_ISSUER": "http://test",
            "INTERNAL_TOKEN": "t" * 40,
            "FEED_URLS": "{}",
            "REDIS_URL": "redis://127.0.0.1:1",
            "HEALTH_PORT": str(free_port()),
        }
        start = partial(_running, environment)
        with start() as process:
            engine = make_engine(url, application="test")
            yield Consumer(engine, process, again=start)
            engine.dispose()


def empty_lanes(broker_url: str) -> None:
    """The queues outlive a test: what one left in a retry queue would come back in another."""
    with Connection(broker_url) as connection:
        channel = connection.channel()
        for queue in lanes("ordering").values():
            channel.queue_purge(queue)


@contextmanager
def _running(environment: dict[str, str], **more: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "ordering.entrypoints.consumer"]
    environment = environment | more
    with subprocess.Popen(command, env=environment) as process:
        try:
            port = int(environment["HEALTH_PORT"])
            wait_until(lambda: _is_ready(port), timeout=60, what="the consumer is ready")
            yield process
        finally:
            process.terminate()


def _is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
