"""kill -9 of each process while orders are placed, paid and cancelled: each order is decided within
a minute, paid and sold, or cancelled with the money back. Paystack's own books judge."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.chaos.test_demo_under_fire import pid_of
from tests.support.buying import PRICE, WITHIN, buy, kept, levels, order
from tests.support.shop import Customer, Shop
from tests.support.waiting import wait_until

ROUNDS = 3
CUSTOMERS = 4
STOCK = 100
LONGEST_JOURNEY = 1.5  # seconds on a quiet machine: kills come at any moment of it
VICTIMS = [
    "ordering-http-1",
    "ordering-worker-1",
    "ordering-consumer-1",
    "catalog-worker-1",
    "catalog-consumer-1",
    "payments-http-1",
    "payments-worker-1",
    "payments-consumer-1",
    "rabbitmq",
    "postgres",
    "redis",
    "gateway",
    "sandbox",
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("victim", VICTIMS)
def test_whoever_dies_every_order_is_decided_within_a_minute(shop: Shop, victim: str) -> None:
    sku = shop.staff.new_product(stock=STOCK, price=PRICE)
    customers = [shop.customer() for _ in range(CUSTOMERS)]
    moments = Random(victim)  # noqa: S311  the same moments in every run
    sold = 0

    for _ in range(ROUNDS):
        for customer in customers:
            customer.put_in_cart(sku)
        orders = shop_under_fire(shop, customers, victim, moments.uniform(0, LONGEST_JOURNEY))
        healed = time.monotonic() + WITHIN
        outcomes = [decided(shop, *pair, healed) for pair in zip(customers, orders, strict=True)]
        sold += outcomes.count("paid")

    wait_until(
        lambda: levels(shop, sku) == (STOCK - sold, 0), timeout=WITHIN, what=f"{sold} are sold"
    )


def shop_under_fire(shop: Shop, customers: list[Customer], victim: str, delay: float) -> list[str]:
    """Let all of them buy, every second one with second thoughts; the ids of their orders. The
    victim dies after `delay` seconds and is back when this returns."""
    pid = pid_of(shop, victim)
    with ThreadPoolExecutor(len(customers)) as pool:
        journeys = [
            pool.submit(buy, customer, second_thoughts=bool(number % 2))
            for number, customer in enumerate(customers)
        ]
        time.sleep(delay)  # not for a condition: the moment is the point
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: pid_of(shop, victim) not in (0, pid), timeout=WITHIN, what=f"{victim} is back"
        )
        return [journey.result() for journey in journeys]


def decided(shop: Shop, customer: Customer, order_id: str, healed: float) -> str:
    """Which of the two ways it ended."""

    def outcome() -> str | None:
        seen = order(customer, order_id)
        ends = {("processing", "paid", PRICE): "paid", ("cancelled", "refunded", 0): "refunded"}
        return ends.get((seen["status"], seen["payment_status"], kept(shop, order_id)))

    left = max(1.0, healed - time.monotonic())
    return wait_until(outcome, timeout=left, what=f"a decision about {order_id}")
