"""Paystack takes its time. Who needs it waits or is told to come back; nobody else notices."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import requests

from tests.support.shop import Customer, Shop
from tests.support.waiting import wait_until

HANGS = 20  # seconds: longer than anybody here waits
PAUSE = 0.02
SOON = 4.0  # less than one call to it may take
MANY = 30  # more than payments has threads


@pytest.fixture
def bola(shop: Shop) -> Customer:
    return shop.customer()


@pytest.fixture
def slow_paystack(shop: Shop) -> Iterator[None]:
    fault = {"provider": "paystack", "fault": "hang", "seconds": HANGS, "times": 0}
    shop.control("POST", "/faults", json=fault)
    yield
    shop.control("DELETE", "/faults")


@pytest.fixture
def to_pay(shop: Shop) -> list[tuple[Customer, str]]:
    """Customers with orders whose stock is held."""
    sku = shop.staff.new_product(stock=MANY)
    customers = [shop.customer() for _ in range(MANY)]
    orders = [(customer, customer.buy(sku)["id"]) for customer in customers]
    wait_until(lambda: shop.staff.stock(sku)["reserved"] == MANY)
    return orders


def test_many_who_pay_at_a_slow_paystack_take_no_thread_from_others(
    shop: Shop, bola: Customer, to_pay: list[tuple[Customer, str]], slow_paystack: None
) -> None:
    with ThreadPoolExecutor(MANY) as pool:
        paying = [pool.submit(customer.start_payment, order) for customer, order in to_pay]
        answers = []
        # With a pause: on a fast machine LIMIT_SIGNED_IN would be reached before they are done.
        while wait(paying, timeout=PAUSE).not_done:
            answers += [bola.get("/api/payments"), forged(shop)]

    assert {answer.status_code for answer in answers} == {200, 401}
    assert max(answer.elapsed.total_seconds() for answer in answers) < SOON
    assert {each.result().status_code for each in paying} <= {409, 503}

    shop.control("DELETE", "/faults")
    customer, order = to_pay[0]
    # Until the first try has given up the payment, and the circuit breaker lets somebody ask.
    wait_until(lambda: customer.start_payment(order).status_code == 201, timeout=60, pause=2)


def forged(shop: Shop) -> requests.Response:
    """A webhook, which must get its answer at once."""
    body = {"event": "charge.success", "data": {"reference": "nothing"}}
    return shop.visitor().post("/api/paystack/webhook", body, x_paystack_signature="0" * 128)
