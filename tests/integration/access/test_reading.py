"""S23: reading changes nothing, tried with databases that refuse to write."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event

from stack.services import SERVICES
from tests.contract.access import Route, matrix
from tests.integration.access.belongings import MAKERS
from tests.integration.access.test_strangers import ask
from tests.support.five_apps import FiveApps, Person

# Using the console keeps its session alive. And who comes back from Paystack's page is told the
# truth, though the webhook is late: what Paystack says is taken in, whoever asks and however often.
BY_DESIGN = {"/api/payments/<reference>"}
READS = [
    route
    for route in matrix()
    if route.method == "GET"
    and route.needs not in {"session", "internal"}
    and route.path not in BY_DESIGN
]


class Databases:
    """Those of the services, which refuse to write while they are told to."""

    def __init__(self, engines: list[Engine]) -> None:
        self._read_only: set[Engine] = set()
        for engine in engines:
            event.listen(engine, "begin", self._begin)

    def _begin(self, connection: Connection) -> None:
        if connection.engine in self._read_only:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    @contextmanager
    def refusing_to_write(self, *engines: Engine) -> Iterator[None]:
        self._read_only.update(engines)
        try:
            yield
        finally:
            self._read_only.difference_update(engines)


# Listening begins and ends once: other threads use the engines meanwhile.
@pytest.fixture(scope="module")
def databases(shop: FiveApps) -> Databases:
    return Databases([shop.deps[service].engine for service in SERVICES])


@pytest.mark.parametrize("route", READS, ids=str)
def test_s23_a_get_changes_nothing(
    shop: FiveApps, people: dict[str, Person], databases: Databases, route: Route
) -> None:
    owner = people["admin"]
    make = MAKERS.get(route.path)
    variables = make(shop, owner) if make else _some_ids()

    with databases.refusing_to_write(*(shop.deps[service].engine for service in SERVICES)):
        answer = ask(shop, route, variables, owner.bearer)

    assert answer.status_code in ({200} if make or "<" not in route.path else {200, 404})


def _some_ids() -> dict[str, str]:
    unknown = "00000000-0000-7000-8000-000000000000"
    names = ("category_id", "import_id", "product_id", "review_id", "user_id", "order_id")
    other = {"key": "nothing", "sku": "NOTHING", "name": "admin", "reference": "nothing"}
    return dict.fromkeys(names, unknown) | other


def test_s23_such_a_database_really_refuses(
    shop: FiveApps, people: dict[str, Person], databases: Databases
) -> None:
    with databases.refusing_to_write(shop.deps["ordering"].engine):
        answer = shop.call("ordering", "DELETE", "/api/cart", people["customer"].bearer)

    assert answer.status_code == 500
