"""The five applications over real servers, and one who may do everything."""

from collections.abc import Iterator

import pytest

from tests.support.five_apps import FiveApps, Person, five_apps


@pytest.fixture(scope="package")
def shop() -> Iterator[FiveApps]:
    with five_apps() as running:
        yield running


@pytest.fixture
def everybody(shop: FiveApps) -> Person:
    """Somebody new for each test, because the calls under test may end their access."""
    return shop.person("admin", "customer")
