import pytest

from catalog.bootstrap import MIGRATIONS, build
from catalog.entrypoints.demo import load_demo
from catalog.settings import Settings
from catalog.use_cases.queries import ProductFilter, Sort
from oja_events.contracts.catalog import ProductChanged
from oja_events.migrating import migrate
from tests.integration.catalog.conftest import SqlShop
from tests.support.postgres import scratch_database


@pytest.fixture
def empty_deps():
    with scratch_database() as url:
        migrate("catalog", MIGRATIONS, url)
        deps = build(
            Settings(
                database_url=url,
                broker_url="",
                jwt_public_keys="",
                jwt_issuer="",
                internal_token="",
                feed_urls={},
            )
        )
        yield deps
        deps.engine.dispose()


def test_the_demo_catalogue_is_loaded_once_and_told(empty_deps):
    loaded = load_demo(empty_deps)
    again = load_demo(empty_deps)

    page = empty_deps.queries.products(ProductFilter(), sort=Sort.NEWEST, size=100, with_total=True)
    told = SqlShop(empty_deps, 0).told()
    assert (loaded, again, page.total) == (26, 0, 26)
    assert {type(event) for event in told} == {ProductChanged}
    assert len(told) == 26
    assert {row["status"] for row in page.items} == {"published"}


def test_the_demo_has_something_that_sells_out_soon(empty_deps):
    load_demo(empty_deps)

    bowl = empty_deps.queries.stock("CALA-BOWL")

    assert bowl["available"] == bowl["low_stock_threshold"] + 1
