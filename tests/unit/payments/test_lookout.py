"""Waiting together until an order is as it is needed."""

import threading
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from payments.adapters.lookout import Lookout
from payments.domain.order import ClosedReason, Order, OrderState
from payments.use_cases.ports import Standing
from tests.unit.payments.fakes import NOW, a_bill, an_order

LONG = 30.0


class Database:
    """Orders, and who was looked for in them each time."""

    def __init__(self, *orders: Order) -> None:
        self.orders = {order.id: order for order in orders}
        self.looks: list[set[UUID]] = []
        self.away = False
        self.looked = threading.Event()

    @contextmanager
    def at_once(self) -> Iterator[Any]:
        yield SimpleNamespace(orders=self)

    def look(self, order_ids: Collection[UUID]) -> dict[UUID, Standing]:
        self.looks.append(set(order_ids))
        self.looked.set()
        if self.away:
            raise ConnectionError
        return {
            order_id: Standing(self.orders[order_id], None, NOW)
            for order_id in order_ids
            if order_id in self.orders
        }


def lookout(database: Any) -> Lookout:
    return Lookout(database, places=8, every=0.001)


def ready(seen: Standing) -> bool:
    return not seen.order.misses_news


def test_who_waits_hears_of_it_once_the_stock_is_held():
    order = an_order(state=OrderState.WAITING)
    database = Database(order)

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(lookout(database).wait, order.id, LONG, ready)
        assert database.looked.wait(LONG)
        assert not waiting.done()
        order.hold_stock()
        seen = waiting.result(LONG)

    assert seen == Standing(order, None, NOW)


def test_an_order_that_is_closed_needs_no_more_news():
    order = Order(id=a_bill().order_id)
    order.close(ClosedReason.OUT_OF_STOCK)

    assert lookout(Database(order)).wait(order.id, LONG, ready) is not None


def test_nobody_waits_for_longer_than_he_wants_to():
    assert lookout(Database()).wait(a_bill().order_id, 0.01, ready) is None


def test_all_who_wait_share_one_look():
    orders = [an_order() for _ in range(8)]
    database = Database(*orders)
    here = Lookout(database, places=8, every=3)

    with ThreadPoolExecutor(len(orders)) as pool:
        list(pool.map(lambda order: here.wait(order.id, LONG, ready), orders))

    assert database.looks == [{order.id for order in orders}]


def test_two_may_wait_for_the_same_order():
    order = an_order()
    here = Lookout(Database(order), places=2, every=0.1)

    with ThreadPoolExecutor(2) as pool:
        seen = list(pool.map(lambda _: here.wait(order.id, LONG, ready), range(2)))

    assert None not in seen


def test_who_finds_no_place_is_not_kept():
    order = an_order(state=OrderState.WAITING)
    database = Database(order)
    here = Lookout(database, places=1, every=0.001)

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(here.wait, order.id, LONG, ready)
        assert database.looked.wait(LONG)
        assert here.wait(order.id, LONG, ready) is None
        order.hold_stock()
        assert waiting.result(LONG) is not None

    assert here.wait(order.id, LONG, ready) is not None, "the place is free again"


def test_while_the_database_is_away_nobody_waits_in_vain_and_later_ones_are_looked_for_again():
    order = an_order()
    database = Database(order)
    here = lookout(database)
    database.away = True

    with pytest.raises(ConnectionError):
        here.wait(order.id, LONG, ready)

    database.away = False
    assert here.wait(order.id, LONG, ready) is not None
