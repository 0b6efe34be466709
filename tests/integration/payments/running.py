"""Payments over a real database and the sandbox, driven as its neighbours drive it."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import text
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from oja_events.contracts import Contact, Money
from oja_events.contracts.catalog import StockRejected, StockReserved
from oja_events.contracts.ordering import OrderCancelled, OrderPlaced, RefundRequested
from oja_web.testing import ISSUER, KeyPair, bearer, make_token
from payments.bootstrap import Dependencies, build
from payments.entrypoints.http.app import create_app
from payments.entrypoints.worker import apply_one, apply_webhooks
from payments.settings import Settings
from payments.use_cases import deadlines, event_handlers, refunding, settling, webhooks
from tests.integration.sandbox.running import PAYSTACK_SECRET, Sandbox

T = TypeVar("T")
PRICE = 450_000
SHOP = "shop.example.com"
STAFF = uuid.uuid4()


@dataclass(frozen=True)
class PlacedOrder:
    id: uuid.UUID
    number: str
    customer_id: uuid.UUID

    @property
    def first_reference(self) -> str:
        return f"{self.number}-1".lower()


class PaymentsService:
    """One process of payments; several of them may share a database."""

    def __init__(self, database_url: str, paystack_url: str, keys: KeyPair) -> None:
        self.keys = keys
        self.deps: Dependencies = build(
            Settings(
                database_url=database_url,
                broker_url="amqp://nobody@127.0.0.1:1/oja",
                jwt_public_keys=keys.jwks,
                jwt_issuer=ISSUER,
                internal_token="t" * 40,
                feed_urls={},
                paystack_base_url=paystack_url,
                paystack_secret_key=PAYSTACK_SECRET,
                callback_hosts=frozenset({SHOP}),
            ),
            pool_size=40,
            parallel_calls=20,
        )
        self.app: Flask = create_app(self.deps.settings, self.deps)

    def close(self) -> None:
        self.deps.engine.dispose()

    # What the neighbours tell.

    def order(
        self, *, reserved: bool = True, window: timedelta = timedelta(minutes=30)
    ) -> PlacedOrder:
        order = PlacedOrder(uuid7(), f"OJ-{uuid.uuid4().hex[:10].upper()}", uuid.uuid4())
        self.place(order, window=window)
        if reserved:
            self.reserve(order)
        return order

    def place(self, order: PlacedOrder, *, window: timedelta = timedelta(minutes=30)) -> None:
        now = datetime.now(UTC)
        event = OrderPlaced(**self._told(order), placed_at=now, pay_before=now + window)
        event_handlers.order_placed(event, uow=self.deps.unit_of_work())

    def reserve(self, order: PlacedOrder) -> None:
        event = StockReserved(order_id=order.id, lines=(), reserved_at=datetime.now(UTC))
        event_handlers.stock_reserved(event, uow=self.deps.unit_of_work())

    def reject(self, order: PlacedOrder) -> None:
        event = StockRejected(order_id=order.id, shortages=(), rejected_at=datetime.now(UTC))
        event_handlers.stock_rejected(event, uow=self.deps.unit_of_work())

    def cancel(self, order: PlacedOrder) -> None:
        event = OrderCancelled(
            **self._told(order),
            reason="customer",
            was_paid=False,
            cancelled_at=datetime.now(UTC),
        )
        event_handlers.order_cancelled(event, uow=self.deps.unit_of_work())

    def ask_refund(self, order: PlacedOrder, reference: str) -> None:
        told = self._told(order)
        event = RefundRequested(
            **{key: told[key] for key in ("order_id", "number", "customer_id", "contact")},
            payment_reference=reference,
            amount=told["total"],
            reason="the order was cancelled",
            requested_at=datetime.now(UTC),
        )
        event_handlers.refund_requested(event, uow=self.deps.unit_of_work())

    def _told(self, order: PlacedOrder) -> dict[str, Any]:
        return {
            "order_id": order.id,
            "number": order.number,
            "customer_id": order.customer_id,
            "contact": Contact(email="ada@example.com", name="Ada Obi"),
            "lines": (),
            "total": Money(amount=PRICE, currency="NGN"),
        }

    # What people and Paystack send.

    def signed_in(self, user_id: uuid.UUID, *permissions: str) -> dict[str, str]:
        token = make_token(self.keys.private_pem, sub=str(user_id), permissions=list(permissions))
        return bearer(token)

    def pay(
        self,
        order: PlacedOrder,
        *,
        key: str | None = None,
        by: uuid.UUID | None = None,
        **body: Any,
    ) -> TestResponse:
        headers = self.signed_in(by or order.customer_id)
        headers["Idempotency-Key"] = key or uuid.uuid4().hex
        return self.app.test_client().post(
            "/api/pay", json={"order_id": str(order.id), **body}, headers=headers
        )

    def opened(self, order: PlacedOrder) -> str:
        """The reference of a payment that is ready to be paid."""
        answer = self.pay(order)
        assert answer.status_code == 201, answer.text
        return str(answer.json["reference"])

    def get(self, path: str, by: uuid.UUID, *permissions: str) -> TestResponse:
        return self.app.test_client().get(path, headers=self.signed_in(by, *permissions))

    def status(self, order: PlacedOrder, reference: str) -> str:
        """As the customer sees it."""
        answer = self.get(f"/api/payments/{reference}", order.customer_id)
        assert answer.status_code == 200, answer.text
        return str(answer.json["status"])

    def refund(self, reference: str, key: str | None = None, **body: Any) -> TestResponse:
        headers = self.signed_in(STAFF, "payments:refund")
        headers["Idempotency-Key"] = key or uuid.uuid4().hex
        return self.app.test_client().post(
            f"/api/admin/payments/{reference}/refunds",
            json={"reason": "it was broken", **body},
            headers=headers,
        )

    def webhook(self, body: bytes, headers: Any) -> TestResponse:
        return self.app.test_client().post("/api/paystack/webhook", data=body, headers=headers)

    # What the worker does.

    def apply_webhooks(self) -> None:
        while batch := webhooks.claim(unit_of_work=self.deps.unit_of_work):
            for each in batch:
                apply_one(self.deps, each)

    def advance_refunds(self) -> None:
        refunding.advance(unit_of_work=self.deps.unit_of_work, provider=self.deps.provider)

    def hurry_refunds(self) -> None:
        """See to all refunds that are open as though each were due."""
        self.sql("UPDATE refunds SET next_look_at = now() WHERE next_look_at IS NOT NULL")
        self.advance_refunds()

    def sweep(self) -> None:
        deadlines.sweep(unit_of_work=self.deps.unit_of_work, provider=self.deps.provider)

    def reconcile(self) -> None:
        settling.reconcile(unit_of_work=self.deps.unit_of_work, provider=self.deps.provider)

    @contextmanager
    def webhook_worker(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=apply_webhooks, args=(self.deps, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(10)

    # What became of it.

    def told(self, order: PlacedOrder) -> list[str]:
        """The events about this order: `payment_confirmed` and the like, oldest first."""
        return [event["type"].split(".")[2] for event in self.events(order)]

    def events(self, order: PlacedOrder) -> list[dict[str, Any]]:
        rows = self.sql(
            "SELECT convert_from(envelope, 'utf8') FROM event_log WHERE subject = :id ORDER BY id",
            id=str(order.id),
        )
        return [json.loads(row[0]) for row in rows]

    def told_about(self, subject: str) -> list[dict[str, Any]]:
        """What was told with this subject: the events' own fields, oldest first."""
        rows = self.sql(
            "SELECT convert_from(envelope, 'utf8') FROM event_log WHERE subject = :s ORDER BY id",
            s=subject,
        )
        return [json.loads(row[0])["data"] for row in rows]

    def alerts(self, about: str) -> list[str]:
        rows = self.sql("SELECT kind FROM alerts WHERE about = :about ORDER BY id", about=about)
        return [row[0] for row in rows]

    def references(self, order: PlacedOrder) -> dict[str, str]:
        """Every payment of the order and its status."""
        query = "SELECT reference, status FROM payments WHERE order_id = :id ORDER BY attempt"
        return {row[0]: row[1] for row in self.sql(query, id=order.id)}

    def somebody_waits_for_a_lock(self) -> bool:
        query = """
            SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
        """
        return bool(self.sql(query))

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.deps.engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


def delivered(sandbox: Sandbox, reference: str, event: str) -> tuple[bytes, dict[str, str]]:
    """The body and headers of a webhook that the sandbox has sent."""
    items = sandbox.get("/_sandbox/webhooks", params={"reference": reference})["items"]
    found = next(item for item in items if item["event"] == event)
    return found["body"].encode(), found["headers"]


def refuse_to_verify(sandbox: Sandbox, reference: str) -> None:
    """From now on Paystack says that it does not like the question."""
    fault = {"provider": "paystack", "fault": "error", "status": 400, "times": 0}
    sandbox.post("/_sandbox/faults", **fault, path=f"verify/{reference}")


def together(count: int, work: Callable[[int], T]) -> list[T]:
    """Run `work` in so many threads that start at the same moment."""
    start = threading.Barrier(count)

    def run(number: int) -> T:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
