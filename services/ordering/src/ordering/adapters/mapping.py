"""Rows <-> aggregates, spelled out, so that the domain stays free of tables."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from ordering.adapters.tables import OfferRow, OrderRow
from ordering.domain.cart import Cart, CartItem
from ordering.domain.order import CancelReason, Order, OrderStatus, PaymentStatus
from ordering.domain.values import (
    Address,
    Contact,
    HistoryEntry,
    Money,
    Offer,
    OrderLine,
    Refunded,
    Tracking,
)


def order_from(row: OrderRow) -> Order:
    return Order(
        id=row.id,
        number=row.number,
        customer_id=row.customer_id,
        contact=Contact(**row.contact),
        lines=tuple(_line_from(line) for line in row.lines),
        shipping_address=Address(**row.shipping_address),
        note=row.note,
        status=OrderStatus(row.status),
        payment_status=PaymentStatus(row.payment_status),
        payment_reference=row.payment_reference,
        refund_references=frozenset(row.refund_references),
        refunds_done={
            UUID(id): Refunded(each["reference"], Money(**each["amount"]))
            for id, each in row.refunds_done.items()
        },
        tracking=Tracking(**row.tracking) if row.tracking else None,
        cancel_reason=CancelReason(row.cancel_reason) if row.cancel_reason else None,
        placed_at=row.placed_at,
        pay_before=row.pay_before,
        paid_at=row.paid_at,
        shipped_at=row.shipped_at,
        completed_at=row.completed_at,
        cancelled_at=row.cancelled_at,
        version=row.version,
    )


def new_order(order: Order) -> dict[str, Any]:
    """All columns of an order that was just placed."""
    return {
        "id": order.id,
        "number": order.number,
        "customer_id": order.customer_id,
        "contact": {"email": order.contact.email, "name": order.contact.name},
        "lines": [_line_to(line) for line in order.lines],
        "shipping_address": asdict(order.shipping_address),
        "note": order.note,
        "total_amount": order.total.amount,
        "currency": order.total.currency,
        "placed_at": order.placed_at,
        "pay_before": order.pay_before,
        "version": 1,
        **progress(order),
    }


def progress(order: Order) -> dict[str, Any]:
    """What may change after an order is placed; the rest is a snapshot."""
    return {
        "status": order.status,
        "payment_status": order.payment_status,
        "payment_reference": order.payment_reference,
        "refund_references": sorted(order.refund_references),
        "refunds_done": {str(id): asdict(each) for id, each in order.refunds_done.items()},
        "tracking": asdict(order.tracking) if order.tracking else None,
        "cancel_reason": order.cancel_reason,
        "paid_at": order.paid_at,
        "shipped_at": order.shipped_at,
        "completed_at": order.completed_at,
        "cancelled_at": order.cancelled_at,
    }


def history(entries: Sequence[HistoryEntry]) -> dict[str, Any]:
    """What happened to an order, numbered."""
    values: dict[str, Any] = {}
    for n, entry in enumerate(entries):
        values |= {
            f"at{n}": entry.at,
            f"type{n}": entry.type,
            f"actor{n}": entry.actor,
            f"detail{n}": entry.detail,
        }
    return values


def cart_from(customer_id: UUID, items: dict[str, Any]) -> Cart:
    return Cart(
        customer_id,
        {
            sku: CartItem(item["quantity"], Money(**item["seen_price"]))
            for sku, item in items.items()
        },
    )


def cart_items(cart: Cart) -> dict[str, Any]:
    return {
        sku: {"quantity": item.quantity, "seen_price": _money_to(item.seen_price)}
        for sku, item in cart.items.items()
    }


def offer_from(row: OfferRow | Row[Any]) -> Offer:
    return Offer(
        sku=row.sku,
        product_id=row.product_id,
        name=row.name,
        options=row.options,
        price=Money(row.price_amount, row.currency),
        available=row.available,
        buyable=row.buyable,
        image_url=row.image_url,
    )


def _line_to(line: OrderLine) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "product_id": str(line.product_id),
        "name": line.name,
        "options": line.options,
        "quantity": line.quantity,
        "unit_price": _money_to(line.unit_price),
    }


def _money_to(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}


def _line_from(line: dict[str, Any]) -> OrderLine:
    return OrderLine(
        sku=line["sku"],
        product_id=UUID(line["product_id"]),
        name=line["name"],
        options=line["options"],
        quantity=line["quantity"],
        unit_price=Money(**line["unit_price"]),
    )
