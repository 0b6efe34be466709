"""One database and one sandbox for the package; each test finds the database empty."""

from collections.abc import Iterator

import pytest

from oja_events.migrating import migrate
from oja_web.testing import KeyPair, make_key_pair
from payments.bootstrap import MIGRATIONS, SERVICE
from tests.integration.payments.running import PaymentsService
from tests.integration.sandbox.running import Sandbox
from tests.support.postgres import empty, scratch_database
from tests.support.servers import free_port


@pytest.fixture(scope="package")
def database_url() -> Iterator[str]:
    with scratch_database() as url:
        migrate(SERVICE, MIGRATIONS, url)
        yield url


@pytest.fixture(scope="package")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    # Its webhooks go nowhere: the tests carry them over themselves, as often as they like.
    nowhere = f"http://127.0.0.1:{free_port()}/"
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), nowhere)
    sandbox.start()
    yield sandbox
    sandbox.end()


@pytest.fixture(autouse=True)
def nothing_left_due(database_url: str) -> Iterator[None]:
    """No refund of an earlier test meets the fault that a later one has set up for its own."""
    yield
    empty(database_url, keep=("books",))


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """Without faults left over from another test."""
    yield shared_sandbox
    for switches in ("faults", "webhooks/switches"):
        shared_sandbox.http.delete(f"{shared_sandbox.url}/_sandbox/{switches}")


@pytest.fixture(scope="package")
def keys() -> KeyPair:
    return make_key_pair()


@pytest.fixture(scope="package")
def payments(
    database_url: str, shared_sandbox: Sandbox, keys: KeyPair
) -> Iterator[PaymentsService]:
    service = PaymentsService(database_url, f"{shared_sandbox.url}/paystack", keys)
    yield service
    service.close()


@pytest.fixture
def cut_off(database_url: str, keys: KeyPair) -> Iterator[PaymentsService]:
    """The same service while Paystack cannot be reached."""
    service = PaymentsService(database_url, f"http://127.0.0.1:{free_port()}/paystack", keys)
    yield service
    service.close()
