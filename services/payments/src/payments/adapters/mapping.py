"""Rows <-> aggregates, spelled out, so that the domain stays free of tables."""

from dataclasses import asdict
from typing import Any

from payments.adapters.tables import OrderRow, PaymentRow, RefundRow
from payments.domain.order import ClosedReason, Order, OrderState
from payments.domain.payment import Payment, PaymentStatus
from payments.domain.refund import Refund, RefundKind, RefundStatus
from payments.domain.values import Bill, Contact, Money


def order_from(row: OrderRow) -> Order:
    return Order(
        id=row.order_id,
        bill=bill_from(row) if row.number is not None else None,
        state=OrderState(row.state),
        closed_reason=ClosedReason(row.closed_reason) if row.closed_reason else None,
        paid_reference=row.paid_reference,
        next_look_at=row.next_look_at,
    )


def bill_from(row: OrderRow) -> Bill:
    """The bill of an order that was heard of; the table holds all of its columns or none."""
    if (
        row.number is None
        or row.customer_id is None
        or row.contact is None
        or row.amount is None
        or row.currency is None
        or row.pay_before is None
    ):
        raise ValueError(f"order {row.order_id} was not heard of yet")
    return Bill(
        order_id=row.order_id,
        number=row.number,
        customer_id=row.customer_id,
        contact=Contact(**row.contact),
        total=Money(row.amount, row.currency),
        pay_before=row.pay_before,
    )


def order_values(order: Order) -> dict[str, Any]:
    """Everything that we may learn of an order."""
    values = {
        "state": order.state,
        "closed_reason": order.closed_reason,
        **capture_values(order),
    }
    if order.bill is None:
        return values
    return values | {
        "number": order.bill.number,
        "customer_id": order.bill.customer_id,
        "contact": asdict(order.bill.contact),
        "amount": order.bill.total.amount,
        "currency": order.bill.total.currency,
        "pay_before": order.bill.pay_before,
    }


def capture_values(order: Order) -> dict[str, Any]:
    """What may change of an order when money comes."""
    return {"paid_reference": order.paid_reference, "next_look_at": order.next_look_at}


def payment_from(row: PaymentRow, bill: Bill) -> Payment:
    captured = None
    if row.captured_amount is not None and row.captured_currency is not None:
        captured = Money(row.captured_amount, row.captured_currency)
    return Payment(
        id=row.id,
        reference=row.reference,
        attempt=row.attempt,
        bill=bill,
        created_at=row.created_at,
        status=PaymentStatus(row.status),
        callback_url=row.callback_url,
        authorization_url=row.authorization_url,
        access_code=row.access_code,
        opening_until=row.opening_until,
        provider_id=row.provider_id,
        captured=captured,
        channel=row.channel,
        paid_at=row.paid_at,
        checks=row.checks,
        next_check_at=row.next_check_at,
    )


def new_payment(payment: Payment) -> dict[str, Any]:
    """All columns of a payment that has just begun."""
    return {
        "id": payment.id,
        "reference": payment.reference,
        "order_id": payment.bill.order_id,
        "customer_id": payment.bill.customer_id,
        "attempt": payment.attempt,
        "amount": payment.amount.amount,
        "currency": payment.amount.currency,
        "callback_url": payment.callback_url,
        "created_at": payment.created_at,
        **payment_progress(payment),
    }


def payment_progress(payment: Payment) -> dict[str, Any]:
    """What may change after a payment has begun."""
    return {
        "status": payment.status,
        **page_values(payment),
        "provider_id": payment.provider_id,
        "captured_amount": payment.captured.amount if payment.captured else None,
        "captured_currency": payment.captured.currency if payment.captured else None,
        "channel": payment.channel,
        "paid_at": payment.paid_at,
        "checks": payment.checks,
        "next_check_at": payment.next_check_at,
    }


def page_values(payment: Payment) -> dict[str, Any]:
    """Where it can be paid, or who is about to ask for that."""
    return {
        "authorization_url": payment.authorization_url,
        "access_code": payment.access_code,
        "opening_until": payment.opening_until,
    }


def refund_from(row: RefundRow, bill: Bill) -> Refund:
    return Refund(
        id=row.id,
        reference=row.reference,
        bill=bill,
        kind=RefundKind(row.kind),
        amount=Money(row.amount, row.currency),
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        status=RefundStatus(row.status),
        provider_id=row.provider_id,
        failure=row.failure,
        ended_at=row.ended_at,
        looks=row.looks,
        next_look_at=row.next_look_at,
    )


def new_refund_row(refund: Refund) -> RefundRow:
    row = RefundRow(
        id=refund.id,
        reference=refund.reference,
        kind=refund.kind,
        amount=refund.amount.amount,
        currency=refund.amount.currency,
        reason=refund.reason,
        requested_by=refund.requested_by,
        requested_at=refund.requested_at,
    )
    write_refund(refund, row)
    return row


def write_refund(refund: Refund, row: RefundRow) -> None:
    """Copy what may change after a refund was asked for."""
    row.status = refund.status
    row.provider_id = refund.provider_id
    row.failure = refund.failure
    row.ended_at = refund.ended_at
    row.looks = refund.looks
    row.next_look_at = refund.next_look_at
