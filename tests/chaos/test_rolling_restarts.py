"""A service is restarted while people shop and staff work: no request gets another answer than it
was to get, and no news is lost. A POST is sent once: repeated, it would make a difference."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import requests

from stack.services import SERVICES
from tests.chaos.test_demo_under_fire import status
from tests.support.shop import TIMEOUT, Client, Customer, Shop
from tests.support.stack import oja
from tests.support.waiting import wait_until

CUSTOMERS = 4
STOCK = 10_000
WITHIN = 240.0  # seconds for what customers wait for while a consumer starts anew on a busy machine
# Connections rest between two requests as they do in life, some until the gateway closes them.
LONGEST_PAUSE = 0.4


@dataclass
class Crowd:
    """Who uses the shop until `enough`. `answers` counts by request and status; `orders` are those
    that were paid, of whom."""

    shop: Shop
    sku: str
    enough: threading.Event = field(default_factory=threading.Event)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    orders: list[tuple[Customer, str]] = field(default_factory=list)

    def asked(self, what: str, ask: Callable[[], requests.Response], *good: int) -> Any:
        """The answer to a request that is sent once."""
        answer = ask()
        self.answers[what, answer.status_code] += 1
        assert answer.status_code in good, f"{what}: {answer.status_code} {answer.text}"
        return answer.json()

    def rest(self, moments: Random) -> None:
        self.enough.wait(moments.uniform(0, LONGEST_PAUSE))

    def shopping(self, customer: Customer, moments: Random) -> None:
        """Look around, order, pay, again and again."""
        while not self.enough.is_set():
            self.asked("browse", lambda: customer.get(f"/api/products?q={self.sku}"), 200)
            self.rest(moments)
            self.asked("account", lambda: customer.get("/api/auth/me"), 200)
            self.rest(moments)
            item = {"sku": self.sku, "quantity": 1}
            self.asked("cart", lambda: customer.post("/api/cart/items", item), 200)  # noqa: B023
            self.rest(moments)
            order = self.asked("checkout", customer.check_out, 201)["id"]
            page = self._begin_payment(customer, order)
            press_pay(page)
            self.orders.append((customer, order))
            self.rest(moments)

    def _begin_payment(self, customer: Customer, order: str) -> str:
        """Where to pay, once payments has heard that stock is held: until then it says so."""

        def page() -> str | None:
            self.asked("order", lambda: customer.get(f"/api/orders/{order}"), 200)
            shown = self.asked("pay", lambda: customer.start_payment(order), 201, 404, 409)
            return shown.get("authorization_url")

        return wait_until(page, timeout=WITHIN, pause=0.2, what=f"{order} can be paid")

    def working(self, staff: Client, moments: Random) -> None:
        """Count stock and write mails; both go to identity first, for the session."""
        path, delivery = f"/api/admin/inventory/{self.sku}/adjustments", {"delta": 1}
        while not self.enough.is_set():
            self.asked("stock", lambda: staff.post(path, delivery | {"reason": "restock"}), 201)
            self.rest(moments)
            words = "/api/admin/email-templates/welcome/preview"
            self.asked("words", lambda: staff.post(words, {}), 200)  # noqa: B023
            self.rest(moments)
            self.asked("alerts", lambda: staff.get("/api/admin/alerts"), 200)
            self.rest(moments)

    def renewing(self, customer: Customer, moments: Random) -> None:
        """Refresh tokens are good once: whose answer is lost, or who is heard twice, is out."""
        answer = self.shop.visitor().post("/api/auth/login", customer.credentials).json()
        while not self.enough.is_set():
            body = {"refresh_token": answer["refresh_token"]}
            answer = self.asked("renew", lambda: customer.post("/api/auth/refresh", body), 200)  # noqa: B023
            self.rest(moments)


def press_pay(page: str) -> None:
    pressed = requests.post(page, {"choice": "pay"}, allow_redirects=False, timeout=TIMEOUT)
    assert pressed.status_code < 400, pressed.text


@contextmanager
def busy(shop: Shop) -> Iterator[Crowd]:
    """A shop full of people; fails if one of them gets what they were not to get."""
    crowd = Crowd(shop, shop.staff.new_product(stock=STOCK))
    customers = [shop.customer() for _ in range(CUSTOMERS)]
    for customer in customers:
        customer.put_in_cart(crowd.sku)  # ordering knows it now
        assert customer.request("DELETE", f"/api/cart/items/{crowd.sku}").ok
    renewer = shop.customer()
    with ThreadPoolExecutor(CUSTOMERS + 2) as pool:
        people = [
            *(pool.submit(crowd.shopping, each, Random(n)) for n, each in enumerate(customers)),  # noqa: S311
            pool.submit(crowd.working, shop.staff, Random(97)),  # noqa: S311
            pool.submit(crowd.renewing, renewer, Random(98)),  # noqa: S311
        ]
        try:
            yield crowd
        finally:
            crowd.enough.set()
            for each in as_completed(people):
                each.result()


def pids(shop: Shop, service: str) -> dict[str, int]:
    found = status(shop)["processes"]
    return {each["name"]: each["pid"] for each in found if each["service"] == service}


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("service", SERVICES)
def test_a_restart_is_noticed_by_nobody(shop: Shop, service: str) -> None:
    before = pids(shop, service)

    with busy(shop) as crowd:
        oja(shop, "restart", service, within=600)
        restarted = pids(shop, service)
        wait_until(lambda: len(crowd.orders) > CUSTOMERS, timeout=WITHIN, what="some have paid")

    assert restarted.keys() == before.keys(), "whoever stood in is gone"
    assert all(restarted[name] != pid for name, pid in before.items())
    for customer, order in crowd.orders:
        customer.await_status(order, "processing", "paid")
    expected = STOCK + crowd.answers["stock", 201] - len(crowd.orders)
    wait_until(
        lambda: shop.staff.stock(crowd.sku)["on_hand"] == expected,
        timeout=WITHIN,
        what=f"{len(crowd.orders)} are sold",
    )
