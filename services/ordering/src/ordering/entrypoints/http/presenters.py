"""Orders and carts as clients see them: plain data, ready to be encoded."""

from dataclasses import asdict
from typing import Any

from ordering.domain.cart import CartItem, problems
from ordering.domain.order import Order, OrderStatus
from ordering.domain.values import HistoryEntry, Money, Offer, OrderLine
from ordering.use_cases.ports import CartView
from ordering.use_cases.queries import ToldEvent

# Clients need not tell the two kinds of waiting apart.
_PUBLIC_STATUS = {
    OrderStatus.PLACED: "pending",
    OrderStatus.AWAITING_PAYMENT: "pending",
    OrderStatus.PROCESSING: "processing",
    OrderStatus.SHIPPED: "shipped",
    OrderStatus.COMPLETED: "completed",
    OrderStatus.CANCELLED: "cancelled",
}
STATUSES = frozenset(_PUBLIC_STATUS.values())
DEFAULT_CURRENCY = "NGN"

_TITLES = {
    "placed": "Order received",
    "stock_reserved": "Items set aside",
    "paid": "Payment received",
    "processing": "Being prepared",
    "shipped": "On its way",
    "completed": "Delivered",
    "cancelled": "Cancelled",
    "refund_requested": "Refund on its way",
    "refunded": "Refunded",
}


def inner_statuses(public: str | None) -> list[str] | None:
    """The stored statuses that clients see as `public`; None stands for all."""
    if public is None:
        return None
    return [status.value for status, name in _PUBLIC_STATUS.items() if name == public]


def order(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "status": _PUBLIC_STATUS[order.status],
        "payment_status": order.payment_status.value,
        "items": [_line(line) for line in order.lines],
        "subtotal": _money(order.subtotal),
        "shipping_total": _money(order.shipping_total),
        "total": _money(order.total),
        "shipping_address": asdict(order.shipping_address),
        "note": order.note,
        "tracking": asdict(order.tracking) if order.tracking else None,
        "cancel_reason": order.cancel_reason,
        "pay_before": order.pay_before,
        "placed_at": order.placed_at,
        "paid_at": order.paid_at,
        "shipped_at": order.shipped_at,
        "completed_at": order.completed_at,
        "cancelled_at": order.cancelled_at,
    }


def timeline(entries: list[HistoryEntry]) -> dict[str, Any]:
    """As customers see it: not who did what, nor staff's own words."""
    return {"items": [{**_entry(entry), "detail": None} for entry in entries]}


def staff_timeline(entries: list[HistoryEntry], told: list[ToldEvent]) -> dict[str, Any]:
    """With who did what and why, which event led to it, and what was told of it."""
    return {
        "items": [
            {**_entry(entry), "detail": _for_staff(entry), "cause": entry.cause}
            for entry in entries
        ],
        "events": [asdict(event) for event in told],
    }


def cart(view: CartView) -> dict[str, Any]:
    lines = [
        _cart_line(sku, item, view.offers.get(sku)) for sku, item in sorted(view.cart.items.items())
    ]
    currencies = [line["unit_price"]["currency"] for line in lines] or [DEFAULT_CURRENCY]
    subtotal = sum(
        line["line_total"]["amount"]
        for line in lines
        if line["line_total"]["currency"] == currencies[0]
    )
    problems_of_lines = {problem for line in lines for problem in line["problems"]}
    mixed = {"mixed_currencies"} if len(set(currencies)) > 1 else set()
    is_free = lines and not any(line["line_total"]["amount"] for line in lines)
    free = {"nothing_to_pay"} if is_free else set()
    return {
        "items": lines,
        "item_count": sum(item.quantity for item in view.cart.items.values()),
        "subtotal": {"amount": subtotal, "currency": currencies[0]},
        "problems": sorted(problems_of_lines | mixed | free),
    }


def _cart_line(sku: str, item: CartItem, offer: Offer | None) -> dict[str, Any]:
    price = offer.price if offer else item.seen_price
    return {
        "sku": sku,
        "product_id": offer.product_id if offer else None,
        "name": offer.name if offer else None,
        "image_url": offer.image_url if offer else None,
        "options": offer.options if offer else {},
        "quantity": item.quantity,
        "unit_price": _money(price),
        "line_total": _money(price * item.quantity),
        "available": max(offer.available, 0) if offer and offer.buyable else 0,
        "problems": problems(item, offer),
    }


def _entry(entry: HistoryEntry) -> dict[str, Any]:
    title = _TITLES.get(entry.type, entry.type)
    return {"at": entry.at, "type": entry.type, "title": title}


def _for_staff(entry: HistoryEntry) -> str:
    return f"{entry.actor}: {entry.detail}" if entry.detail else entry.actor


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "product_id": line.product_id,
        "name": line.name,
        "options": line.options,
        "quantity": line.quantity,
        "unit_price": _money(line.unit_price),
        "line_total": _money(line.total),
    }


def _money(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}
