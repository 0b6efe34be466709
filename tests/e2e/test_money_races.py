"""The races of money on the running shop; docs/money-races.md is the table. What is true of money
is read from the books of Paystack's stand-in, not from ours."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import uuid4

import psycopg2
import pytest
import requests

from tests.support.shop import TIMEOUT, Customer, Shop, await_answer
from tests.support.waiting import wait_until

T = TypeVar("T")
PRICE = 450_000


@pytest.fixture
def ada(shop: Shop) -> Customer:
    return shop.customer()


@pytest.fixture
def sku(shop: Shop) -> str:
    """One unit of it."""
    return shop.staff.new_product(stock=1, price=PRICE)


def test_money_that_comes_after_a_cancellation_goes_back(
    shop: Shop, ada: Customer, sku: str
) -> None:
    order = ada.buy(sku)
    reference, page = open_page(ada, order)
    assert ada.post(f"/api/orders/{order['id']}/cancel").status_code == 200

    press_pay(page)

    ada.await_status(order["id"], "cancelled", "refunded")
    assert returned(shop, reference) == [PRICE]
    wait_until(lambda: shop.staff.stock(sku)["available"] == 1)
    await_mails(shop, ada, "order_received", "order_cancelled", "refund_started", "refund_done")


def test_a_cancellation_that_races_with_the_money_ends_in_one_of_two_ways(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=4, price=PRICE)
    customers = [shop.customer() for _ in range(4)]
    orders = [customer.buy(sku) for customer in customers]
    pages = [open_page(*pair) for pair in zip(customers, orders, strict=True)]

    deeds = []
    for customer, order, (_, page) in zip(customers, orders, pages, strict=True):
        deeds += [
            lambda page=page: press_pay(page),
            lambda c=customer, o=order: c.post(f"/api/orders/{o['id']}/cancel"),
        ]
    together(deeds)

    for customer, order, (reference, _) in zip(customers, orders, pages, strict=True):
        customer.await_status(order["id"], "cancelled", "refunded")
        assert returned(shop, reference) == [PRICE]
    wait_until(lambda: shop.staff.stock(sku)["available"] == 4)


def test_a_webhook_that_is_repeated_and_late_pays_once(shop: Shop, ada: Customer, sku: str) -> None:
    order = ada.buy(sku)
    reference, page = open_page(ada, order)
    shop.control(
        "POST",
        "/webhooks/switches",
        json={"repeat": 3, "delay": 1, "event": "charge.success", "reference": reference},
    )

    press_pay(page)

    ada.await_status(order["id"], "processing", "paid")
    wait_until(lambda: len(webhooks(shop, reference)) >= 3)
    assert kinds(ada, order).count("paid") == 1
    assert returned(shop, reference) == []
    await_mails(shop, ada, "order_received", "payment_confirmed")


def test_a_webhook_that_is_lost_is_made_good_by_the_customers_look(
    shop: Shop, ada: Customer, sku: str
) -> None:
    order = ada.buy(sku)
    reference, page = open_page(ada, order)
    drop_webhook(shop, reference)

    press_pay(page)

    assert ada.get(f"/api/payments/{reference}").json()["status"] == "succeeded"
    ada.await_status(order["id"], "processing", "paid")


def test_a_webhook_that_is_lost_is_made_good_by_the_reconciler(
    shop: Shop, ada: Customer, sku: str
) -> None:
    order = ada.buy(sku)
    reference, page = open_page(ada, order)
    drop_webhook(shop, reference)

    press_pay(page)
    a_minute_later(shop, reference)

    ada.await_status(order["id"], "processing", "paid")


def test_money_that_is_less_than_the_order_goes_back_and_staff_hear_of_it(
    shop: Shop, ada: Customer, sku: str
) -> None:
    order = ada.buy(sku)
    reference, page = open_page(ada, order)
    fault = {"provider": "paystack", "fault": "capture_amount", "amount": PRICE - 1}
    shop.control("POST", "/faults", json=fault)

    press_pay(page)

    wait_until(lambda: returned(shop, reference) == [PRICE - 1])
    assert ada.order(order["id"])["payment_status"] == "unpaid"
    wait_until(lambda: alerts(shop, reference))
    await_mails(shop, ada, "order_received", "refund_done")

    again = shop.pay(ada, order["id"])

    ada.await_status(order["id"], "processing", "paid")
    assert returned(shop, again) == []


def test_a_webhook_that_was_altered_pays_nothing_and_staff_hear_of_it(
    shop: Shop, ada: Customer, sku: str
) -> None:
    order = ada.buy(sku)
    reference, page = open_page(ada, order)
    shop.control(
        "POST", "/webhooks/switches", json={"alter": {"amount": 1}, "reference": reference}
    )

    press_pay(page)

    wait_until(lambda: alerts(shop, reference))
    assert ada.order(order["id"])["payment_status"] == "unpaid"
    # The truth, which is that the order is paid, comes out when somebody asks.
    assert ada.get(f"/api/payments/{reference}").json()["status"] == "succeeded"
    ada.await_status(order["id"], "processing", "paid")


def test_of_two_payments_for_one_order_the_second_goes_back(
    shop: Shop, ada: Customer, sku: str
) -> None:
    order = ada.buy(sku)
    first, page = open_page(ada, order)
    shop.control("POST", f"/paystack/transactions/{first}/fail")
    assert ada.get(f"/api/payments/{first}").json()["status"] == "failed"
    second, other_page = open_page(ada, order)

    press_pay(other_page)
    ada.await_status(order["id"], "processing", "paid")
    press_pay(page)

    wait_until(lambda: returned(shop, first) == [PRICE])
    assert returned(shop, second) == []
    order = ada.order(order["id"])
    assert (order["status"], order["payment_status"]) == ("processing", "paid")
    assert shop.staff.stock(sku)["on_hand"] == 0


def test_all_that_staff_send_back_frees_the_stock_of_an_order_that_has_not_left(
    shop: Shop, ada: Customer, sku: str
) -> None:
    order = ada.buy(sku)
    reference = shop.pay(ada, order["id"])
    ada.await_status(order["id"], "processing", "paid")
    path = f"/api/admin/payments/{reference}/refunds"

    for amount in (PRICE // 3, PRICE - PRICE // 3):
        body = {"amount": {"amount": amount, "currency": "NGN"}, "reason": "torn"}
        answer = shop.staff.post(path, body, Idempotency_Key=uuid4().hex)
        assert answer.status_code == 201, answer.text

    ada.await_status(order["id"], "cancelled", "refunded")
    wait_until(lambda: shop.staff.stock(sku)["available"] == 1)
    assert sorted(returned(shop, reference)) == [PRICE // 3, PRICE - PRICE // 3]


def test_twenty_checkouts_of_one_cart_are_one_order(shop: Shop, ada: Customer, sku: str) -> None:
    ada.put_in_cart(sku)

    answers = together([ada.check_out] * 20)

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert len(ada.get("/api/orders").json()["items"]) == 1


def test_of_two_hundred_checkouts_of_the_last_unit_one_is_paid(shop: Shop, sku: str) -> None:
    customers = [shop.customer() for _ in range(8)]
    customers[0].put_in_cart(sku)
    orders: list[tuple[Customer, Any]] = []

    def buy(customer: Customer) -> None:
        """25 times over, as fast as it goes."""
        for _ in range(25):
            if not customer.get("/api/cart").json()["items"]:
                customer.put_in_cart(sku)
            answer = customer.check_out()
            assert answer.status_code in (201, 409), answer.text
            if answer.status_code == 201:
                orders.append((customer, answer.json()))

    together([lambda customer=customer: buy(customer) for customer in customers])
    winners = [pair for pair in orders if has_stock(*pair)]

    assert len(winners) == 1
    ((winner, order),) = winners
    shop.pay(winner, order["id"])
    winner.await_status(order["id"], "processing", "paid")
    wait_until(lambda: shop.staff.stock(sku)["on_hand"] == 0)
    assert shop.staff.stock(sku)["reserved"] == 0


def has_stock(customer: Customer, order: Any) -> bool:
    """Whether the order got the stock, once that is decided."""
    return customer.await_payment(order["id"]).status_code == 201


def await_mails(shop: Shop, customer: Customer, *templates: str) -> None:
    """Wait for these mails; then there must be exactly one of each and no other about orders."""
    of_the_account = {"welcome", "verify_email"}

    def about_orders() -> list[str]:
        mails = shop.mails(customer.email)
        return sorted(name for name in mails if name not in of_the_account)

    wait_until(lambda: set(templates) <= set(about_orders()), what=f"{templates}")
    assert about_orders() == sorted(templates)


def open_page(customer: Customer, order: Any) -> tuple[str, str]:
    """The reference of an opened payment, and the page on which it is paid."""
    payment = await_answer(lambda: customer.start_payment(order["id"]), 201).json()
    return payment["reference"], payment["authorization_url"]


def press_pay(page: str) -> None:
    answer = requests.post(page, data={"choice": "pay"}, allow_redirects=False, timeout=TIMEOUT)
    assert answer.status_code < 400, answer.text


def drop_webhook(shop: Shop, reference: str) -> None:
    switch = {"drop": True, "event": "charge.success", "reference": reference}
    shop.control("POST", "/webhooks/switches", json=switch)


def a_minute_later(shop: Shop, reference: str) -> None:
    """The reconciler's first look is due."""
    connection = psycopg2.connect(shop.description["postgres"]["superuser_dsn"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "UPDATE payments.payments SET next_check_at = now() WHERE reference = %s",
                (reference,),
            )
    finally:
        connection.close()


def webhooks(shop: Shop, reference: str) -> list[Any]:
    items = shop.control("GET", "/webhooks", params={"reference": reference})["items"]
    return [item for item in items if item["event"] == "charge.success"]


def returned(shop: Shop, reference: str) -> list[int]:
    """The sums of a payment that are back, by Paystack's books."""
    refunds = shop.control("GET", "/paystack/refunds")["items"]
    return [
        each["amount"]
        for each in refunds
        if each["transaction_reference"] == reference and each["status"] == "processed"
    ]


def alerts(shop: Shop, about: str) -> list[Any]:
    items = shop.staff.get("/api/admin/alerts", kind="payment").json()["items"]
    return [item for item in items if about in item["title"]]


def kinds(customer: Customer, order: Any) -> list[str]:
    items = customer.get(f"/api/orders/{order['id']}/timeline").json()["items"]
    return [item["type"] for item in items]


def together(deeds: list[Callable[[], T]]) -> list[T]:
    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(lambda deed: deed(), deeds))
