"""Answers that are remembered in Redis: fast while nothing changes, never older than the shop."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, text

from catalog.bootstrap import Dependencies, build
from catalog.entrypoints.http.app import create_app
from catalog.use_cases import event_handlers, indexing
from tests.integration.catalog.conftest import Staff, a_variant
from tests.support.redis import PrivateRedis, private_redis
from tests.support.waiting import wait_until
from tests.unit.catalog.builders import order_placed


class Process:
    """One http process: its own application, its own connections."""

    def __init__(self, deps: Dependencies) -> None:
        self.deps = deps
        self.app = create_app(deps.settings, deps)
        self.staff = Staff(deps)
        self.made: list[str] = []
        self._make = self.app.wsgi_app._app
        self.app.wsgi_app._app = self._counted

    def _counted(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.made.append(environ["PATH_INFO"])
        return self._make(environ, start_response)

    def get(self, url: str, **options: Any) -> Any:
        return self.app.test_client().get(url, **options)


@pytest.fixture(scope="module")
def redis_server() -> Iterator[PrivateRedis]:
    with private_redis() as server:
        yield server


@pytest.fixture(scope="module")
def processes(deps: Dependencies, redis_server: PrivateRedis) -> Iterator[list[Process]]:
    settings = replace(deps.settings, redis_url=redis_server.url)
    wired = [build(settings) for _ in range(2)]
    yield [Process(each) for each in wired]
    for each in wired:
        each.engine.dispose()


@pytest.fixture
def here(processes: list[Process]) -> Process:
    return processes[0]


@pytest.fixture
def there(processes: list[Process]) -> Process:
    """Another process, which remembers what `here` has read."""
    processes[0].made.clear()
    processes[1].made.clear()
    return processes[1]


@pytest.fixture
def shelf(here: Process) -> dict[str, str]:
    """One product in a category, under a tag, and where all of it is shown."""
    tag = f"tag {uuid4().hex[:12]}"
    category = here.staff.open(
        "POST", "/api/admin/categories", json={"name": f"Shelf {uuid4().hex[:8]}"}
    )
    sku = f"SKU-{uuid4().hex[:12]}"
    made = here.staff.create(
        a_variant(sku, initial_stock=5), tags=[tag], category=category.json["slug"]
    )
    return {
        "product": f"/api/products/{made.json['slug']}",
        "list": f"/api/products?tag={tag}&facets=true",
        "tags": "/api/tags",
        "categories": "/api/categories",
        "admin": f"/api/admin/products/{made.json['id']}",
        "admin category": f"/api/admin/categories/{category.json['id']}",
        "sku": sku,
    }


def change(process: Process, url: str, **body: Any) -> None:
    seen = process.staff.open("GET", url).headers["ETag"]
    answer = process.staff.open("PATCH", url, json=body, seen=seen)
    assert answer.status_code == 200, answer.text


def take_out(process: Process, shelf: dict[str, str], delta: int) -> None:
    url = f"/api/admin/inventory/{shelf['sku']}/adjustments"
    answer = process.staff.open("POST", url, json={"delta": delta, "reason": "correction"})
    assert answer.status_code in (200, 201), answer.text


def price(answer: Any) -> int:
    body = answer.json["items"][0] if "items" in answer.json else answer.json
    return body["price"]["amount"]


@pytest.mark.parametrize("page", ["product", "list", "tags", "categories"])
def test_what_was_read_before_is_given_again_without_the_database(here, there, shelf, page):
    first = here.get(shelf[page])
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        asked.append(statement)

    there.get(shelf[page])
    event.listen(there.deps.engine, "before_cursor_execute", note)
    again = there.get(shelf[page])
    event.remove(there.deps.engine, "before_cursor_execute", note)

    assert again.data == first.data
    assert again.headers["ETag"] == first.headers["ETag"]
    assert there.made == []
    assert [each for each in asked if "catalogue_changes" not in each] == []


def test_the_order_and_the_trackers_of_a_query_do_not_matter(here, there, shelf):
    here.get(shelf["list"] + "&size=10")

    there.get("/api/products?size=10&utm_source=mail&" + shelf["list"].partition("?")[2])

    assert there.made == []


def test_a_client_that_has_the_answer_is_told_so(here, shelf):
    tag = here.get(shelf["product"]).headers["ETag"]

    for seen in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = here.get(shelf["product"], headers={"If-None-Match": seen})

        assert (answer.status_code, answer.data) == (304, b"")
    assert here.get(shelf["product"], headers={"If-None-Match": '"other"'}).status_code == 200


def test_refusals_are_not_remembered(here, there, shelf):
    for url in ("/api/products/no-such-product", "/api/products?size=0", "/api/products?q=%00"):
        first, again = there.get(url), there.get(url)

        assert first.status_code == again.status_code >= 400
    assert len(there.made) == 6


@pytest.mark.parametrize("page", ["product", "list"])
def test_a_new_price_is_seen_by_everybody_at_once(here, there, shelf, page):
    there.get(shelf[page])
    variant = {"sku": shelf["sku"], "price": {"amount": 123, "currency": "NGN"}}

    change(here, shelf["admin"], variants=[variant])

    assert price(there.get(shelf[page])) == 123
    assert price(here.get(shelf[page])) == 123


@pytest.mark.parametrize("page", ["product", "list", "categories"])
def test_a_renamed_category_is_seen_wherever_it_is_named(here, there, shelf, page):
    name = f"Renamed {uuid4().hex[:8]}"
    there.get(shelf[page])

    change(here, shelf["admin category"], name=name)

    assert name in there.get(shelf[page]).text


def test_products_are_found_by_the_new_name_when_the_worker_has_come_to_them(here, there, shelf):
    name = f"renamed{uuid4().hex[:8]}"
    worker = build(here.deps.settings, role="worker")

    change(here, shelf["admin category"], name=name)
    before = there.get(f"/api/products?q={name}").json["items"]
    while indexing.index_renamed(worker.unit_of_work):
        pass
    worker.engine.dispose()

    assert before == []
    assert len(there.get(f"/api/products?q={name}").json["items"]) == 1


def test_an_archived_product_is_gone_at_once(here, there, shelf):
    there.get(shelf["product"])
    there.get(shelf["list"])

    change(here, shelf["admin"], status="archived")

    assert there.get(shelf["product"]).status_code == 404
    assert there.get(shelf["list"]).json["items"] == []


def test_stock_that_comes_and_goes_is_seen_at_once(here, there, shelf):
    there.get(shelf["product"])

    take_out(here, shelf, -2)
    after = there.get(shelf["product"]).json["variants"][0]["available"]
    take_out(here, shelf, -3)

    assert after == 3
    assert there.get(shelf["list"]).json["items"][0]["in_stock"] is False


def test_what_an_order_takes_is_seen_a_moment_later(here, there, shelf):
    consumer = build(here.deps.settings, role="consumer")
    there.get(shelf["product"])

    order = order_placed(uuid4(), {shelf["sku"]: 2})
    event_handlers.order_placed(order, uow=consumer.unit_of_work())
    consumer.engine.dispose()

    wait_until(lambda: there.get(shelf["product"]).json["variants"][0]["available"] == 3)


def test_units_of_one_product_leave_the_lists_alone(here, there, shelf, deps):
    there.get(shelf["list"])
    statement = "UPDATE stock SET reserved = reserved + 1 WHERE sku = :sku"
    with deps.engine.begin() as connection:
        connection.execute(text(statement), {"sku": shelf["sku"]})
    there.made.clear()
    there.deps.answers.announce()

    there.get(shelf["list"])

    assert there.made == []


def test_whatever_changes_the_tables_is_seen_soon(there, shelf, deps):
    there.get(shelf["list"])
    with deps.engine.begin() as connection:
        connection.execute(
            text("UPDATE products SET price_amount = 77 WHERE sole_sku = :sku"),
            {"sku": shelf["sku"]},
        )

    wait_until(lambda: price(there.get(shelf["list"])) == 77)


def test_a_change_while_redis_was_away_is_seen_when_it_is_back(here, there, shelf, redis_server):
    old = price(there.get(shelf["product"]))
    redis_server.freeze()
    variant = {"sku": shelf["sku"], "price": {"amount": 123, "currency": "NGN"}}
    change(here, shelf["admin"], variants=[variant])
    meanwhile = price(there.get(shelf["product"]))
    redis_server.thaw()

    wait_until(lambda: here.deps.answers.announce() and there.deps.answers.announce())

    assert old != 123
    assert meanwhile == 123
    assert price(there.get(shelf["product"])) == 123
    assert price(here.get(shelf["product"])) == 123


def test_without_redis_everything_goes_on(here, there, shelf, redis_server):
    there.get(shelf["product"])
    redis_server.stop()
    try:
        assert there.get(shelf["product"]).status_code == 200
        change(here, shelf["admin"], name="Renamed without Redis")

        assert there.get(shelf["product"]).json["name"] == "Renamed without Redis"
        assert there.made
    finally:
        redis_server.start()
        wait_until(there.deps.answers.announce)
        wait_until(here.deps.answers.announce)


@pytest.mark.parametrize("size", range(1, 13))
def test_a_crowd_at_a_cold_answer_has_it_made_once(here, there, processes, shelf, size):
    url = shelf["list"] + f"&size={size}"
    ready = threading.Barrier(12)

    def ask(process: Process) -> None:
        ready.wait()
        assert process.get(url).status_code == 200

    crowd = [threading.Thread(target=ask, args=(processes[n % 2],)) for n in range(12)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()

    assert len(here.made + there.made) == 1


def test_signed_in_customers_get_it_for_themselves_alone(here, shelf):
    here.get(shelf["product"])

    answer = here.get(shelf["product"], headers={"Authorization": "Bearer whoever"})

    assert answer.headers["Cache-Control"] == "no-store"
    assert "X-Accel-Expires" not in answer.headers
