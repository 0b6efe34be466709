"""Stock in Postgres: the common suite, races, and the books."""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from catalog.domain.stock import RELEASE
from catalog.use_cases.errors import NotEnoughStock, TooEarly
from oja_events.contracts.catalog import (
    ProductChanged,
    StockLow,
    StockRejected,
    StockReleased,
    StockReserved,
)
from tests.integration.catalog.conftest import SqlShop
from tests.support.waiting import wait_until
from tests.unit.catalog.stock_contract import (
    StockContract,
    adjust,
    cancel,
    in_stock,
    news,
    pay,
    place,
)


class TestStockInPostgres(StockContract):
    """The fixture `shop` is the real one."""


def at_once(tasks: Iterable[Callable[[], object]]) -> None:
    """Run the tasks in threads that start together; raises what any of them raised."""
    tasks = list(tasks)
    start = Barrier(len(tasks))

    def run(task: Callable[[], object]) -> None:
        start.wait()
        task()

    with ThreadPoolExecutor(len(tasks)) as threads:
        for future in [threads.submit(run, task) for task in tasks]:
            future.result()


def assert_books_are_right(shop: SqlShop, *skus: str) -> None:
    """The counters are what ledger and reservations add up to."""
    rows = shop.rows(
        """
        SELECT sku, on_hand, reserved,
            (SELECT coalesce(sum(delta), 0) FROM stock_movements WHERE sku = stock.sku) AS moved,
            (SELECT coalesce(sum(quantity), 0) FROM reservations
             WHERE sku = stock.sku AND state = 'held') AS held
        FROM stock WHERE sku = ANY(:skus)
        """,
        skus=list(skus),
    )
    assert len(rows) == len(skus)
    for row in rows:
        assert (row.on_hand, row.reserved) == (row.moved, row.held), row.sku


@pytest.mark.parametrize("round_", range(int(os.environ.get("STOCK_ROUNDS", "5"))))
def test_s35_of_a_hundred_buyers_exactly_one_gets_the_last_unit(shop, round_):
    sku = in_stock(shop, 1)

    at_once([lambda: place(shop, {sku: 1})] * 100)

    assert len(news(shop, StockReserved)) == 1
    assert len(news(shop, StockRejected)) == 99
    assert len(news(shop, StockLow)) == 1
    assert shop.level(sku) == (1, 1)
    assert_books_are_right(shop, sku)


def test_buyers_of_the_same_things_in_another_order_do_not_block_each_other(shop):
    skus = [in_stock(shop, 12, threshold=2) for _ in range(3)]
    carts = [random.Random(n).sample(skus, 3) for n in range(20)]  # noqa: S311  # not a secret

    at_once([lambda cart=cart: place(shop, dict.fromkeys(cart, 1)) for cart in carts])

    assert len(news(shop, StockReserved)) == 12
    assert {shop.level(sku) for sku in skus} == {(12, 12)}
    assert Counter(low.sku for low in news(shop, StockLow)) == Counter(skus)
    assert_books_are_right(shop, *skus)


def test_the_news_of_a_product_is_numbered_without_gaps_though_its_variants_race(shop):
    sku = in_stock(shop, 1)

    at_once([lambda: adjust(shop, sku, 1)] * 10 + [lambda: place(shop, {sku: 1})] * 10)

    changes = news(shop, ProductChanged)
    on_hand, reserved = shop.level(sku)
    assert [change.version for change in changes] == list(range(1, len(changes) + 1))
    assert (changes[-1].variants[0].available > 0) == (on_hand > reserved)


def test_an_order_and_its_cancellation_that_arrive_together_hold_nothing(shop):
    sku = in_stock(shop, 100)
    orders = [uuid4() for _ in range(15)]

    at_once(
        [lambda order=order: place(shop, {sku: 1}, order) for order in orders]
        + [lambda order=order: cancel(shop, order) for order in orders]
    )

    assert shop.level(sku) == (100, 0)
    assert len(news(shop, StockReserved)) == len(news(shop, StockReleased))


def test_units_that_come_free_while_an_order_waits_for_them_are_its_own(shop):
    sku = in_stock(shop, 1)
    first, second = place(shop, {sku: 1}), uuid4()

    with ThreadPoolExecutor(1) as threads, shop.uow() as cancelling:
        cancelling.stock.move(first, RELEASE)
        waiting = threads.submit(place, shop, {sku: 1}, second)
        wait_until(lambda: someone_waits_for_a_lock(shop))
        cancelling.commit()
        waiting.result()

    assert [reserved.order_id for reserved in news(shop, StockReserved)] == [first, second]
    assert_books_are_right(shop, sku)


def someone_waits_for_a_lock(shop: SqlShop) -> bool:
    return bool(
        shop.rows(
            "SELECT FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
    )


def test_s35_the_same_news_in_many_threads_counts_once(shop):
    sku, order_id = in_stock(shop, 10), uuid4()

    at_once([lambda: place(shop, {sku: 2}, order_id)] * 8)
    at_once([lambda: pay(shop, order_id)] * 8)
    assert shop.level(sku) == (8, 0)

    at_once([lambda: cancel(shop, order_id)] * 8)
    assert shop.level(sku) == (10, 0)
    assert shop.movements(sku) == [("initial", 10), ("sale", -2), ("return", 2)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_in_whatever_order_the_books_stay_right(shop, seed):
    skus = [in_stock(shop, 8, threshold=3) for _ in range(3)]
    orders = [uuid4() for _ in range(24)]

    def life(worker: int) -> None:
        chance = random.Random(seed * 100 + worker)  # noqa: S311  # not a secret
        for _ in range(30):
            something_happens(shop, chance, skus, orders)

    at_once([lambda worker=worker: life(worker) for worker in range(6)])

    assert_books_are_right(shop, *skus)


def something_happens(shop, chance, skus, orders):
    order_id = chance.choice(orders)
    wanted = {sku: chance.randint(1, 3) for sku in chance.sample(skus, chance.randint(1, 3))}
    deed = chance.choice(
        [
            lambda: place(shop, wanted, order_id),
            lambda: place(shop, wanted, order_id),
            lambda: pay(shop, order_id),
            lambda: cancel(shop, order_id),
            lambda: adjust(shop, chance.choice(skus), chance.choice([-3, -1, 2, 5])),
        ]
    )
    try:
        deed()
    except (TooEarly, NotEnoughStock):
        return


@pytest.mark.parametrize("change", ["on_hand = -1", "reserved = -1", "reserved = on_hand + 1"])
def test_s34_the_database_itself_refuses_impossible_counters(shop, change):
    sku = in_stock(shop, 5)

    with pytest.raises(IntegrityError), shop.engine.begin() as connection:
        connection.execute(text(f"UPDATE stock SET {change} WHERE sku = :sku"), {"sku": sku})
