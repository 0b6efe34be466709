"""Money on its way back to a customer.

    pending ──▶ processing ──▶ processed
       │             └───────▶ failed
       └──▶ needs-attention ──▶ (on again, once staff has seen to it)

`processed` and `failed` are final, and told once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from oja_events.contracts import Event
from oja_events.contracts.payments import PaymentRefunded, RefundFailed
from payments.domain.payment import Payment, PaymentStatus
from payments.domain.values import Bill, Money

# From then on staff should know that a customer still waits.
PATIENCE = timedelta(hours=24)
# How long to wait for the next look, by the number of looks so far; webhooks shorten the wait.
LOOK_AFTER = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
)


class RefundStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    PROCESSED = "processed"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs-attention"


class RefundKind(StrEnum):
    """`order`: all that is left, asked for by ordering. `misfit`: money that does not fit our
    books, sent back by ourselves. Each at most once per payment."""

    ORDER = "order"
    MISFIT = "misfit"
    STAFF = "staff"


_FINAL = frozenset({RefundStatus.PROCESSED, RefundStatus.FAILED})


class NotRefundable(Exception):
    """No money came with this payment."""


class WrongCurrency(Exception):
    """Money goes back in the currency in which it came."""

    def __init__(self, right: str) -> None:
        super().__init__(f"The payment was made in {right}.")
        self.errors = {"amount.currency": [f"Must be {right}."]}


class RefundTooLarge(Exception):
    """More than was paid and has not gone back yet."""


@dataclass(slots=True, kw_only=True)
class Refund:
    """`looks` counts the times that Paystack was asked for or about it."""

    id: UUID
    reference: str
    bill: Bill
    kind: RefundKind
    amount: Money
    reason: str
    requested_by: str
    requested_at: datetime
    status: RefundStatus = RefundStatus.PENDING
    provider_id: int | None = None
    failure: str | None = None
    ended_at: datetime | None = None
    looks: int = 0
    next_look_at: datetime | None = None
    _events: list[Event] = field(default_factory=list, repr=False)

    @property
    def is_final(self) -> bool:
        return self.status in _FINAL

    def is_overdue(self, now: datetime) -> bool:
        """Whether a customer has waited for it for more than a day."""
        return not self.is_final and now - self.requested_at > PATIENCE

    @property
    def note(self) -> str:
        """What Paystack keeps beside it, by which we find it again after a lost answer."""
        return f"Refund {self.id}"

    def found(self, provider_id: int, status: RefundStatus, *, now: datetime) -> None:
        """Take over the state at Paystack; hearing it again, or late, changes nothing."""
        if self.is_final:
            return
        self.provider_id = provider_id
        self.status = status
        if status is RefundStatus.PROCESSED:
            self._end(now)
            self.tell_refunded()
        elif status is RefundStatus.FAILED:
            self._fail("Paystack could not send the money back", now)
        else:
            self.look_later(now)

    def refuse(self, reason: str, *, now: datetime) -> None:
        """Paystack will not do it at all."""
        if not self.is_final:
            self.status = RefundStatus.FAILED
            self._fail(reason, now)

    def look_later(self, now: datetime, *, at_least: timedelta = timedelta(0)) -> None:
        """Plan the next look, unless news has come during this one and asks for it at once."""
        if self.next_look_at is not None and self.next_look_at <= now:
            return
        planned = LOOK_AFTER[min(self.looks, len(LOOK_AFTER)) - 1]
        self.next_look_at = now + max(planned, at_least)

    def tell_refunded(self) -> None:
        """Say (again) that this money is back with the customer."""
        if self.ended_at is None:
            raise ValueError(f"refund {self.id} has not ended")
        self._events.append(
            PaymentRefunded(
                order_id=self.bill.order_id,
                number=self.bill.number,
                contact=self.bill.contact.told(),
                reference=self.reference,
                refund_id=self.id,
                amount=self.amount.told(),
                refunded_at=self.ended_at,
            )
        )

    def pull_events(self) -> list[Event]:
        """Hand over what there is to tell since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def _end(self, now: datetime) -> None:
        self.ended_at = now
        self.next_look_at = None

    def _fail(self, reason: str, now: datetime) -> None:
        self._end(now)
        self.failure = reason
        self._events.append(
            RefundFailed(
                order_id=self.bill.order_id,
                number=self.bill.number,
                contact=self.bill.contact.told(),
                reference=self.reference,
                refund_id=self.id,
                amount=self.amount.told(),
                reason=reason,
                failed_at=now,
            )
        )


def refundable(payment: Payment, refunds: Iterable[Refund]) -> Money:
    """What was paid and is neither back nor on its way; raises NotRefundable."""
    if payment.captured is None:
        raise NotRefundable("No money came with this payment.")
    taken = sum(each.amount.amount for each in refunds if each.status is not RefundStatus.FAILED)
    return Money(payment.captured.amount - taken, payment.captured.currency)


def public_status(payment: Payment, refunds: Iterable[Refund]) -> str:
    """The payment and its refunds in one word, as clients see it."""
    counted = [each for each in refunds if each.status is not RefundStatus.FAILED]
    if any(not each.is_final for each in counted):
        return "refund_pending"
    back = sum(each.amount.amount for each in counted)
    if payment.captured and back >= payment.captured.amount:
        return "refunded"
    if back:
        return "partially_refunded"
    # Money that does not fit our books is for staff to see to; to the customer nothing is paid.
    return "failed" if payment.status is PaymentStatus.DISPUTED else payment.status.value
