"""Payments without a database and without Paystack."""

import itertools
import uuid
from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from uuid_utils.compat import uuid7

from oja_events.contracts import Event
from payments.domain.charge import Charge, ChargeState
from payments.domain.order import Order, OrderState
from payments.domain.payment import Payment
from payments.domain.refund import Refund, RefundStatus
from payments.domain.values import Bill, Contact, Money
from payments.use_cases.errors import DuplicateReference, OrderNotFound, PaymentNotFound
from payments.use_cases.ports import (
    Alert,
    Overdue,
    Page,
    ProviderEvent,
    ProviderRefund,
    Standing,
    Webhook,
)
from tests.support.auditing import FakeAuditLog, Noted

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
PRICE = Money(450_000, "NGN")
_numbers = itertools.count(100_001)


def a_bill(**changes: Any) -> Bill:
    bill = Bill(
        order_id=uuid7(),
        number=f"OJ-{next(_numbers)}",
        customer_id=uuid.uuid4(),
        contact=Contact("ada@example.com", "Ada Obi"),
        total=PRICE,
        pay_before=NOW + timedelta(minutes=30),
    )
    return replace(bill, **changes)


def an_order(bill: Bill | None = None, state: OrderState = OrderState.PAYABLE) -> Order:
    bill = bill or a_bill()
    return Order(id=bill.order_id, bill=bill, state=state, next_look_at=bill.pay_before)


def a_payment(bill: Bill | None = None, attempt: int = 1) -> Payment:
    return Payment.begin(uuid7(), bill or a_bill(), attempt, callback_url=None, now=NOW)


def a_charge(payment: Payment, state: ChargeState = ChargeState.CAPTURED, **changes: Any) -> Charge:
    charge = Charge(
        reference=payment.reference,
        state=state,
        amount=payment.amount,
        mode="test",
        provider_id=7001,
        order_id=str(payment.bill.order_id),
        channel="card",
        paid_at=NOW,
    )
    return replace(charge, **changes)


@dataclass
class Books:
    """What is committed."""

    orders: dict[UUID, Order] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[UUID, Refund] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    outcomes: dict[int, str] = field(default_factory=dict)
    alerts: dict[tuple[str, str], Alert] = field(default_factory=dict)
    outbox: list[Event] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)

    def learn(self, *things: Order | Payment | Refund) -> None:
        """Start out with these."""
        for thing in things:
            if isinstance(thing, Order):
                self.orders[thing.id] = deepcopy(thing)
            elif isinstance(thing, Payment):
                self.payments[thing.reference] = deepcopy(thing)
            else:
                self.refunds[thing.id] = deepcopy(thing)


class FakeUnitOfWork:
    """Copies on the way in and out, so code that forgets to save or commit fails here too."""

    def __init__(self, books: Books, now: datetime = NOW) -> None:
        self._books = books
        self._now = now
        self.orders = _Orders(self)
        self.payments = _Payments(self)
        self.refunds = _Refunds(self)
        self.webhooks = _Webhooks(self)
        self.alerts = _Alerts(self)

    def __enter__(self) -> Self:
        self.open = deepcopy(self._books)
        self.audit = FakeAuditLog(self.open.noted)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del self.open

    def commit(self) -> None:
        vars(self._books).update(vars(deepcopy(self.open)))

    def now(self) -> datetime:
        return self._now

    def new_id(self) -> UUID:
        return uuid7()


class FakeUnitsOfWork:
    """A fresh unit of work for each use. What is done at once needs its commit here as well."""

    def __init__(self, books: Books, now: datetime = NOW) -> None:
        self._books = books
        self.now = now

    def __call__(self) -> FakeUnitOfWork:
        return FakeUnitOfWork(self._books, self.now)

    def at_once(self) -> FakeUnitOfWork:
        return self()


class _Part:
    def __init__(self, uow: FakeUnitOfWork) -> None:
        self._uow = uow

    @property
    def _books(self) -> Books:
        return self._uow.open


class _Orders(_Part):
    def add(self, order: Order) -> bool:
        is_new = order.id not in self._books.orders
        self._books.orders.setdefault(order.id, deepcopy(order))
        return is_new

    def obtain(self, order_id: UUID) -> Order:
        self._books.orders.setdefault(order_id, Order(id=order_id))
        return self.get(order_id)

    def get(self, order_id: UUID) -> Order:
        if order_id not in self._books.orders:
            raise OrderNotFound(order_id)
        return deepcopy(self._books.orders[order_id])

    def look(self, order_ids: Collection[UUID]) -> dict[UUID, Standing]:
        latest, now = self._uow.payments.latest, self._uow.now()
        return {
            order_id: Standing(self.get(order_id), latest(order_id), now)
            for order_id in order_ids
            if order_id in self._books.orders
        }

    def save(self, order: Order) -> None:
        self._books.outbox += order.pull_events()
        self._books.orders[order.id] = deepcopy(order)

    def claim_overdue(self, limit: int) -> list[Overdue]:
        due = [
            order
            for order in self._books.orders.values()
            if order.next_look_at and order.next_look_at <= self._uow.now()
        ]
        return [Overdue(order.id, self._open_references(order.id)) for order in due[:limit]]

    def _open_references(self, order_id: UUID) -> tuple[str, ...]:
        payments = self._books.payments.values()
        return tuple(
            payment.reference
            for payment in payments
            if payment.bill.order_id == order_id and payment.captured is None
        )


