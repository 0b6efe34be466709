"""A change and the telling of it are kept together, and code that would part them fails."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from oja_events.contracts.catalog import ProductArchived
from oja_events.database import make_engine
from tests.integration.events.conftest import Producer, Telling, producer

NEWS = ProductArchived(product_id=uuid4(), version=1, skus=(), archived_at=datetime.now(UTC))


@pytest.fixture
def catalog() -> Iterator[Producer]:
    with producer("amqp://none") as telling:
        yield telling


@pytest.fixture
def alone(catalog: Producer) -> Iterator[Engine]:
    url = catalog.engine.url.render_as_string(hide_password=False)
    engine = make_engine(url, application="test", autocommit=True)
    yield engine
    engine.dispose()


def tell(uow: Telling) -> None:
    with uow:
        uow.outbox.add(NEWS)
        uow.commit()


@pytest.mark.parametrize(
    "sessions", [sessionmaker, lambda alone: alone.connect], ids=["session", "connection"]
)
def test_nobody_tells_events_where_each_statement_is_a_transaction(
    catalog: Producer, alone: Engine, sessions: Callable[[Engine], Any]
) -> None:
    uow = Telling(sessions(alone), source="catalog", waker=catalog.waker)

    with uow:
        uow.commit()
    with pytest.raises(RuntimeError, match="autocommit"):
        tell(uow)

    assert catalog.pending() == 0


def test_nor_where_the_driver_was_told_to_make_it_one(catalog: Producer) -> None:
    with catalog.engine.connect() as connection:
        postgres: Any = connection.connection.dbapi_connection
        postgres.autocommit = True
        uow = Telling(sessionmaker(connection), source="catalog", waker=catalog.waker)

        with pytest.raises(RuntimeError, match="autocommit"):
            tell(uow)
        postgres.autocommit = False

    assert catalog.pending() == 0


def test_nor_before_a_savepoint(catalog: Producer, alone: Engine) -> None:
    uow = Telling(sessionmaker(alone), source="catalog", waker=catalog.waker)

    with uow:
        uow.outbox.add(NEWS)
        with pytest.raises(RuntimeError, match="autocommit"):
            uow.__enter__()

    assert catalog.pending() == 0
