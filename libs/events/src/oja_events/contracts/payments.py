"""What payments tells: money that came, did not come, or went back."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from oja_events.contracts.base import Contact, Event, MessageParked, Money


@dataclass(frozen=True, kw_only=True)
class _PaymentEvent(Event):
    TYPE: ClassVar[str] = ""
    SUBJECT: ClassVar[str] = "order_id"

    order_id: UUID
    number: str
    contact: Contact


@dataclass(frozen=True, kw_only=True)
class PaymentConfirmed(_PaymentEvent):
    """Paystack itself says that this money was captured. Told once per capture.

    Whether the order stands is ordering's to say: a capture may come after a cancellation.
    """

    TYPE: ClassVar[str] = "oja.payments.payment_confirmed.v1"

    reference: str
    amount: Money
    channel: str | None
    paid_at: datetime


@dataclass(frozen=True, kw_only=True)
class PaymentFailed(_PaymentEvent):
    """No money will come: the time to pay is over and Paystack knows of no capture."""

    TYPE: ClassVar[str] = "oja.payments.payment_failed.v1"

    reason: str
    failed_at: datetime


@dataclass(frozen=True, kw_only=True)
class PaymentRefunded(_PaymentEvent):
    """Paystack confirmed that the money went back."""

    TYPE: ClassVar[str] = "oja.payments.payment_refunded.v1"

    reference: str
    refund_id: UUID
    amount: Money
    refunded_at: datetime


@dataclass(frozen=True, kw_only=True)
class PaymentAlertRaised(Event):
    """Staff must look: money or a message about money is not as it should be.

    Told once per `kind` and `about` (a reference, a refund, a webhook). `kind` is an open list.
    """

    TYPE: ClassVar[str] = "oja.payments.payment_alert_raised.v1"
    SUBJECT: ClassVar[str] = "about"

    kind: str
    about: str
    detail: str
    raised_at: datetime
    order_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class BooksTurned(Event):
    """A rule of the Books turned red, so staff must look; or it is green again.

    Told when that changes, not while it stays so. `status` is `red` or `green`; `faults` is how
    many there were when it turned, `ids` names the first of them.
    """

    TYPE: ClassVar[str] = "oja.payments.books_turned.v1"
    SUBJECT: ClassVar[str] = "rule"

    rule: str
    says: str
    status: str
    faults: int
    ids: tuple[str, ...]
    turned_at: datetime


@dataclass(frozen=True, kw_only=True)
class RefundFailed(_PaymentEvent):
    """Paystack refused to give the money back; staff must look."""

    TYPE: ClassVar[str] = "oja.payments.refund_failed.v1"

    reference: str
    refund_id: UUID
    amount: Money
    reason: str
    failed_at: datetime


@dataclass(frozen=True, kw_only=True)
class CustomerPaymentsErased(Event):
    """Payments' receipt: nothing names the customer any more.

    `orders` is how many were masked.
    """

    TYPE: ClassVar[str] = "oja.payments.customer_payments_erased.v1"
    SUBJECT: ClassVar[str] = "customer_id"

    customer_id: UUID
    orders: int
    erased_at: datetime


@dataclass(frozen=True, kw_only=True)
class PaymentsMessageParked(MessageParked):
    """A message to payments was put away."""

    TYPE: ClassVar[str] = "oja.payments.payments_message_parked.v1"
