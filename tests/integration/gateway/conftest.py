import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gateway.nginx import Nginx
from tests.integration.gateway.services import FakeService, Received

SERVICES = ("catalog", "identity", "ordering", "payments", "notifier")


class Shop:
    """The gateway and what is behind it.

    Ordering has a second instance that is down, notifier a second one that is up.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        self.services = {name: FakeService(name) for name in SERVICES}
        self.second_notifier = FakeService("notifier")
        self._silent = socket.socket()
        self._silent.bind(("127.0.0.1", 0))
        addresses = {name: [service.address] for name, service in self.services.items()}
        addresses["ordering"].insert(0, f"127.0.0.1:{self._silent.getsockname()[1]}")
        addresses["notifier"].append(self.second_notifier.address)
        self.gateway = Nginx(folder, addresses, docs=a_docs_folder(folder), **variables)

    def all_services(self) -> list[FakeService]:
        return [*self.services.values(), self.second_notifier]

    def reached(self) -> list[str]:
        """The names of the services that got a request, once per request."""
        return [service.name for service in self.all_services() for _ in service.received]

    def the_only_request(self) -> Received:
        [request] = [request for service in self.all_services() for request in service.received]
        return request

    def reset(self) -> None:
        for service in self.all_services():
            service.reset()

    def stop(self) -> None:
        self.gateway.stop()
        for service in self.all_services():
            service.stop()
        self._silent.close()


def a_docs_folder(folder: Path) -> Path:
    docs = folder / "docs"
    docs.mkdir()
    (docs / "index.html").write_text("<!doctype html><title>Oja API</title>")
    (docs / "asyncapi.json").write_text('{"asyncapi": "3.0.0"}')
    (docs / "swagger-ui-bundle.js").write_text("const SwaggerUIBundle = 1;" * 100)
    return docs


@pytest.fixture(scope="package")
def running_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("gateway"))
    yield shop
    shop.stop()


@pytest.fixture
def shop(running_shop: Shop) -> Shop:
    running_shop.reset()
    return running_shop


@pytest.fixture
def gateway(shop: Shop) -> Nginx:
    return shop.gateway
