"""Payments as clients see them: plain data, ready to be encoded."""

from typing import Any

from payments.domain.payment import Payment
from payments.domain.refund import Refund, public_status
from payments.domain.values import Money
from payments.use_cases.queries import PaymentView


def opened(payment: Payment) -> dict[str, Any]:
    return {
        "reference": payment.reference,
        "authorization_url": payment.authorization_url,
        "access_code": payment.access_code,
        "amount": _money(payment.amount),
        "status": payment.status.value,
        "expires_at": payment.bill.pay_before,
    }


def payment(view: PaymentView) -> dict[str, Any]:
    return {
        "reference": view.payment.reference,
        "order_id": view.payment.bill.order_id,
        "amount": _money(view.payment.amount),
        "status": public_status(view.payment, view.refunds),
        "channel": view.payment.channel,
        "paid_at": view.payment.paid_at,
        "created_at": view.payment.created_at,
        "refunds": [refund(each) for each in view.refunds],
    }


def refund(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.id,
        "amount": _money(refund.amount),
        "status": refund.status.value,
        "reason": refund.reason,
    }


def _money(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}
