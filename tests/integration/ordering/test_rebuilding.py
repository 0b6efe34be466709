"""The copy of the products is made anew from what catalog has told, and is then right."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from oja_events.contracts import Money
from oja_events.contracts.catalog import ProductArchived, ProductChanged, Variant
from ordering.use_cases.rebuilding import Rebuilt, rebuild_products
from tests.integration.ordering.conftest import Ordering


def changed(product_id: UUID, sku: str, *, version: int = 1, price: int = 100) -> ProductChanged:
    return ProductChanged(
        product_id=product_id,
        version=version,
        slug=sku.lower(),
        name=f"{sku} {version}",
        status="published",
        variants=(
            Variant(sku=sku, options={}, price=Money(amount=price, currency="NGN"), available=3),
        ),
        changed_at=datetime.now(UTC),
    )


def archived(product_id: UUID, *, version: int) -> ProductArchived:
    return ProductArchived(
        product_id=product_id, version=version, skus=(), archived_at=datetime.now(UTC)
    )


def offer(ordering: Ordering, sku: str) -> dict[str, Any]:
    with ordering.deps.unit_of_work() as uow:
        query = text("SELECT name, price_amount, buyable FROM offers WHERE sku = :sku")
        return dict(uow.session.execute(query, {"sku": sku}).one()._mapping)


def spoil(ordering: Ordering, sku: str) -> None:
    with ordering.deps.unit_of_work() as uow:
        query = text("UPDATE offers SET price_amount = 1, buyable = false WHERE sku = :sku")
        uow.session.execute(query, {"sku": sku})
        uow.commit()


def a_sku() -> str:
    return f"MUG-{uuid4().hex[:8]}"


def test_what_was_spoiled_is_mended_and_the_second_time_nothing_is(ordering: Ordering) -> None:
    mug, sku, other = uuid4(), a_sku(), a_sku()
    told = [changed(mug, sku), changed(mug, sku, version=2, price=120), changed(uuid4(), other)]
    rebuild_products(told, unit_of_work=ordering.deps.unit_of_work)
    spoil(ordering, sku)

    done = [rebuild_products(told, unit_of_work=ordering.deps.unit_of_work) for _ in range(2)]

    assert [(each.told, each.mended) for each in done] == [(2, 1), (2, 0)]
    assert offer(ordering, sku) == {"name": f"{sku} 2", "price_amount": 120, "buyable": True}


def test_news_that_came_meanwhile_is_newer_and_stays(ordering: Ordering) -> None:
    mug, sku = uuid4(), a_sku()
    ordering.hear(changed(mug, sku, version=3, price=300))

    done = rebuild_products([changed(mug, sku)], unit_of_work=ordering.deps.unit_of_work)

    assert done.mended == 0
    assert offer(ordering, sku)["price_amount"] == 300


def test_what_was_taken_out_of_the_shop_is_not_sold_again(ordering: Ordering) -> None:
    mug, sku = uuid4(), a_sku()
    told = [archived(mug, version=2), changed(mug, sku)]
    ordering.hear(changed(mug, sku))

    done = rebuild_products(told, unit_of_work=ordering.deps.unit_of_work)

    assert done.mended == 1
    assert offer(ordering, sku)["buyable"] is False


def test_what_the_journal_does_not_tell_any_more_stays_as_it_is(ordering: Ordering) -> None:
    old, sku = uuid4(), a_sku()
    ordering.hear(changed(old, sku))
    others = rebuild_products([], unit_of_work=ordering.deps.unit_of_work).others

    done = rebuild_products([changed(uuid4(), a_sku())], unit_of_work=ordering.deps.unit_of_work)

    assert done == Rebuilt(told=1, mended=1, others=others)
    assert offer(ordering, sku)["buyable"] is True
