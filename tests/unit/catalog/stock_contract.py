"""What stock does about orders and money. The shop in memory and the real one both pass it."""

from dataclasses import replace
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from catalog.domain.product import ProductStatus
from catalog.domain.stock import Reason
from catalog.use_cases import commands, event_handlers
from catalog.use_cases.errors import KeyReused, NotEnoughStock, TooEarly
from catalog.use_cases.ports import UnitOfWork
from oja_events.contracts import Event, SkuQuantity
from oja_events.contracts.catalog import (
    ProductArchived,
    ProductChanged,
    Shortage,
    StockCommitted,
    StockLow,
    StockRejected,
    StockReleased,
    StockReplenished,
    StockReserved,
)
from tests.unit.catalog.builders import (
    a_sku,
    a_variant,
    offer,
    order_cancelled,
    order_placed,
    payment_confirmed,
)


class Shop(Protocol):
    def uow(self) -> UnitOfWork: ...

    def told(self) -> list[Event]: ...

    def level(self, sku: str) -> tuple[int, int]:
        """On hand and reserved."""

    def movements(self, sku: str) -> list[tuple[str, int]]:
        """Reason and delta, oldest first."""


def in_stock(shop: Shop, quantity: int, threshold: int = 0) -> str:
    """A SKU of which there are so many."""
    sku = a_sku()
    offer(shop.uow(), a_variant(sku, stock=quantity, threshold=threshold))
    return sku


def place(shop: Shop, wanted: dict[str, int], order_id: UUID | None = None) -> UUID:
    order_id = order_id or uuid4()
    event_handlers.order_placed(order_placed(order_id, wanted), uow=shop.uow())
    return order_id


def cancel(shop: Shop, order_id: UUID) -> None:
    event_handlers.order_cancelled(order_cancelled(order_id), uow=shop.uow())


def pay(shop: Shop, order_id: UUID) -> None:
    event_handlers.payment_confirmed(payment_confirmed(order_id), uow=shop.uow())


def adjust(shop: Shop, sku: str, delta: int, key: str | None = None) -> None:
    commands.adjust_stock(
        sku, delta, Reason.CORRECTION, note="counted", by="staff", key=key, uow=shop.uow()
    )


def news(shop: Shop, *kinds: type[Event]) -> list[Event]:
    return [event for event in shop.told() if isinstance(event, kinds)]


