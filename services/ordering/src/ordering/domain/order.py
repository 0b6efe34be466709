"""An order, and the only ways its status may change.

    placed ──stock held──▶ awaiting payment ──paid──▶ processing ──▶ shipped ──▶ completed
       └──────────┬──────────────┘                        │
                  ▼                                       │
              cancelled ◀── customer, staff: money back ──┘

Money that comes for an order that cannot use it (cancelled, or paid already) is asked back.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import reduce
from operator import add
from typing import Any
from uuid import UUID

from oja_events.contracts import Event
from ordering.domain import telling
from ordering.domain.values import (
    Address,
    Contact,
    HistoryEntry,
    Money,
    OrderLine,
    Refunded,
    Tracking,
)


class OrderStatus(StrEnum):
    PLACED = "placed"
    AWAITING_PAYMENT = "awaiting_payment"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    @property
    def words(self) -> str:
        """As people say it."""
        return self.value.replace("_", " ")


class PaymentStatus(StrEnum):
    UNPAID = "unpaid"
    PAID = "paid"
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"


class CancelReason(StrEnum):
    OUT_OF_STOCK = "out_of_stock"
    EXPIRED = "expired"
    CUSTOMER = "customer"
    STAFF = "staff"


_NEXT = {
    OrderStatus.PLACED: {
        OrderStatus.AWAITING_PAYMENT,
        OrderStatus.PROCESSING,
        OrderStatus.CANCELLED,
    },
    OrderStatus.AWAITING_PAYMENT: {OrderStatus.PROCESSING, OrderStatus.CANCELLED},
    OrderStatus.PROCESSING: {OrderStatus.SHIPPED, OrderStatus.CANCELLED},
    OrderStatus.SHIPPED: {OrderStatus.COMPLETED},
    OrderStatus.COMPLETED: set(),
    OrderStatus.CANCELLED: set(),
}


class IllegalTransition(Exception):
    """The order cannot go there from where it is."""

    def __init__(self, current: OrderStatus, wanted: OrderStatus) -> None:
        super().__init__(f"An order that is {current.words} cannot become {wanted.words}.")
        self.current = current
        self.wanted = wanted


@dataclass(slots=True, kw_only=True)
class Order:
    id: UUID
    number: str
    customer_id: UUID
    contact: Contact
    lines: tuple[OrderLine, ...]
    shipping_address: Address
    note: str | None
    placed_at: datetime
    pay_before: datetime
    status: OrderStatus = OrderStatus.PLACED
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    payment_reference: str | None = None
    refund_references: frozenset[str] = frozenset()
    refunds_done: dict[UUID, Refunded] = field(default_factory=dict)
    tracking: Tracking | None = None
    cancel_reason: CancelReason | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    version: int = 0
    _events: list[Event] = field(default_factory=list, repr=False)
    _history: list[HistoryEntry] = field(default_factory=list, repr=False)

    @classmethod
    def place(
        cls,
        *,
        order_id: UUID,
        number: str,
        customer_id: UUID,
        contact: Contact,
        lines: tuple[OrderLine, ...],
        shipping_address: Address,
        note: str | None,
        now: datetime,
        payment_window: timedelta,
    ) -> "Order":
        """A new order, to be paid within `payment_window`."""
        order = cls(
            id=order_id,
            number=number,
            customer_id=customer_id,
            contact=contact,
            lines=lines,
            shipping_address=shipping_address,
            note=note,
            placed_at=now,
            pay_before=now + payment_window,
        )
        order._note(now, "placed", "customer")
        order._events.append(telling.placed(order))
        return order

    @property
    def subtotal(self) -> Money:
        return reduce(add, (line.total for line in self.lines))

    @property
    def shipping_total(self) -> Money:
        return Money(0, self.subtotal.currency)

    @property
    def total(self) -> Money:
        return self.subtotal + self.shipping_total

    def hold_stock(self, *, now: datetime) -> None:
        """Stock is held. If the money overtook this news, the order is complete at once."""
        if self.status is not OrderStatus.PLACED:
            return
        self._note(now, "stock_reserved", "catalog")
        if self.payment_status is PaymentStatus.PAID:
            self._start_processing(now)
        else:
            self._move_to(OrderStatus.AWAITING_PAYMENT)

    def confirm_payment(self, reference: str, amount: Money, *, now: datetime) -> None:
        """Money was captured: use it, or ask for it back.

        Repeated (the same reference): silence. Early (before the stock news): kept until that
        comes. Late (cancelled meanwhile) or second: the money goes back.
        """
        if reference == self.payment_reference or reference in self.refund_references:
            return
        if self.status is OrderStatus.CANCELLED:
            self.payment_status = PaymentStatus.REFUND_PENDING
            self._ask_refund(reference, amount, "the order was cancelled", now)
        elif self.payment_status is not PaymentStatus.UNPAID:
            self._ask_refund(reference, amount, "the order was already paid", now)
        else:
            self._use_payment(reference, now)
        self._judge_refunds(now)

    def note_refund(self, refund_id: UUID, reference: str, amount: Money, *, now: datetime) -> None:
        """So much of a payment is back with the customer, whoever asked for it. Repeated: silence.

        When all that was paid is back, an order that has not left yet is cancelled, so that its
        stock is free again; one that has left stays as it is.
        """
        if refund_id in self.refunds_done:
            return
        self.refunds_done[refund_id] = Refunded(reference, amount)
        self._note(now, "refunded", "payments", f"{amount.amount} {amount.currency}, {reference}")
        self._judge_refunds(now)

    def ship(self, tracking: Tracking | None, *, by: str, now: datetime) -> None:
        if self.status is OrderStatus.SHIPPED and tracking != self.tracking:
            raise IllegalTransition(self.status, OrderStatus.SHIPPED)
        if not self._move_to(OrderStatus.SHIPPED):
            return
        self.shipped_at = now
        self.tracking = tracking
        detail = f"{tracking.carrier} {tracking.number}" if tracking else None
        self._note(now, "shipped", by, detail)
        self._events.append(telling.shipped(self))

    def complete(self, *, by: str, now: datetime) -> None:
        if not self._move_to(OrderStatus.COMPLETED):
            return
        self.completed_at = now
        self._note(now, "completed", by)
        self._events.append(telling.completed(self))

    def cancel(
        self, reason: CancelReason, *, by: str, now: datetime, detail: str | None = None
    ) -> None:
        """Stock and money come back through events. Cancelled already: silence."""
        if not self._move_to(OrderStatus.CANCELLED):
            return
        self.cancelled_at = now
        self.cancel_reason = reason
        self._note(now, "cancelled", by, detail or reason.value)
        self._events.append(telling.cancelled(self))
        if self.payment_status is PaymentStatus.PAID and self.payment_reference:
            self.payment_status = PaymentStatus.REFUND_PENDING
            self._ask_refund(self.payment_reference, self.total, "the order was cancelled", now)

    def standing(self) -> dict[str, Any]:
        """What staff decide about an order, as the audit log keeps it for good: nothing that leads
        to the customer."""
        return {
            "status": self.status,
            "payment_status": self.payment_status,
            "carrier": self.tracking.carrier if self.tracking else None,
            "cancel_reason": self.cancel_reason,
        }

    def pull_events(self) -> list[Event]:
        """Hand over what there is to tell since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def pull_history(self) -> list[HistoryEntry]:
        """Hand over what happened since the last call, oldest first."""
        entries, self._history = self._history, []
        return entries

    def _use_payment(self, reference: str, now: datetime) -> None:
        self.payment_status = PaymentStatus.PAID
        self.payment_reference = reference
        self.paid_at = now
        self._note(now, "paid", "payments", reference)
        if self.status is OrderStatus.AWAITING_PAYMENT:
            self._start_processing(now)

    def _judge_refunds(self, now: datetime) -> None:
        """Draw the conclusion from what is back; the news of it may be older than its payment."""
        if self.payment_status is PaymentStatus.REFUND_PENDING:
            if all(self._is_back(reference) for reference in self.refund_references):
                self.payment_status = PaymentStatus.REFUNDED
        elif self.payment_status is PaymentStatus.PAID and self._is_back(self.payment_reference):
            self.payment_status = PaymentStatus.REFUNDED
            if self.status in (OrderStatus.PLACED, OrderStatus.PROCESSING):
                self.cancel(CancelReason.STAFF, by="payments", now=now, detail="all money is back")

    def _is_back(self, reference: str | None) -> bool:
        # Payments confirms no other amount than the order's.
        parts = [each for each in self.refunds_done.values() if each.reference == reference]
        return sum(each.amount.amount for each in parts) >= self.total.amount

    def _start_processing(self, now: datetime) -> None:
        self._move_to(OrderStatus.PROCESSING)
        self._note(now, "processing", "ordering")
        self._events.append(telling.paid(self))

    def _ask_refund(self, reference: str, amount: Money, reason: str, now: datetime) -> None:
        self.refund_references |= {reference}
        self._note(now, "refund_requested", "ordering", reason)
        self._events.append(telling.refund_requested(self, reference, amount, reason, now))

    def _move_to(self, wanted: OrderStatus) -> bool:
        """Change status; False means the order was already there.

        The broker delivers at least once, so hearing the same news twice is normal and silent.
        """
        if self.status is wanted:
            return False
        if wanted not in _NEXT[self.status]:
            raise IllegalTransition(self.status, wanted)
        self.status = wanted
        return True

    def _note(self, at: datetime, type: str, actor: str, detail: str | None = None) -> None:
        self._history.append(HistoryEntry(at, type, actor, detail))
