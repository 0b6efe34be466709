"""What ordering tells: the life of an order."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from oja_events.contracts.base import Contact, Event, Line, MessageParked, Money


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Where a parcel can be followed."""

    carrier: str
    number: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class _OrderEvent(Event):
    SUBJECT: ClassVar[str] = "order_id"
    TYPE: ClassVar[str] = ""

    order_id: UUID
    number: str
    customer_id: UUID
    contact: Contact


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(_OrderEvent):
    """A customer checked out; stock is not held and nothing is paid yet."""

    TYPE: ClassVar[str] = "oja.ordering.order_placed.v1"

    lines: tuple[Line, ...]
    total: Money
    placed_at: datetime
    pay_before: datetime


@dataclass(frozen=True, kw_only=True)
class OrderPaid(_OrderEvent):
    """Stock is held and the money is in: the order may be packed."""

    TYPE: ClassVar[str] = "oja.ordering.order_paid.v1"

    lines: tuple[Line, ...]
    total: Money
    payment_reference: str
    paid_at: datetime


@dataclass(frozen=True, kw_only=True)
class OrderCancelled(_OrderEvent):
    """The order will not be delivered. `was_paid` says that money is on its way back.

    `reason` is one of `out_of_stock`, `expired`, `customer`, `staff`; expect others.
    """

    TYPE: ClassVar[str] = "oja.ordering.order_cancelled.v1"

    lines: tuple[Line, ...]
    total: Money
    reason: str
    was_paid: bool
    cancelled_at: datetime


@dataclass(frozen=True, kw_only=True)
class OrderShipped(_OrderEvent):
    """The parcel has left."""

    TYPE: ClassVar[str] = "oja.ordering.order_shipped.v1"

    lines: tuple[Line, ...]
    total: Money
    tracking: Tracking | None
    shipped_at: datetime


@dataclass(frozen=True, kw_only=True)
class OrderCompleted(_OrderEvent):
    """The customer has the goods."""

    TYPE: ClassVar[str] = "oja.ordering.order_completed.v1"

    lines: tuple[Line, ...]
    total: Money
    completed_at: datetime


@dataclass(frozen=True, kw_only=True)
class RefundRequested(_OrderEvent):
    """This captured payment must go back to the customer, in full."""

    TYPE: ClassVar[str] = "oja.ordering.refund_requested.v1"

    payment_reference: str
    amount: Money
    reason: str
    requested_at: datetime


@dataclass(frozen=True, kw_only=True)
class CustomerOrdersErased(Event):
    """Ordering's receipt: no order of theirs names them any more, and none is under way. Told once
    more when another order was still on its way in.

    `orders` is how many were masked.
    """

    TYPE: ClassVar[str] = "oja.ordering.customer_orders_erased.v1"
    SUBJECT: ClassVar[str] = "customer_id"

    customer_id: UUID
    orders: int
    erased_at: datetime


@dataclass(frozen=True, kw_only=True)
class OrderingMessageParked(MessageParked):
    """A message to ordering was put away."""

    TYPE: ClassVar[str] = "oja.ordering.ordering_message_parked.v1"
