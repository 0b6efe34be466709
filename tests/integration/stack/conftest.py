"""One stack of servers for the tests that leave it as they found it."""

from collections.abc import Iterator

import pytest

from tests.support.servers import Servers, private_servers


@pytest.fixture(scope="package")
def servers() -> Iterator[Servers]:
    with private_servers() as running:
        yield running
