"""The story itself: Ada buys something, and an administrator sends it to her."""

import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from oja_events.contracts import Event
from oja_events.contracts.catalog import StockCommitted, StockReserved
from oja_events.contracts.identity import CustomerRegistered
from oja_events.contracts.ordering import OrderCompleted, OrderPaid, OrderPlaced, OrderShipped
from oja_events.contracts.payments import PaymentConfirmed
from stack.context import Stack
from stack.demo.shop import PATIENCE, Answer, Shop
from stack.demo.watcher import Watcher
from stack.description import describe
from stack.failure import Failure
from stack.report import out

ADDRESS = {
    "full_name": "Ada Obi",
    "phone": "+2348012345678",
    "line1": "12 Adeola Odeku Street",
    "city": "Lagos",
    "state": "Lagos",
    "country": "NG",
}
MAILS = (
    "welcome",
    "verify_email",
    "order_received",
    "payment_confirmed",
    "order_shipped",
    "order_completed",
)


def tell(stack: Stack) -> None:
    """Run the whole journey; raises Failure at the first thing that did not truly happen."""
    started = time.monotonic()
    story = Story(describe(stack))
    story.register()
    story.fill_the_cart()
    story.check_out()
    story.pay()
    story.ship()
    story.complete()
    story.count_mails()
    story.show_timeline()
    out.print(
        f"\n[green]✓ Order {story.number} is complete[/green] after "
        f"{time.monotonic() - started:.1f} s. Mails: {story.stack['urls']['mail']}"
    )


