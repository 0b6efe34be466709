"""A process dies at each of the named places, the first time that it is passed, the second and the
third, and the order ends as if it had not. The table of it is shown at the end of the run."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from typing import Any

import psycopg2
import pytest
from kombu import Connection, Exchange, Producer

from tests.chaos.test_demo_under_fire import pid_of
from tests.sabotage.crashing import Crashes, crashing, is_ready, oja
from tests.support.buying import PRICE, buy, kept, levels
from tests.support.shop import Customer, Shop
from tests.support.waiting import wait_until

WITHIN = 60.0
STOCK = 10
TIMES = 3  # of those that a journey passes one point; more are alike
MAILS = ("order_received", "payment_confirmed", "order_shipped", "order_completed")
TIME_IS_UP = """
    UPDATE payments.orders SET pay_before = now(), next_look_at = now()
    WHERE order_id = %s AND next_look_at IS NOT NULL RETURNING order_id
"""


@pytest.fixture(scope="module")
def crashes(shop: Shop) -> Iterator[Crashes]:
    with crashing(shop) as armed:
        yield armed


def to_the_door(shop: Shop, customer: Customer, sku: str, _crashes: Crashes) -> None:
    """Paid, shipped, completed, and every mail of it."""
    order_id = buy(customer, second_thoughts=False)
    customer.await_status(order_id, "processing", "paid")
    move(shop, order_id, status="shipped", tracking={"carrier": "GIG", "number": "7"})
    move(shop, order_id, status="completed")
    # A mail whose sender died is somebody's again when its shift is over.
    wait_until(
        lambda: set(MAILS) <= set(shop.mails(customer.email)), timeout=150, what="all its mails"
    )
    assert kept(shop, order_id) == PRICE
    await_levels(shop, sku, on_hand=STOCK - 1)


def with_second_thoughts(shop: Shop, customer: Customer, sku: str, _crashes: Crashes) -> None:
    """Paid, then cancelled: the money goes back, and the stock."""
    order_id = buy(customer, second_thoughts=True)
    # Who died was alone with the refund for a minute.
    wait_until(
        lambda: customer.order(order_id)["payment_status"] == "refunded",
        timeout=2 * WITHIN,
        what="the money is back",
        pause=1,
    )
    assert kept(shop, order_id) == 0
    await_levels(shop, sku, on_hand=STOCK)


def out_of_time(shop: Shop, customer: Customer, sku: str, _crashes: Crashes) -> None:
    """Not paid before its deadline."""
    order_id = customer.check_out().json()["id"]
    wait_until(lambda: sql(shop, TIME_IS_UP, order_id), timeout=WITHIN, what="a deadline")
    customer.await_status(order_id, "cancelled")
    await_levels(shop, sku, on_hand=STOCK)


def up_the_ladder(shop: Shop, customer: Customer, sku: str, crashes: Crashes) -> None:
    """News of a product cannot be written for as long as a consumer waits for a lock."""
    with closing(database(shop)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ordering.offers")
        shop.staff.new_product(stock=1)
        wait_until(crashes.has_fired, what="it goes up the ladder")
    to_the_door(shop, customer, sku, crashes)


def given_up(shop: Shop, customer: Customer, sku: str, crashes: Crashes) -> None:
    """The broker puts away a message that had its effect already."""
    [(body,)] = sql(shop, "SELECT envelope FROM catalog.event_log ORDER BY id DESC LIMIT 1")
    with Connection(shop.description["broker"]["admin_url"]) as broker:
        lanes = Exchange("ordering.lanes", "direct")
        Producer(broker.channel(), lanes, auto_declare=False).publish(
            bytes(body), routing_key="parking", content_type="application/json"
        )
    wait_until(crashes.has_fired, what="it is put away")
    to_the_door(shop, customer, sku, crashes)


def with_a_new_leader(shop: Shop, customer: Customer, sku: str, crashes: Crashes) -> None:
    """The next relay that takes the lead dies of it."""
    oja(shop, "restart", "ordering.worker")
    to_the_door(shop, customer, sku, crashes)


def without_a_broker(shop: Shop, customer: Customer, sku: str, crashes: Crashes) -> None:
    """The feeds bring what the broker cannot."""
    os.kill(pid_of(shop, "rabbitmq"), signal.SIGKILL)
    to_the_door(shop, customer, sku, crashes)


def move(shop: Shop, order_id: str, **wanted: Any) -> None:
    path = f"/api/admin/orders/{order_id}"

    def moved() -> bool:
        seen = shop.staff.get(path)
        if seen.status_code != 200:
            return False
        if seen.json()["status"] == wanted["status"]:
            return True
        answer = shop.staff.patch(path, wanted, If_Match=seen.headers["ETag"])
        return answer.status_code == 200

    wait_until(moved, timeout=WITHIN, what=f"the order is {wanted['status']}")


def await_levels(shop: Shop, sku: str, *, on_hand: int) -> None:
    wait_until(
        lambda: levels(shop, sku) == (on_hand, 0), timeout=WITHIN, what=f"{on_hand} are left"
    )


def database(shop: Shop) -> Any:
    return psycopg2.connect(shop.description["postgres"]["superuser_dsn"])


def sql(shop: Shop, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(database(shop)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


Journey = Callable[[Shop, Customer, str, Crashes], None]
JOURNEYS: dict[str, Journey] = {
    "relay.1": with_a_new_leader,
    "pay.6": with_second_thoughts,
    "saga.1": out_of_time,
    "retry.1": up_the_ladder,
    "drain.1": given_up,
    "feed.1": without_a_broker,
    "feed.2": without_a_broker,
}
CASES = [
    ("web.1", "ordering"),
    ("web.2", "ordering"),
    *((f"relay.{n}", "ordering") for n in range(1, 8)),
    *((f"relay.{n}", "payments") for n in (4, 6)),
    *((f"cons.{n}", "catalog") for n in range(1, 6)),
    *((f"cons.{n}", "ordering") for n in (3, 4)),
    *((f"cons.{n}", "payments") for n in (3, 4)),
    *((f"cons.{n}", "notifier") for n in (3, 4)),
    ("retry.1", "ordering"),
    ("drain.1", "ordering"),
    ("feed.1", "ordering"),
    ("feed.2", "ordering"),
    ("saga.1", "payments"),
    ("work.1", "payments"),
    ("work.2", "payments"),
    *((f"pay.{n}", "payments") for n in range(1, 7)),
    *((f"mail.{n}", "notifier") for n in range(1, 6)),
]


@pytest.fixture(scope="module")
def passed(shop: Shop, crashes: Crashes) -> Callable[[str, str], int]:
    """How often the journey of a point passes it, counted in one in which nobody dies."""

    @cache
    def counted(journey: Journey, point: str, service: str) -> Counter[tuple[str, str]]:
        crashes.watch(point, service)
        journey(shop, *shopping(shop), crashes)
        return crashes.passed()

    def times(point: str, service: str) -> int:
        journey = JOURNEYS.get(point, to_the_door)
        # All who go the same way share one count.
        first = next(case for case in CASES if JOURNEYS.get(case[0], to_the_door) is journey)
        return counted(journey, *first)[point, service]

    return times


def shopping(shop: Shop) -> tuple[Customer, str]:
    """A customer who has something in the cart, and its SKU."""
    sku = shop.staff.new_product(stock=STOCK, price=PRICE)
    customer = shop.customer()
    customer.put_in_cart(sku)
    return customer, sku


@pytest.mark.timeout(600)
@pytest.mark.parametrize("time", range(1, TIMES + 1))
@pytest.mark.parametrize(("point", "service"), CASES, ids=lambda value: str(value))
def test_whoever_dies_at_this_point_the_order_ends_well(
    shop: Shop,
    crashes: Crashes,
    passed: Callable[[str, str], int],
    point: str,
    service: str,
    time: int,
) -> None:
    if time > 1 and (often := passed(point, service)) < time:
        pytest.skip(f"the journey passes it {often} times")
    customer, sku = shopping(shop)

    crashes.arm(point, service, time)
    JOURNEYS.get(point, to_the_door)(shop, customer, sku, crashes)

    # How often a relay or a consumer comes by depends on what it finds to do at once.
    if not crashes.has_fired() and time > 1:
        pytest.skip("the journey passed it less often this time")
    assert crashes.has_fired(), f"nobody came by {point}"
    wait_until(lambda: is_ready(shop), timeout=60, what="everybody is back", pause=1)
