"""Paystack as a referee: its own books, which no service of ours writes, and its bad days."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from payments.adapters import paystack_shapes
from payments.domain.charge import Charge, ChargeState
from payments.domain.payment import Payment
from payments.domain.refund import Refund, RefundStatus
from payments.domain.values import Money
from payments.use_cases.errors import (
    DuplicateReference,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnclear,
)
from payments.use_cases.ports import Page, ProviderEvent, ProviderRefund

ENDED = (RefundStatus.PROCESSED, RefundStatus.FAILED)
_ids = itertools.count(1)


class Killed(BaseException):
    """The process that was at it is gone, as by SIGKILL."""


@dataclass(slots=True)
class BookedRefund:
    id: int
    amount: int
    note: str
    status: RefundStatus = RefundStatus.PENDING


@dataclass(slots=True)
class Entry:
    """One reference; `captured` is the money that really came."""

    id: int
    reference: str
    order_id: str
    asked: Money
    state: ChargeState = ChargeState.OPEN
    captured: Money | None = None
    refunds: list[BookedRefund] = field(default_factory=list)

    @property
    def promised(self) -> int:
        return sum(each.amount for each in self.refunds if each.status is not RefundStatus.FAILED)

    @property
    def returned(self) -> int:
        return sum(each.amount for each in self.refunds if each.status is RefundStatus.PROCESSED)

    @property
    def kept(self) -> int:
        """What the shop has of it."""
        return (self.captured.amount if self.captured else 0) - self.returned


class Paystack:
    """The PaymentProvider port over the books. `bad_day` says what becomes of the next calls:
    `away` (until further notice), or once `cut` (done, but the answer is lost), `killed_before`,
    `killed_after`, `no_balance`."""

    mode = "test"

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.webhooks: list[bytes] = []
        self.bad_day: str | None = None

    # What our services ask for.

    def initialize(self, payment: Payment) -> Page:
        self._before()
        if payment.reference in self.entries:
            raise DuplicateReference("Duplicate Transaction Reference")
        self.entries[payment.reference] = Entry(
            next(_ids), payment.reference, str(payment.bill.order_id), payment.amount
        )
        self._after()
        return Page(f"https://checkout.example.com/{payment.reference}", payment.reference)

    def charge(self, reference: str, *, patience: float | None = None) -> Charge | None:
        self._before()
        entry = self.entries.get(reference)
        self._after()
        return self._as_charge(entry) if entry else None

    def refund(self, refund: Refund) -> ProviderRefund:
        self._before(refunding=True)
        entry = self.entries[refund.reference]
        if entry.captured is None or entry.captured.currency != refund.amount.currency:
            raise ProviderRefused("Transaction has not been paid")
        if entry.promised + refund.amount.amount > entry.captured.amount:
            raise ProviderRefused("Refund amount exceeds the transaction")
        booked = BookedRefund(next(_ids), refund.amount.amount, refund.note)
        entry.refunds.append(booked)
        self._after()
        return _as_refund(booked)

    def refund_by_id(self, provider_id: int) -> ProviderRefund:
        self._before()
        every = [each for entry in self.entries.values() for each in entry.refunds]
        [found] = [each for each in every if each.id == provider_id]
        return _as_refund(found)

    def refunds(self, provider_id: int) -> list[ProviderRefund]:
        self._before()
        [entry] = [each for each in self.entries.values() if each.id == provider_id]
        return [_as_refund(each) for each in entry.refunds]

    def event_key(self, body: bytes) -> str:
        return paystack_shapes.event_key(body)

    def read_event(self, body: bytes) -> ProviderEvent:
        return paystack_shapes.event_from(body)

    # What customers and banks do.

    def capture(self, entry: Entry, amount: Money) -> None:
        if entry.captured is None:
            entry.state, entry.captured = ChargeState.CAPTURED, amount
            self.webhooks.append(self.success_webhook(entry))

    def decline(self, entry: Entry) -> None:
        if entry.captured is None:
            entry.state = ChargeState.FAILED

    def begin_transfer(self, entry: Entry) -> None:
        if entry.captured is None:
            entry.state = ChargeState.MOVING

    def move_refund(self, entry: Entry, refund: BookedRefund, status: RefundStatus) -> None:
        if refund.status in ENDED:
            return
        refund.status = status
        if status in ENDED:
            data = {"id": refund.id, "transaction_reference": entry.reference}
            event = {"event": f"refund.{status.value}", "data": {**data, "status": status.value}}
            self.webhooks.append(json.dumps(event).encode())

    def success_webhook(self, entry: Entry, **altered: object) -> bytes:
        charge = self._as_charge(entry)
        data: dict[str, object] = {
            "id": charge.provider_id,
            "reference": charge.reference,
            "status": "success",
            "amount": charge.amount.amount,
            "currency": charge.amount.currency,
            "domain": self.mode,
            "metadata": {"order_id": entry.order_id},
            "channel": "card",
        }
        return json.dumps({"event": "charge.success", "data": data | altered}).encode()

    def _as_charge(self, entry: Entry) -> Charge:
        back = entry.captured is not None and entry.kept == 0
        return Charge(
            reference=entry.reference,
            state=ChargeState.RETURNED if back else entry.state,
            amount=entry.captured or entry.asked,
            mode=self.mode,
            provider_id=entry.id,
            order_id=entry.order_id,
            channel="card",
            paid_at=datetime.now(UTC) if entry.captured else None,
        )

    def _before(self, *, refunding: bool = False) -> None:
        if self.bad_day == "away":
            raise ProviderUnavailable("away")
        if self.bad_day == "killed_before":
            self.bad_day = None
            raise Killed
        if self.bad_day == "no_balance" and refunding:
            self.bad_day = None
            raise ProviderRefused("Insufficient balance", "insufficient_balance")

    def _after(self) -> None:
        bad_day = self.bad_day
        if bad_day in ("cut", "killed_after"):
            self.bad_day = None
            raise Killed if bad_day == "killed_after" else ProviderUnclear("cut")


def _as_refund(booked: BookedRefund) -> ProviderRefund:
    return ProviderRefund(booked.id, booked.status, booked.amount, booked.note)
