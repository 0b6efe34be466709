"""What an order tells the other services, in the words of the contracts."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from oja_events import contracts
from oja_events.contracts import Event
from oja_events.contracts import ordering as told
from ordering.domain.values import Money, OrderLine, Tracking

if TYPE_CHECKING:  # an order tells, so it imports us
    from ordering.domain.order import Order


def placed(order: "Order") -> Event:
    return _of(
        order,
        told.OrderPlaced,
        placed_at=order.placed_at,
        pay_before=order.pay_before,
        **_basket(order),
    )


def paid(order: "Order") -> Event:
    return _of(
        order,
        told.OrderPaid,
        payment_reference=order.payment_reference,
        paid_at=order.paid_at,
        **_basket(order),
    )


def shipped(order: "Order") -> Event:
    parcel = _parcel(order.tracking) if order.tracking else None
    return _of(
        order, told.OrderShipped, tracking=parcel, shipped_at=order.shipped_at, **_basket(order)
    )


def completed(order: "Order") -> Event:
    return _of(order, told.OrderCompleted, completed_at=order.completed_at, **_basket(order))


def cancelled(order: "Order") -> Event:
    return _of(
        order,
        told.OrderCancelled,
        reason=order.cancel_reason.value if order.cancel_reason else None,
        was_paid=order.payment_reference is not None,
        cancelled_at=order.cancelled_at,
        **_basket(order),
    )


def refund_requested(
    order: "Order", reference: str, amount: Money, reason: str, at: datetime
) -> Event:
    return _of(
        order,
        told.RefundRequested,
        payment_reference=reference,
        amount=_money(amount),
        reason=reason,
        requested_at=at,
    )


def _of(order: "Order", event: Callable[..., Event], **fields: object) -> Event:
    """With what every event of an order says."""
    return event(
        order_id=order.id,
        number=order.number,
        customer_id=order.customer_id,
        contact=contracts.Contact(email=order.contact.email, name=order.contact.name),
        **fields,
    )


def _basket(order: "Order") -> dict[str, object]:
    return {"lines": tuple(_line(line) for line in order.lines), "total": _money(order.total)}


def _line(line: OrderLine) -> contracts.Line:
    return contracts.Line(
        sku=line.sku,
        product_id=line.product_id,
        name=line.name,
        options=line.options,
        quantity=line.quantity,
        unit_price=_money(line.unit_price),
    )


def _parcel(tracking: Tracking) -> told.Tracking:
    return told.Tracking(carrier=tracking.carrier, number=tracking.number, url=tracking.url)


def _money(money: Money) -> contracts.Money:
    return contracts.Money(amount=money.amount, currency=money.currency)
