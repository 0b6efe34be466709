"""The tables that orders and payments share, and their rows as aggregates."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, func

from payments.adapters.mapping import bill_from, order_from, payment_from
from payments.adapters.tables import Base, OrderRow, PaymentRow
from payments.domain.order import Order
from payments.domain.payment import Payment

# Told what time the database says it is, whenever a statement has brought that along.
NoteNow = Callable[[datetime], None]

# Tables and not classes: statements of these are what every payment runs.
ORDERS, PAYMENTS = (Base.metadata.tables[name] for name in ("orders", "payments"))
# Who locks is about to decide something, and needs to know when it is.
NOW = func.now().label("now")


def order_of(row: Row[Any]) -> Order:
    return order_from(cast("OrderRow", row))


def payment_of(row: Row[Any]) -> Payment:
    return payment_from(cast("PaymentRow", row), bill_from(cast("OrderRow", row)))
