"""Buying as a customer does whose program repeats what got no answer; and what came of it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import requests

from tests.support.shop import TIMEOUT, Customer, Shop
from tests.support.waiting import wait_until

PRICE = 450_000
WITHIN = 60.0


def buy(customer: Customer, *, second_thoughts: bool) -> str:
    """Check out what is in the cart and pay, always under the same keys; the id of the order."""
    at_checkout, to_pay = uuid4().hex, uuid4().hex
    order: str = insist(lambda: customer.check_out(at_checkout), 201).json()["id"]
    payment = insist(
        lambda: customer.post("/api/pay", {"order_id": order}, Idempotency_Key=to_pay), 201
    )
    page = payment.json()["authorization_url"]
    pay = {"choice": "pay"}
    insist(lambda: requests.post(page, pay, allow_redirects=False, timeout=TIMEOUT), 200, 302)
    if second_thoughts:
        insist(lambda: customer.post(f"/api/orders/{order}/cancel"), 200)
    return order


def insist(ask: Callable[[], requests.Response], *good: int) -> requests.Response:
    """Ask again while nobody answers or the answer asks for patience."""

    def answered() -> requests.Response | None:
        try:
            answer = ask()
        except requests.RequestException:
            return None
        if answer.status_code in good:
            return answer
        assert answer.status_code >= 500 or "Retry-After" in answer.headers, answer.text
        return None

    return wait_until(answered, timeout=WITHIN, what=f"an answer {good}", pause=1)


def order(customer: Customer, order_id: str) -> Any:
    """What the customer sees of it, now or as soon as somebody answers."""
    return insist(lambda: customer.get(f"/api/orders/{order_id}"), 200).json()


def kept(shop: Shop, order_id: str) -> int:
    """What the shop has of an order's money, by Paystack's books."""
    books: Any = shop.control("GET", "/books")
    captured = {
        each["reference"]: each["amount"]
        for each in books["transactions"]
        if each["status"] in ("success", "reversed") and order_of(each) == order_id
    }
    back = sum(
        each["amount"]
        for each in books["refunds"]
        if each["status"] == "processed" and each["transaction_reference"] in captured
    )
    return sum(captured.values()) - int(back)


def order_of(transaction: Any) -> str | None:
    metadata = transaction["metadata"]
    return metadata.get("order_id") if isinstance(metadata, dict) else None


def levels(shop: Shop, sku: str) -> tuple[int, int]:
    stock = shop.staff.stock(sku)
    return stock["on_hand"], stock["reserved"]
