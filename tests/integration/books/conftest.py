"""One shop for all tests: they look at it with something wrong, and nothing of that stays."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine

from oja_events.migrating import migrate
from tests.integration.books.shop import Shop
from tests.integration.money.world import WITH_MAILS, World, running_services
from tests.support.postgres import scratch_database


@pytest.fixture(scope="package")
def shop() -> Iterator[Shop]:
    from identity.bootstrap import MIGRATIONS

    with running_services(WITH_MAILS) as services, scratch_database() as url:
        migrate("identity", MIGRATIONS, url)
        identity = create_engine(url)
        engines = {service: deps.engine for service, deps in services.deps.items()}
        shop = Shop(World(services, [100, 100]), engines | {"identity": identity})
        shop.open()
        yield shop
        identity.dispose()
