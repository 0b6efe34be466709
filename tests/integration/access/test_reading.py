"""S23: reading changes nothing, tried with databases that refuse to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

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


@contextmanager
def refusing_to_write(engines: list[Engine]) -> Iterator[None]:
    def refuse(connection: Any, *_: object) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    for engine in engines:
        event.listen(engine, "begin", refuse)
    try:
        yield
    finally:
        for engine in engines:
            event.remove(engine, "begin", refuse)


@pytest.mark.parametrize("route", READS, ids=str)
def test_s23_a_get_changes_nothing(shop: FiveApps, people: dict[str, Person], route: Route) -> None:
    owner = people["admin"]
    make = MAKERS.get(route.path)
    variables = make(shop, owner) if make else _some_ids()

    with refusing_to_write([shop.deps[service].engine for service in SERVICES]):
        answer = ask(shop, route, variables, owner.bearer)

    assert answer.status_code in ({200} if make or "<" not in route.path else {200, 404})


def _some_ids() -> dict[str, str]:
    unknown = "00000000-0000-7000-8000-000000000000"
    names = ("category_id", "import_id", "product_id", "review_id", "user_id", "order_id")
    other = {"key": "nothing", "sku": "NOTHING", "name": "admin", "reference": "nothing"}
    return dict.fromkeys(names, unknown) | other


def test_s23_such_a_database_really_refuses(shop: FiveApps, people: dict[str, Person]) -> None:
    engine = shop.deps["ordering"].engine
    with refusing_to_write([engine]):
        answer = shop.call("ordering", "DELETE", "/api/cart", people["customer"].bearer)

    assert answer.status_code == 500
