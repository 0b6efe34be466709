"""The running shop as its people see it: customers, staff, and Paystack's page."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.support.waiting import wait_until

TIMEOUT = 15
AT_REGISTRATION = ("welcome", "verify_email")
ADDRESS = {
    "full_name": "Ada Obi",
    "phone": "+2348012345678",
    "line1": "12 Adeola Odeku Street",
    "city": "Lagos",
    "state": "Lagos",
    "country": "NG",
}


def await_answer(
    ask: Callable[[], requests.Response], status: int, *, pause: float = 0.02
) -> requests.Response:
    """Ask until the answer has this status. Give a longer `pause` to what may be asked rarely."""
    answers: list[requests.Response] = []

    def arrived() -> bool:
        answers[:] = [ask()]
        return answers[0].status_code == status

    wait_until(arrived, what=f"an answer {status}, last: {answers}", pause=pause)
    return answers[0]


@dataclass(slots=True)
class Client:
    """One browser or program: an origin, its headers, its cookies. Every answer is returned."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.request("GET", path, params=params)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        return self.request("POST", path, json=body, headers=headers)

    def patch(self, path: str, body: Any, **headers: str) -> requests.Response:
        return self.request("PATCH", path, json=body, headers=headers)

    def request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> requests.Response:
        names = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        return self.session.request(
            method, self.url + path, headers={**self.headers, **names}, timeout=TIMEOUT, **options
        )


@dataclass(slots=True)
class Customer(Client):
    email: str = ""
    password: str = field(default="", repr=False)

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": self.password}

    def put_in_cart(self, sku: str, quantity: int = 1) -> Any:
        """The cart afterwards. Waits until ordering has heard of the product."""
        body = {"sku": sku, "quantity": quantity}
        return await_answer(lambda: self.post("/api/cart/items", body), 200).json()

    def check_out(self, key: str = "") -> requests.Response:
        return self.post(
            "/api/checkout", {"shipping_address": ADDRESS}, Idempotency_Key=key or uuid4().hex
        )

    def buy(self, sku: str, quantity: int = 1) -> Any:
        """A new order of one thing, not yet paid."""
        self.put_in_cart(sku, quantity)
        answer = self.check_out()
        assert answer.status_code == 201, answer.text
        return answer.json()

    def start_payment(self, order_id: str) -> requests.Response:
        return self.post("/api/pay", {"order_id": order_id}, Idempotency_Key=uuid4().hex)

    def await_payment(self, order_id: str) -> requests.Response:
        """The answer to who pays and comes back as long as the order is not ready."""
        answers: list[requests.Response] = []

        def decided() -> bool:
            answers[:] = [self.start_payment(order_id)]
            return "order_not_ready" not in answers[0].text

        wait_until(decided, what=f"a verdict about {order_id}")
        return answers[0]

    def order(self, order_id: str) -> Any:
        return self.get(f"/api/orders/{order_id}").json()

    def await_status(self, order_id: str, status: str, payment_status: str | None = None) -> Any:
        """The order, once it is there."""

        def arrived() -> Any:
            order = self.order(order_id)
            paid = payment_status in (None, order["payment_status"])
            return order if order["status"] == status and paid else None

        return wait_until(arrived, what=f"{order_id} is {status} {payment_status}")


class Staff(Client):
    """Signed in at the admin console: cookie and CSRF token."""

    def new_product(self, *, stock: int, price: int = 450000, threshold: int = 0) -> str:
        """Publish a product with one variant; returns its SKU."""
        sku = f"E2E-{uuid4().hex[:12].upper()}"
        variant = {
            "sku": sku,
            "options": {},
            "price": {"amount": price, "currency": "NGN"},
            "initial_stock": stock,
            "low_stock_threshold": threshold,
        }
        category = self.get("/api/categories").json()["items"][0]["slug"]
        product = {
            "name": f"Thing {sku}",
            "description": "Made for a test.",
            "category": category,
            "tags": [],
            "featured": False,
            "status": "published",
            "variants": [variant],
        }
        answer = self.post("/api/admin/products", product)
        assert answer.status_code == 201, answer.text
        return sku

    def stock(self, sku: str) -> Any:
        return self.get(f"/api/admin/inventory/{sku}").json()

    def move(self, order_id: str, **wanted: Any) -> Any:
        path = f"/api/admin/orders/{order_id}"
        answer = self.patch(path, wanted, If_Match=self.get(path).headers["ETag"])
        assert answer.status_code == 200, answer.text
        return answer.json()


class Shop:
    """A running stack, as described by its stack.json."""

    def __init__(self, description: Path) -> None:
        self.description = json.loads(description.read_text())
        self.gateway: str = self.description["urls"]["gateway"]
        self.sandbox: str = self.description["urls"]["sandbox"]

    def visitor(self) -> Client:
        return Client(self.gateway)

    def customer(self) -> Customer:
        """A new customer, signed in."""
        email, password = f"ada.{uuid4().hex}@example.com", f"Long+Winding-Road {uuid4()}"
        client = Customer(self.gateway, email=email, password=password)
        person = {"email": email, "first_name": "Ada", "last_name": "Obi"}
        secret = {"password": password, "password_confirm": password}
        registered = client.post("/api/auth/register", {**person, **secret})
        assert registered.status_code == 201, registered.text
        tokens = client.post("/api/auth/login", client.credentials).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return client

    @cached_property
    def staff(self) -> Staff:
        admin = self.description["admin"]
        password = Path(admin["password_file"]).read_text().strip()
        client = Staff(self.gateway)
        answer = client.post("/api/admin/session", {"email": admin["email"], "password": password})
        assert answer.status_code in (200, 201), answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return client

    def pay(self, customer: Customer, order_id: str) -> str:
        """Press Pay on Paystack's page; returns the reference."""
        payment = customer.await_payment(order_id)
        assert payment.status_code == 201, payment.text
        page = payment.json()["authorization_url"]
        pressed = requests.post(
            page, data={"choice": "pay"}, allow_redirects=False, timeout=TIMEOUT
        )
        assert pressed.status_code < 400, pressed.text
        reference: str = payment.json()["reference"]
        return reference

    def control(self, method: str, path: str, **options: Any) -> Any:
        """The sandbox's control API."""
        url = self.description["sandbox"]["control_url"] + path
        answer = requests.request(method, url, timeout=TIMEOUT, **options)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def mails(self, recipient: str) -> list[str]:
        """The templates of the mails in the sandbox's inbox, oldest first."""
        answer = requests.get(
            f"{self.sandbox}/mail/messages", params={"recipient": recipient}, timeout=TIMEOUT
        )
        ids = [item["message_id"] for item in answer.json()["items"]]
        return [each.strip("<>").split("@")[0].partition(".")[2] for each in reversed(ids)]

    def await_mails(self, recipient: str, *templates: str) -> None:
        """Wait for these, beside those of the registration; exactly one of each and no other."""
        expected = sorted([*AT_REGISTRATION, *templates])
        wait_until(
            lambda: set(expected) <= set(self.mails(recipient)),
            what=f"mails {expected}",
        )
        assert sorted(self.mails(recipient)) == expected


@pytest.fixture(scope="session")
def shop() -> Shop:
    """The shop that `./oja test e2e` has started."""
    description = os.environ.get("OJA_TEST_STACK")
    if not description:
        raise pytest.UsageError("these tests need a running shop: use ./oja test")
    return Shop(Path(description))
