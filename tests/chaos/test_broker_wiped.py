"""The broker's data directory is deleted while people order: nothing is lost, nobody has to act."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.chaos.test_demo_under_fire import pid_of
from tests.support.shop import AT_REGISTRATION, Customer, Shop
from tests.support.waiting import wait_until

CUSTOMERS = 4
ORDERS_OF_EACH = 6
STOCK = 1000
SETTLED_WITHIN = 120.0


def test_every_order_ends_well_although_the_broker_lost_all_that_it_had(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=STOCK)
    customers = [shop.customer() for _ in range(CUSTOMERS)]
    before = pid_of(shop, "rabbitmq")

    with ThreadPoolExecutor(CUSTOMERS) as people:
        shopping = [people.submit(go_shopping, shop, customer, sku) for customer in customers]
        wait_until(
            lambda: sum(map(orders_of, customers)) >= CUSTOMERS * ORDERS_OF_EACH // 3, timeout=60
        )
        wipe_broker(shop)
        placed = [trip.result() for trip in shopping]

    for customer, orders in zip(customers, placed, strict=True):
        for order_id in orders:
            wait_until(lambda c=customer, o=order_id: is_paid(c.order(o)), timeout=SETTLED_WITHIN)
        expect_mails(shop, customer)
    bought = CUSTOMERS * ORDERS_OF_EACH
    wait_until(lambda: stock(shop, sku) == (STOCK - bought, 0), timeout=SETTLED_WITHIN)
    wait_until(lambda: pid_of(shop, "rabbitmq") not in (0, before), timeout=SETTLED_WITHIN)


def go_shopping(shop: Shop, customer: Customer, sku: str) -> list[str]:
    """Order one after the other and pay each; what was ordered."""
    orders = []
    for _ in range(ORDERS_OF_EACH):
        order_id = customer.buy(sku)["id"]
        wait_until(lambda o=order_id: pays(shop, customer, o), timeout=SETTLED_WITHIN)
        orders.append(order_id)
    return orders


def pays(shop: Shop, customer: Customer, order_id: str) -> bool:
    """Press Pay once the stock is held."""
    if customer.start_payment(order_id).status_code != 201:
        return False
    shop.pay(customer, order_id)
    return True


def wipe_broker(shop: Shop) -> None:
    """Delete all that the broker keeps, under the running broker, and do no more."""
    shutil.rmtree(Path(shop.description["home"]) / "data" / "rabbitmq", ignore_errors=True)


def orders_of(customer: Customer) -> int:
    return len(customer.get("/api/orders", size=100).json()["items"])


def is_paid(order: Any) -> bool:
    return (order["status"], order["payment_status"]) == ("processing", "paid")


def stock(shop: Shop, sku: str) -> tuple[int, int]:
    found = shop.staff.stock(sku)
    return found["available"], found["reserved"]


def expect_mails(shop: Shop, customer: Customer) -> None:
    """Each mail once, for each order."""
    expected = Counter(AT_REGISTRATION) + Counter(
        {"order_received": ORDERS_OF_EACH, "payment_confirmed": ORDERS_OF_EACH}
    )
    wait_until(
        lambda: Counter(shop.mails(customer.email)) >= expected,
        timeout=SETTLED_WITHIN,
        what=f"{expected} at {customer.email}",
    )
    assert Counter(shop.mails(customer.email)) == expected