class _Payments(_Part):
    def latest(self, order_id: UUID) -> Payment | None:
        found = [
            payment
            for payment in self._books.payments.values()
            if payment.bill.order_id == order_id
        ]
        found.sort(key=lambda payment: payment.attempt)
        assert not any(payment.is_pending for payment in found[:-1])
        return deepcopy(found[-1]) if found else None

    def get(self, reference: str) -> Payment:
        if reference not in self._books.payments:
            raise PaymentNotFound(reference)
        return deepcopy(self._books.payments[reference])

    def with_order(self, reference: str) -> tuple[Order, Payment]:
        payment = self.get(reference)
        return self._uow.orders.get(payment.bill.order_id), payment

    def begin(self, payment: Payment) -> bool:
        order = self._books.orders[payment.bill.order_id]
        if order.state is not OrderState.PAYABLE or order.paid_reference:
            return False
        begun = self._books.payments.setdefault(payment.reference, deepcopy(payment))
        return begun.id == payment.id

    def keep_page(self, payment: Payment) -> bool:
        kept = self._books.payments[payment.reference]
        kept.opened(str(payment.authorization_url), str(payment.access_code))
        return kept.is_pending

    def save(self, payment: Payment) -> None:
        self._books.outbox += payment.pull_events()
        self._books.payments[payment.reference] = deepcopy(payment)

    def save_capture(self, order: Order, payment: Payment) -> None:
        kept = self._books.orders[order.id]
        kept.paid_reference, kept.next_look_at = order.paid_reference, order.next_look_at
        self.save(payment)

    def claim_checks(self, limit: int) -> list[str]:
        due = [
            payment.reference
            for payment in self._books.payments.values()
            if payment.next_check_at and payment.next_check_at <= self._uow.now()
        ]
        return due[:limit]


class _Refunds(_Part):
    def add(self, refund: Refund) -> None:
        self._books.refunds[refund.id] = deepcopy(refund)

    def get(self, refund_id: UUID) -> Refund:
        return deepcopy(self._books.refunds[refund_id])

    def of_payment(self, reference: str) -> list[Refund]:
        found = [each for each in self._books.refunds.values() if each.reference == reference]
        return deepcopy(found)

    def save(self, refund: Refund) -> None:
        self._books.outbox += refund.pull_events()
        self._books.refunds[refund.id] = deepcopy(refund)

    def claim_due(self) -> UUID | None:
        for refund in self._books.refunds.values():
            if refund.next_look_at and refund.next_look_at <= self._uow.now():
                refund.looks += 1
                refund.next_look_at = self._uow.now() + timedelta(minutes=1)
                return refund.id
        return None

    def hurry(self, reference: str) -> None:
        for refund in self._books.refunds.values():
            if refund.reference == reference and refund.provider_id and refund.next_look_at:
                refund.next_look_at = self._uow.now()


class _Webhooks(_Part):
    def keep(self, key: str, body: bytes, request_id: str) -> None:
        number = len(self._books.webhooks) + 1
        self._books.webhooks.setdefault(key, Webhook(number, body, request_id))

    def claim(self, limit: int) -> list[Webhook]:
        waiting = self._books.webhooks.values()
        return [each for each in waiting if each.id not in self._books.outcomes][:limit]

    def applied(self, webhook_id: int, outcome: str, reference: str | None) -> None:
        self._books.outcomes[webhook_id] = outcome


class _Alerts(_Part):
    def add(self, alert: Alert) -> None:
        self._books.alerts.setdefault((alert.kind, alert.about), alert)


class FakePaystack:
    """Keeps charges and refunds. What is in `troubles` is raised by the next calls of that name:
    before the work, or with `after` after it."""

    mode = "test"

    def __init__(self) -> None:
        self.charges: dict[str, Charge] = {}
        self.refunds_made: list[ProviderRefund] = []
        self.troubles: list[tuple[str, Exception, bool]] = []
        self.asked: list[str] = []

    def breaks(self, call: str, error: Exception, *, after: bool = False) -> None:
        self.troubles.append((call, error, after))

    def initialize(self, payment: Payment) -> Page:
        self._trouble("initialize", after=False)
        self.asked.append(payment.reference)
        if payment.reference in self.charges:
            raise DuplicateReference("Duplicate Transaction Reference")
        self.charges[payment.reference] = a_charge(payment, ChargeState.OPEN, paid_at=None)
        self._trouble("initialize", after=True)
        return Page(f"https://checkout.example.com/{payment.reference}", payment.reference)

    def charge(self, reference: str, *, patience: float | None = None) -> Charge | None:
        self._trouble("charge", after=False)
        return self.charges.get(reference)

    def event_key(self, body: bytes) -> str:
        return body.decode()

    def read_event(self, body: bytes) -> ProviderEvent:
        """`<event> <reference>`, about the charge as it is."""
        name, reference = body.decode().split()
        return ProviderEvent(name, body.decode(), reference, self.charges.get(reference))

    def refund(self, refund: Refund) -> ProviderRefund:
        self._trouble("refund", after=False)
        made = ProviderRefund(
            len(self.refunds_made) + 1, RefundStatus.PENDING, refund.amount.amount, refund.note
        )
        self.refunds_made.append(made)
        self._trouble("refund", after=True)
        return made

    def refund_by_id(self, provider_id: int) -> ProviderRefund:
        return self.refunds_made[provider_id - 1]

    def refunds(self, provider_id: int) -> list[ProviderRefund]:
        return list(self.refunds_made)

    def come_to(self, reference: str, state: ChargeState) -> None:
        """What the customer did on the page."""
        self.charges[reference] = replace(self.charges[reference], state=state, paid_at=NOW)

    def _trouble(self, call: str, *, after: bool) -> None:
        for trouble in self.troubles:
            if trouble[0] == call and trouble[2] is after:
                self.troubles.remove(trouble)
                raise trouble[1]
