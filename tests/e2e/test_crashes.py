"""A process dies where it hurts most, while an order goes its way: a few of the points of the crash
sweep, all of which are in tests/chaos."""

from collections.abc import Iterator

import pytest

from tests.sabotage.crashing import Crashes, crashing, is_ready
from tests.support.buying import PRICE, WITHIN, buy, kept, levels, order
from tests.support.shop import Shop
from tests.support.waiting import wait_until

STOCK = 5
# Committed and not answered; confirmed and not deleted; done and not acknowledged; the webhook
# kept and not applied.
POINTS = [
    ("web.2", "ordering"),
    ("relay.6", "ordering"),
    ("cons.4", "ordering"),
    ("pay.4", "payments"),
]


@pytest.fixture(scope="module")
def crashes(shop: Shop) -> Iterator[Crashes]:
    with crashing(shop, ("ordering", "payments")) as armed:
        yield armed


@pytest.mark.parametrize(("point", "service"), POINTS)
def test_an_order_is_paid_once_although_somebody_dies(
    shop: Shop, crashes: Crashes, point: str, service: str
) -> None:
    sku = shop.staff.new_product(stock=STOCK, price=PRICE)
    customer = shop.customer()
    customer.put_in_cart(sku)

    crashes.arm(point, service)
    order_id = buy(customer, second_thoughts=False)

    wait_until(lambda: order(customer, order_id)["payment_status"] == "paid", timeout=WITHIN)
    wait_until(lambda: levels(shop, sku) == (STOCK - 1, 0), timeout=WITHIN, what="one is sold")
    assert kept(shop, order_id) == PRICE
    wait_until(crashes.has_fired, timeout=WITHIN, what=f"somebody came by {point}")
    wait_until(lambda: is_ready(shop), timeout=2 * WITHIN, what="everybody is back", pause=1)