@dataclass(slots=True)
class Story:
    """What is known so far. `stack` is the description of the running stack."""

    stack: dict[str, Any]
    customer: Shop = field(init=False)
    staff: Shop = field(init=False)
    watcher: Watcher = field(init=False)
    email: str = field(init=False)
    customer_id: str = ""
    order_id: str = ""
    number: str = ""
    steps: int = 0

    def __post_init__(self) -> None:
        gateway, sandbox = self.stack["urls"]["gateway"], self.stack["urls"]["sandbox"]
        self.customer, self.staff = Shop(gateway), Shop(gateway)
        self.email = f"ada.{uuid4().hex[:8]}@example.com"
        dsn = self.stack["postgres"]["superuser_dsn"]
        self.watcher = Watcher(dsn, f"{sandbox}/mail/messages", patience=PATIENCE)

    def register(self) -> None:
        self._title("Ada opens an account and signs in")
        password = secrets.token_urlsafe(16)
        person = {"email": self.email, "first_name": "Ada", "last_name": "Obi"}
        secret = {"password": password, "password_confirm": password}
        self._post("/api/auth/register", {**person, **secret}, accept={"email_taken"})
        tokens = self._post("/api/auth/login", {"email": self.email, "password": password}).body
        self.customer.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        self.customer_id = self.customer.call("GET", "/api/auth/me").body["id"]
        self._events(self.customer_id, CustomerRegistered)
        self._mail("welcome")
        self._mail("verify_email")

    def fill_the_cart(self) -> None:
        self._title("She looks around and fills her cart")
        self._get("/api/categories")
        found = self._get("/api/products?in_stock=true&sort=newest&size=5").body["items"]
        if not found:
            raise Failure("There is nothing to buy; load the demo catalogue with ./oja up.")
        product = self._get(f"/api/products/{found[0]['slug']}").body
        variant = next(each for each in product["variants"] if each["in_stock"])
        # A cart item is added on top, so a lost answer would make two of it; setting mends that.
        self._post("/api/cart/items", {"sku": variant["sku"], "quantity": 1})
        cart = self.customer.call(
            "PATCH", f"/api/cart/items/{variant['sku']}", {"quantity": 1}
        ).body
        self._say(f"in the cart: 1 {product['name']}, {_money(cart['subtotal'])}")

    def check_out(self) -> None:
        self._title("She checks out")
        order = self._post("/api/checkout", {"shipping_address": ADDRESS}, once=True).body
        self.order_id, self.number = order["id"], order["number"]
        self._say(f"order {self.number}, {_money(order['total'])}, {order['status']}")
        self._events(self.order_id, OrderPlaced, StockReserved)
        self._mail("order_received")

    def pay(self) -> None:
        self._title("She pays on Paystack's page (the sandbox's)")
        payment = self._post("/api/pay", {"order_id": self.order_id}, once=True).body
        self._press_pay(payment["authorization_url"])
        self._say(f"webhook for {payment['reference']}: POST /api/paystack/webhook")
        self._events(self.order_id, PaymentConfirmed, OrderPaid, StockCommitted)
        self._mail("payment_confirmed")
        self._expect("processing", "paid")

    def ship(self) -> None:
        self._title("An administrator signs in and ships it")
        password = Path(self.stack["admin"]["password_file"]).read_text().strip()
        login = {"email": self.stack["admin"]["email"], "password": password}
        session = self._post("/api/admin/session", login, by=self.staff).body
        self.staff.headers["X-CSRF-Token"] = session["csrf_token"]
        tracking = {"carrier": "GIG Logistics", "number": f"GIG-{uuid4().hex[:10].upper()}"}
        self._move({"status": "shipped", "tracking": tracking})
        self._events(self.order_id, OrderShipped)
        self._mail("order_shipped")

    def complete(self) -> None:
        self._title("The parcel arrives")
        self._move({"status": "completed"})
        self._events(self.order_id, OrderCompleted)
        self._mail("order_completed")
        self._expect("completed", "paid")

    def count_mails(self) -> None:
        """Exactly one mail of each kind, however often processes were restarted meanwhile."""
        counts = Counter(mail.template for mail in self.watcher.mails(self.email))
        if counts != Counter(MAILS):
            raise Failure(f"Ada should have one mail of each kind, but has {dict(counts)}.")

    def show_timeline(self) -> None:
        self._title("The order's timeline")
        path = f"/api/admin/orders/{self.order_id}/timeline"
        for entry in self.staff.call("GET", path).body["items"]:
            self._say(f"{entry['at'][11:23]}  {entry['title']}  [dim]{entry['detail']}[/dim]")

    def _move(self, wanted: dict[str, Any]) -> None:
        """Change the order as staff, with the version that we have seen."""
        path = f"/api/admin/orders/{self.order_id}"

        def if_match() -> dict[str, str]:
            return {"If-Match": self.staff.call("GET", path).headers["ETag"]}

        self._told("PATCH", path, self.staff.call("PATCH", path, wanted, headers=if_match))

    def _press_pay(self, page: str) -> None:
        browser = Shop("", session=requests.Session())
        self._told("GET", page, browser.call("GET", page))
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = requests.post(
                    page, data={"choice": "pay"}, allow_redirects=False, timeout=15
                )
                if answer.status_code < 400:
                    return self._say(f"POST {page} → {answer.status_code}")
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise Failure("The checkout page does not answer.") from None
            time.sleep(0.3)

    def _expect(self, status: str, payment_status: str) -> None:
        order = self.customer.call("GET", f"/api/orders/{self.order_id}").body
        if (order["status"], order["payment_status"]) != (status, payment_status):
            raise Failure(
                f"The order should be {status} and {payment_status}, "
                f"but is {order['status']} and {order['payment_status']}."
            )
        self._say(f"the order is [bold]{status}[/bold], {payment_status}")

    def _get(self, path: str) -> Answer:
        return self._told("GET", path, self.customer.call("GET", path))

    def _post(
        self,
        path: str,
        body: Any,
        *,
        once: bool = False,
        accept: frozenset[str] | set[str] = frozenset(),
        by: Shop | None = None,
    ) -> Answer:
        shop = by or self.customer
        return self._told("POST", path, shop.call("POST", path, body, once=once, accept=accept))

    def _told(self, method: str, path: str, answer: Answer) -> Answer:
        again = f", try {answer.tries}" if answer.tries > 1 else ""
        self._say(
            f"[cyan]{method} {path}[/cyan] → {answer.status} "
            f"[dim]{answer.milliseconds:.0f} ms{again}[/dim]"
        )
        return answer

    def _events(self, subject: str, *expected: type[Event]) -> None:
        for hop in self.watcher.await_hops([subject], expected):
            name = hop.type.split(".")[2]
            self._say(
                f"[magenta]event[/magenta] {name}: {hop.source} → {hop.to} "
                f"[dim]{hop.milliseconds:.0f} ms[/dim]"
            )

    def _mail(self, template: str) -> None:
        mail = self.watcher.await_mail(self.email, template)
        self._say(f"[yellow]mail[/yellow]  “{mail.subject}” to {self.email}")

    def _title(self, text: str) -> None:
        self.steps += 1
        out.print(f"\n[bold]{self.steps}. {text}[/bold]")

    def _say(self, text: str) -> None:
        out.print(f"   {text}")


def _money(money: dict[str, Any]) -> str:
    return f"{money['currency']} {money['amount'] / 100:,.2f}"
