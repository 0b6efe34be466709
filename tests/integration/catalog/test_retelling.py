"""Products of which the journal tells nothing any more are told anew, for who copies them anew."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from catalog.bootstrap import MIGRATIONS, Dependencies, build
from catalog.use_cases.retelling import retell_products
from oja_events.contracts.catalog import ProductArchived, ProductChanged
from oja_events.migrating import migrate
from oja_events.operating import numbered
from oja_events.relay import Relay
from tests.integration.catalog.conftest import SqlShop, Staff
from tests.support.postgres import scratch_database


@pytest.fixture(scope="module")
def own_deps(deps: Dependencies) -> Iterator[Dependencies]:
    """A catalogue of its own: others put products into theirs of which nobody has told."""
    with scratch_database() as url:
        migrate("catalog", MIGRATIONS, url)
        wired = build(replace(deps.settings, database_url=url))
        yield wired
        wired.engine.dispose()


@pytest.fixture
def own_shop(own_deps: Dependencies) -> SqlShop:
    return SqlShop(own_deps, 0)


@pytest.fixture
def own_staff(own_deps: Dependencies) -> Staff:
    return Staff(own_deps)


def forget(shop: SqlShop, *product_ids: str) -> None:
    """As when the days on which they were told of are no longer kept."""
    with shop.engine.begin() as connection:
        query = text("DELETE FROM event_log WHERE subject = ANY(:ids)")
        connection.execute(query, {"ids": list(product_ids)})


def news_of(shop: SqlShop, product_id: str) -> list[Any]:
    kinds = (ProductChanged, ProductArchived)
    told = [event for event in shop.told() if isinstance(event, kinds)]
    return [event for event in told if event.product_id == UUID(product_id)]


def test_what_the_journal_has_forgotten_is_told_as_it_is_now(
    own_shop: SqlShop, own_staff: Staff
) -> None:
    kept, sold, gone = [own_staff.create().json for _ in range(3)]
    path = f"/api/admin/products/{gone['id']}"
    seen = own_staff.open("GET", path).headers["ETag"]
    assert own_staff.open("DELETE", path, seen=seen).status_code == 204
    before = {each["id"]: news_of(own_shop, each["id"])[-1] for each in (kept, sold, gone)}
    forget(own_shop, sold["id"], gone["id"])

    told = retell_products(own_shop.deps.unit_of_work)
    again = retell_products(own_shop.deps.unit_of_work)

    assert (told, again) == (2, 0)
    assert news_of(own_shop, kept["id"]) == [before[kept["id"]]]
    [changed], [archived] = news_of(own_shop, sold["id"]), news_of(own_shop, gone["id"])
    assert isinstance(archived, ProductArchived)
    assert archived.skus == before[gone["id"]].skus
    assert (changed.slug, changed.variants) == (sold["slug"], before[sold["id"]].variants)
    # Higher than any version that was told before, so whoever hears of it takes it for the newest.
    assert changed.version == before[sold["id"]].version + 1


def test_whoever_waits_for_numbers_learns_when_all_have_one(
    own_shop: SqlShop, own_staff: Staff
) -> None:
    own_staff.create()

    assert not numbered(own_shop.engine, within=0)
    with own_shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        Relay(own_shop.engine, "amqp://nobody", "catalog")._number(connection)
    assert numbered(own_shop.engine, within=0)
