"""The five applications, and one person for each column of the matrix."""

from collections.abc import Iterator

import pytest

from tests.contract.access import ROLES
from tests.support.five_apps import FiveApps, Person, five_apps


@pytest.fixture(scope="package")
def shop() -> Iterator[FiveApps]:
    with five_apps() as running:
        yield running


@pytest.fixture(scope="package")
def people(shop: FiveApps) -> dict[str, Person]:
    """By built-in role."""
    return {role: shop.person(role) for role in ROLES}
