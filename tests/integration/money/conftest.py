"""Three services that the stories share; they stay apart by random ids."""

from collections.abc import Iterator
from unittest import mock

import pytest

from payments.use_cases import opening
from tests.integration.money.world import WITH_MAILS, Services, running_services


@pytest.fixture(scope="package")
def services() -> Iterator[Services]:
    with running_services() as services:
        yield services


@pytest.fixture(scope="package")
def services_with_mails() -> Iterator[Services]:
    with running_services(WITH_MAILS) as services:
        yield services


@pytest.fixture
def impatient() -> Iterator[None]:
    """Nobody waits inside of a step: what is not ready now is tried in another one."""
    with mock.patch.multiple(opening, STOCK_PATIENCE=0.0, OPENING_PATIENCE=0.05):
        yield