class StockContract:
    """Subclasses provide a fixture `shop`, empty of news."""

    def test_every_line_of_an_order_is_held(self, shop):
        cloth, beads = sorted([in_stock(shop, 5), in_stock(shop, 3)])

        order_id = place(shop, {cloth: 2, beads: 3})

        assert shop.level(cloth)[1] == 2
        assert shop.level(beads)[1] == 3
        [reserved] = news(shop, StockReserved, StockRejected)
        assert reserved.order_id == order_id
        assert reserved.lines == (
            SkuQuantity(sku=cloth, quantity=2),
            SkuQuantity(sku=beads, quantity=3),
        )

    def test_one_short_line_leaves_all_lines_free(self, shop):
        plenty, scarce = in_stock(shop, 50), in_stock(shop, 2)

        place(shop, {plenty: 4, scarce: 3})

        assert shop.level(plenty) == (50, 0)
        assert shop.level(scarce) == (2, 0)
        [rejected] = news(shop, StockReserved, StockRejected)
        assert rejected.shortages == (Shortage(sku=scarce, requested=3, available=2),)

    def test_what_nobody_sells_is_short(self, shop):
        place(shop, {"NEVER-HEARD-OF": 1})

        [rejected] = news(shop, StockRejected)
        assert rejected.shortages == (Shortage(sku="NEVER-HEARD-OF", requested=1, available=0),)

    @pytest.mark.parametrize("status", [ProductStatus.DRAFT, ProductStatus.ARCHIVED])
    def test_what_is_not_published_is_short(self, shop, status):
        sku = a_sku()
        offer(shop.uow(), a_variant(sku, stock=9), status=status)

        place(shop, {sku: 1})

        [rejected] = news(shop, StockRejected)
        assert rejected.shortages == (Shortage(sku=sku, requested=1, available=0),)

    def test_a_variant_that_was_taken_out_is_short_until_it_is_back(self, shop):
        gone, stays = a_variant(stock=9, size="M"), a_variant(stock=9, size="L")
        product_id = offer(shop.uow(), gone, stays)
        change(shop, product_id, variants=(stays,))

        place(shop, {gone.variant.sku: 1})
        change(shop, product_id, variants=(stays, gone))
        place(shop, {gone.variant.sku: 1})

        assert len(news(shop, StockRejected)) == len(news(shop, StockReserved)) == 1
        assert shop.level(gone.variant.sku) == (9, 1)

    def test_an_order_that_is_told_twice_is_held_once(self, shop):
        sku = in_stock(shop, 5)

        order_id = place(shop, {sku: 2})
        place(shop, {sku: 2}, order_id)

        assert shop.level(sku) == (5, 2)
        assert len(news(shop, StockReserved)) == 1

    def test_two_lines_of_one_sku_count_together(self, shop):
        sku = in_stock(shop, 5)
        event = order_placed(uuid4(), {sku: 3})

        event_handlers.order_placed(replace(event, lines=event.lines * 2), uow=shop.uow())

        [rejected] = news(shop, StockRejected)
        assert rejected.shortages == (Shortage(sku=sku, requested=6, available=5),)

    def test_an_order_that_was_cancelled_first_holds_nothing_and_gets_no_answer(self, shop):
        sku = in_stock(shop, 5)
        order_id = uuid4()

        cancel(shop, order_id)
        place(shop, {sku: 2}, order_id)

        assert shop.level(sku) == (5, 0)
        assert not news(shop, StockReserved, StockRejected, StockReleased)

    def test_a_cancellation_frees_what_is_held_once(self, shop):
        sku = in_stock(shop, 5)
        order_id = place(shop, {sku: 2})

        cancel(shop, order_id)
        cancel(shop, order_id)

        assert shop.level(sku) == (5, 0)
        assert shop.movements(sku) == [("initial", 5)]
        [released] = news(shop, StockReleased)
        assert released.lines == (SkuQuantity(sku=sku, quantity=2),)

    def test_a_cancellation_after_the_payment_puts_it_back_on_the_shelf_once(self, shop):
        sku = in_stock(shop, 5)
        order_id = place(shop, {sku: 2})
        pay(shop, order_id)

        cancel(shop, order_id)
        cancel(shop, order_id)

        assert shop.level(sku) == (5, 0)
        assert shop.movements(sku) == [("initial", 5), ("sale", -2), ("return", 2)]
        assert len(news(shop, StockReleased)) == 1

    def test_a_rejected_order_has_nothing_to_free(self, shop):
        sku = in_stock(shop, 1)
        order_id = place(shop, {sku: 2})

        cancel(shop, order_id)

        assert shop.level(sku) == (1, 0)
        assert not news(shop, StockReleased)

    def test_a_payment_sells_what_is_held_once(self, shop):
        sku = in_stock(shop, 5)
        order_id = place(shop, {sku: 2})

        pay(shop, order_id)
        pay(shop, order_id)

        assert shop.level(sku) == (3, 0)
        assert shop.movements(sku) == [("initial", 5), ("sale", -2)]
        [committed] = news(shop, StockCommitted)
        assert committed.lines == (SkuQuantity(sku=sku, quantity=2),)

    def test_a_payment_ahead_of_its_order_comes_again_later(self, shop):
        sku = in_stock(shop, 5)
        order_id = uuid4()

        with pytest.raises(TooEarly):
            pay(shop, order_id)
        place(shop, {sku: 2}, order_id)
        pay(shop, order_id)

        assert shop.level(sku) == (3, 0)

    def test_a_payment_after_the_cancellation_sells_nothing(self, shop):
        sku = in_stock(shop, 5)
        order_id = place(shop, {sku: 2})
        cancel(shop, order_id)

        pay(shop, order_id)

        assert shop.level(sku) == (5, 0)
        assert not news(shop, StockCommitted)

    def test_a_payment_for_a_rejected_order_sells_nothing(self, shop):
        sku = in_stock(shop, 1)
        order_id = place(shop, {sku: 2})

        pay(shop, order_id)

        assert shop.level(sku) == (1, 0)
        assert not news(shop, StockCommitted)

    def test_staff_hear_once_per_crossing_that_stock_is_low_or_well_again(self, shop):
        sku = in_stock(shop, 7, threshold=5)

        place(shop, {sku: 1})
        assert not news(shop, StockLow)

        crossing = place(shop, {sku: 1})
        place(shop, {sku: 1})
        assert [low.available for low in news(shop, StockLow)] == [5]

        pay(shop, crossing)
        adjust(shop, sku, 1)
        assert not news(shop, StockReplenished)

        adjust(shop, sku, 4)
        assert [well.available for well in news(shop, StockReplenished)] == [9]

        place(shop, {sku: 4})
        assert [low.available for low in news(shop, StockLow)] == [5, 5]

    def test_only_selling_out_and_coming_back_is_told_about_the_product(self, shop):
        sku = in_stock(shop, 3)

        place(shop, {sku: 1})
        last = place(shop, {sku: 2})
        cancel(shop, last)

        changes = news(shop, ProductChanged)
        assert [change.variants[0].available for change in changes] == [3, 0, 2]
        assert [change.version for change in changes] == [1, 2, 3]

    def test_an_adjustment_is_told_about_the_product(self, shop):
        sku = in_stock(shop, 3)

        adjust(shop, sku, 5)

        assert shop.movements(sku) == [("initial", 3), ("correction", 5)]
        assert [change.variants[0].available for change in news(shop, ProductChanged)] == [3, 8]

    def test_an_adjustment_that_is_sent_twice_is_made_once(self, shop):
        sku, other = in_stock(shop, 3), in_stock(shop, 3)

        adjust(shop, sku, 5, key="monday")
        adjust(shop, sku, 5, key="monday")
        adjust(shop, other, 5, key="monday")
        adjust(shop, sku, 5)

        assert shop.level(sku) == (13, 0)
        assert shop.level(other) == (8, 0)
        with pytest.raises(KeyReused):
            adjust(shop, sku, 6, key="monday")

    def test_what_is_promised_to_customers_cannot_be_taken_away(self, shop):
        sku = in_stock(shop, 3)
        place(shop, {sku: 2})

        with pytest.raises(NotEnoughStock):
            adjust(shop, sku, -2)

        assert shop.level(sku) == (3, 2)
        adjust(shop, sku, -1)
        assert shop.level(sku) == (2, 2)

    def test_an_archived_product_keeps_what_is_held_for_its_orders(self, shop):
        sku = a_sku()
        product_id = offer(shop.uow(), a_variant(sku, stock=3))
        order_id = place(shop, {sku: 1})

        commands.archive_product(product_id, precondition=lambda _: None, uow=shop.uow())
        pay(shop, order_id)

        assert shop.level(sku) == (2, 0)
        [archived] = news(shop, ProductArchived)
        assert archived.skus == (sku,)


def change(shop: Shop, product_id: UUID, **draft: object) -> None:
    commands.change_product(
        product_id,
        draft,  # type: ignore[arg-type]
        by="staff",
        currency="NGN",
        precondition=lambda _: None,
        uow=shop.uow(),
    )
