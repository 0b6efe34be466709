"""Customers who go shopping while the shop is under fire, and what they remember of it."""

import random
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from tests.chaos.nemesis.answers import PASSING, Answers, code_of, kind_of
from tests.support.shop import ADDRESS, Shop

PATIENCE = 300.0
_PAUSE = 0.5
_TIMEOUTS = (3, 20)
_ON_THE_PAGE = (200, 302, 402, 409)


class Refused(Exception):
    """An answer that a customer should not get."""


class GaveUp(Exception):
    """No real answer for longer than anybody waits."""


@dataclass(slots=True)
class Purchase:
    """One checkout, as the one customer with this address remembers it. Without an `order_id` it
    is not known whether there is an order; `trouble` says why the customer went no further."""

    email: str
    want: str
    order_id: str | None = None
    paid: bool = False
    cancelled: bool = False
    refund_asked: bool = False
    trouble: str = ""


@dataclass(slots=True)
class Market:
    """What all customers share."""

    shop: Shop
    skus: list[str]
    answers: Answers = field(default_factory=Answers)
    purchases: list[Purchase] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    staff: "Staff" = field(init=False)

    def __post_init__(self) -> None:
        self.staff = Staff(self)


class Person:
    """Somebody with a program that asks again, always under the same key, until he knows."""

    def __init__(self, market: Market, patience: float = PATIENCE) -> None:
        self.market = market
        self.headers: dict[str, str] = {}
        self._until = time.monotonic() + patience
        self._session = requests.Session()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        good: Collection[int] = (200, 201, 204),
        also: Collection[str] = (),
        **headers: str,
    ) -> requests.Response:
        """The first answer with one of these statuses or codes; raises Refused for another one
        that is final, GaveUp when patience is at its end."""
        while True:
            answer = self.try_once(method, path, body, good=good, also=also, **headers)
            if answer is not None:
                if answer.status_code in good or code_of(answer) in also:
                    return answer
                if answer.status_code < 500 and not _is_passing(answer):
                    raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            self.rest(f"{method} {path}")

    def try_once(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        good: Collection[int] = (200, 201, 204),
        also: Collection[str] = (),
        **headers: str,
    ) -> requests.Response | None:
        """One try, which is counted; None if there was no answer."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        about = f"{method} {path}"
        try:
            answer = self._session.request(
                method,
                self.market.shop.gateway + path,
                json=body,
                headers=self.headers | names,
                timeout=_TIMEOUTS,
            )
        except requests.Timeout:
            self.market.answers.count("no answer in time", about)
            return None
        except requests.RequestException:
            self.market.answers.count("no connection", about)
            return None
        known = answer.status_code in good or code_of(answer) in also or _is_passing(answer)
        about = f"{about}: {answer.status_code} {code_of(answer)}"
        self.market.answers.count(kind_of(answer, known), about)
        return answer

    def rest(self, what: str) -> None:
        """Wait a moment; raises GaveUp when patience is at its end."""
        if time.monotonic() > self._until:
            raise GaveUp(what)
        time.sleep(_PAUSE)


class Customer(Person):
    def __init__(self, market: Market, want: str, patience: float = PATIENCE) -> None:
        super().__init__(market, patience)
        self.purchase = Purchase(f"ada.{uuid4().hex}@example.com", want)
        self._reference = ""

    def go_shopping(self) -> None:
        """The whole journey; what goes wrong on it stands in the purchase."""
        try:
            self._register()
            self._fill_the_cart()
            self._check_out()
            self._do_what_is_wanted()
        except (Refused, GaveUp) as trouble:
            self.purchase.trouble = f"{type(trouble).__name__}: {trouble}"

    def order(self) -> Any:
        return self.ask("GET", f"/api/orders/{self.purchase.order_id}").json()

    def await_order(self, *statuses: str) -> Any:
        """The order, once it is in one of these; raises GaveUp."""
        while (order := self.order())["status"] not in statuses:
            self.rest(f"the order is {' or '.join(statuses)}")
        return order

    def _register(self) -> None:
        password = f"Long+Winding-Road {uuid4()}"
        person = {"email": self.purchase.email, "first_name": "Ada", "last_name": "Obi"}
        secret = {"password": password, "password_confirm": password}
        # The answer to the first try may have been lost.
        self.ask("POST", "/api/auth/register", person | secret, also={"email_taken"})
        login = {"email": self.purchase.email, "password": password}
        token = self.ask("POST", "/api/auth/login", login).json()["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"

    def _fill_the_cart(self) -> None:
        self.ask("GET", "/api/products")
        for sku in random.sample(self.market.skus, k=random.randint(1, 2)):  # noqa: S311
            quantity = {"quantity": random.randint(1, 3)}  # noqa: S311
            self.ask("POST", "/api/cart/items", {"sku": sku, **quantity})
            # A repeated POST adds; this is what is wanted, however often it was asked.
            self.ask("PATCH", f"/api/cart/items/{sku}", quantity)

    def _check_out(self) -> None:
        self.market.purchases.append(self.purchase)
        address = {"shipping_address": ADDRESS}
        answer = self.ask("POST", "/api/checkout", address, Idempotency_Key=uuid4().hex)
        self.purchase.order_id = answer.json()["id"]

    def _do_what_is_wanted(self) -> None:
        want = self.purchase.want
        if want in ("keep", "cancel", "be refunded"):
            self._pay()
        if want in ("cancel", "cancel unpaid"):
            self.ask("POST", f"/api/orders/{self.purchase.order_id}/cancel")
            self.purchase.cancelled = True
        if want == "be refunded" and self.await_order("processing", "cancelled")["paid_at"]:
            self.market.staff.refund(self._reference)
            self.purchase.refund_asked = True

    def _pay(self) -> None:
        """Unless the time for it is over, which is told by 409 order_not_payable."""
        body = {"order_id": self.purchase.order_id}
        answer = self.ask(
            "POST", "/api/pay", body, also={"order_not_payable"}, Idempotency_Key=uuid4().hex
        )
        if answer.status_code < 300:
            self._reference = answer.json()["reference"]
            self._press_pay(answer.json()["authorization_url"])

    def _press_pay(self, page: str) -> None:
        """On Paystack's page, which is no answer of the shop's and not counted."""
        while True:
            try:
                pressed = requests.post(
                    page, {"choice": "pay"}, allow_redirects=False, timeout=_TIMEOUTS
                )
            except requests.RequestException:
                pass
            else:
                if pressed.status_code in _ON_THE_PAGE:
                    self.purchase.paid = pressed.status_code in (200, 302)
                    return
            self.rest("Paystack's page")


class Staff(Person):
    """At the admin console."""

    def __init__(self, market: Market) -> None:
        super().__init__(market, patience=float("inf"))
        self._turn = threading.Lock()

    def refund(self, reference: str) -> None:
        """All of a payment."""
        path, reason = f"/api/admin/payments/{reference}/refunds", {"reason": "as asked for"}
        with self._turn:
            self._sign_in()
            self.ask("POST", path, reason, good=(200, 201, 202), Idempotency_Key=uuid4().hex)

    def levels(self) -> dict[str, Any]:
        """The stock of every SKU."""
        with self._turn:
            self._sign_in()
            skus = self.market.skus
            return {sku: self.ask("GET", f"/api/admin/inventory/{sku}").json() for sku in skus}

    def _sign_in(self) -> None:
        """Anew each time: a session ends when it is not used for a while."""
        admin = self.market.shop.description["admin"]
        password = Path(admin["password_file"]).read_text().strip()
        answer = self.ask(
            "POST", "/api/admin/session", {"email": admin["email"], "password": password}
        )
        self.headers["X-CSRF-Token"] = answer.json()["csrf_token"]


def _is_passing(answer: requests.Response) -> bool:
    return code_of(answer) in PASSING or "Retry-After" in answer.headers
