"""Ordering over a real database: its HTTP API, its event handlers, and a look at what it tells."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from oja_events.contracts import Contact, Event, Money
from oja_events.contracts.catalog import StockReserved
from oja_events.contracts.payments import PaymentConfirmed, PaymentFailed
from oja_events.migrating import migrate
from oja_web.testing import ISSUER, KeyPair, bearer, make_key_pair, make_token
from ordering.bootstrap import MIGRATIONS, SERVICE, Dependencies, build
from ordering.entrypoints.consumer import SUBSCRIPTIONS
from ordering.entrypoints.http.app import create_app
from ordering.settings import Settings
from tests.support.ordering import NOW, product_changed
from tests.support.postgres import scratch_database

ADDRESS = {
    "full_name": "Ada Obi",
    "phone": "+2348012345678",
    "line1": "12 Adeola Odeku Street",
    "city": "Lagos",
    "state": "Lagos",
    "country": "NG",
}
STAFF = ["orders:read", "orders:write"]


@dataclass(frozen=True, slots=True)
class Client:
    """One signed-in person."""

    app: Flask
    user_id: UUID
    headers: dict[str, str]

    def get(self, path: str, **query: object) -> TestResponse:
        return self.app.test_client().get(path, query_string=query, headers=self.headers)

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        return self._send("POST", path, body, headers)

    def patch(self, path: str, body: object, **headers: str) -> TestResponse:
        return self._send("PATCH", path, body, headers)

    def delete(self, path: str) -> TestResponse:
        return self._send("DELETE", path, None, {})

    def checkout(self, key: str | None = None, **body: object) -> TestResponse:
        key = key or uuid4().hex
        return self.post(
            "/api/checkout", {"shipping_address": ADDRESS, **body}, Idempotency_Key=key
        )

    def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> TestResponse:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client().open(
            path, method=method, json=body, headers={**self.headers, **more}
        )


@dataclass(frozen=True, slots=True)
class Ordering:
    """The service, with the ends that tests need."""

    app: Flask
    deps: Dependencies
    keys: KeyPair

    def customer(self, **claims: object) -> Client:
        return self._person([], claims)

    def staff(self) -> Client:
        return self._person(STAFF, {"email": "bola@example.com"})

    def hear(self, event: Event) -> None:
        """Give the event to the handler that listens to it."""
        SUBSCRIPTIONS[type(event)](event, uow=self.deps.unit_of_work())

    def offer(self, sku: str = "MUG", *, price: int = 100, available: int = 50) -> str:
        """A product that is for sale; SKUs get a suffix so that tests do not meet."""
        own = f"{sku}-{uuid4().hex[:8]}"
        self.hear(product_changed(uuid4(), {own: (price, available)}))
        return own

    def placed(self, customer: Client, *, quantity: int = 1) -> dict[str, Any]:
        """An order as the customer got it, just placed."""
        customer.post("/api/cart/items", {"sku": self.offer(), "quantity": quantity})
        answer = customer.checkout()
        assert answer.status_code == 201, answer.text
        placed: dict[str, Any] = answer.get_json()
        return placed

    def processing(self, customer: Client) -> dict[str, Any]:
        """An order with its stock held and its money in."""
        order = self.placed(customer)
        self.hear(stock_reserved(order))
        self.hear(payment_confirmed(order))
        return order

    def told(self, order: dict[str, Any]) -> list[str]:
        """The types of the order's events in the outbox, oldest first, without version."""
        with self.deps.engine.connect() as connection:
            types = connection.scalars(
                text("SELECT type FROM event_log WHERE subject = :id ORDER BY sequence"),
                {"id": order["id"]},
            )
            return [name.split(".")[2] for name in types]

    def _person(self, permissions: list[str], claims: dict[str, Any]) -> Client:
        user_id = uuid4()
        token = make_token(
            self.keys.private_pem, **{"sub": str(user_id), "permissions": permissions, **claims}
        )
        return Client(self.app, user_id, bearer(token))


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    with scratch_database() as url:
        migrate(SERVICE, MIGRATIONS, url)
        yield url


@pytest.fixture(scope="session")
def ordering(database: str) -> Iterator[Ordering]:
    keys = make_key_pair()
    settings = Settings(
        database_url=database,
        broker_url="amqp://nobody",
        jwt_public_keys=keys.jwks,
        jwt_issuer=ISSUER,
        internal_token="t" * 40,
        feed_urls={},
    )
    deps = build(settings)
    yield Ordering(create_app(settings, deps), deps, keys)
    deps.engine.dispose()


def stock_reserved(order: dict[str, Any]) -> StockReserved:
    return StockReserved(order_id=UUID(order["id"]), lines=(), reserved_at=NOW)


def payment_confirmed(order: dict[str, Any], reference: str = "ref-1") -> PaymentConfirmed:
    return PaymentConfirmed(
        order_id=UUID(order["id"]),
        number=order["number"],
        contact=Contact(email="ada@example.com", name="Ada Obi"),
        reference=reference,
        amount=Money(**order["total"]),
        channel="card",
        paid_at=NOW,
    )


def payment_failed(order: dict[str, Any]) -> PaymentFailed:
    return PaymentFailed(
        order_id=UUID(order["id"]),
        number=order["number"],
        contact=Contact(email="ada@example.com", name="Ada Obi"),
        reason="expired",
        failed_at=NOW,
    )
