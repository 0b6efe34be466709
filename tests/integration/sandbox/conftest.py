"""One sandbox and one shop for the tests of a module; references are random, so they may share."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.sandbox.running import Sandbox, Shop


@pytest.fixture(scope="package")
def shared_shop() -> Iterator[Shop]:
    shop = Shop()
    with shop.open():
        yield shop


@pytest.fixture(scope="package")
def shared_sandbox(
    shared_shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), shared_shop.url)
    sandbox.start()
    yield sandbox
    sandbox.end()


@pytest.fixture
def shop(shared_shop: Shop) -> Shop:
    shared_shop.answers.clear()
    return shared_shop


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """Without faults left over from another test."""
    yield shared_sandbox
    for switches in ("faults", "mail/faults", "webhooks/switches"):
        shared_sandbox.http.delete(f"{shared_sandbox.url}/_sandbox/{switches}")


@pytest.fixture
def own_sandbox(shop: Shop, tmp_path: Path) -> Iterator[Sandbox]:
    """One that a test may kill."""
    sandbox = Sandbox(tmp_path, shop.url)
    sandbox.start()
    yield sandbox
    if sandbox.process.poll() is None:
        sandbox.end(signal.SIGKILL)
