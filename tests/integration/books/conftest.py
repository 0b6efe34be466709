"""One shop for all tests: they look at it with something wrong, and nothing of that stays."""

from collections.abc import Iterator

import pytest

from tests.integration.books.shop import Shop
from tests.integration.money.world import WITH_MAILS, World, running_services


@pytest.fixture(scope="package")
def shop() -> Iterator[Shop]:
    with running_services((*WITH_MAILS, "identity")) as services:
        engines = {service: deps.engine for service, deps in services.deps.items()}
        shop = Shop(World(services, [100, 100]), engines)
        shop.open()
        yield shop
