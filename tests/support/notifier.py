"""News as notifier hears them, and how it comes to hear them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from oja_events.contracts import Contact, Event, Line, MessageParked, Money
from oja_events.contracts.catalog import CatalogMessageParked, StockLow
from oja_events.contracts.identity import (
    CustomerRegistered,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    PasswordChanged,
    PasswordResetRequested,
    RefreshTokenReused,
    StaffChanged,
)
from oja_events.contracts.ordering import (
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderShipped,
    RefundRequested,
    Tracking,
)
from oja_events.contracts.payments import (
    BooksTurned,
    PaymentAlertRaised,
    PaymentConfirmed,
    PaymentRefunded,
    RefundFailed,
)
from oja_events.envelope import Envelope, encode_data

AFTERNOON = datetime(2026, 10, 9, 13, 5, tzinfo=UTC)
STAFF = "staff@oja.example"
SENDER = "Oja <orders@oja.example>"
STOREFRONT = "https://shop.example"


def naira(amount: int) -> Money:
    return Money(amount=amount, currency="NGN")


def an_address() -> str:
    return f"ada-{uuid4().hex[:8]}@example.com"


def customer_registered(**changes: Any) -> CustomerRegistered:
    fields = {
        "customer_id": uuid4(),
        "email": an_address(),
        "first_name": "Ada",
        "last_name": "Obi",
        "registered_at": AFTERNOON,
    }
    return CustomerRegistered(**fields | changes)


def email_verification_requested(**changes: Any) -> EmailVerificationRequested:
    asked = {"request_id": uuid4(), "requested_at": AFTERNOON}
    return EmailVerificationRequested(**_user() | asked | changes)


def password_reset_requested(**changes: Any) -> PasswordResetRequested:
    asked = {"request_id": uuid4(), "requested_at": AFTERNOON}
    return PasswordResetRequested(**_user() | asked | changes)


def password_changed(**changes: Any) -> PasswordChanged:
    return PasswordChanged(**_user() | {"how": "reset", "changed_at": AFTERNOON} | changes)


def email_change_requested(**changes: Any) -> EmailChangeRequested:
    asked = {"request_id": uuid4(), "requested_at": AFTERNOON}
    return EmailChangeRequested(**_user() | asked | changes)


def email_changed(**changes: Any) -> EmailChanged:
    return EmailChanged(**_user() | {"changed_at": AFTERNOON} | changes)


def refresh_token_reused(**changes: Any) -> RefreshTokenReused:
    return RefreshTokenReused(**_user() | {"noticed_at": AFTERNOON} | changes)


def staff_changed(**changes: Any) -> StaffChanged:
    """By default somebody who may know of everything that staff are alerted of."""
    fields = {
        "user_id": uuid4(),
        "version": 1,
        "email": f"sade-{uuid4().hex[:8]}@oja.example",
        "name": "Sade Bello",
        "is_active": True,
        "permissions": ("alerts:read", "inventory:read", "notifications:read", "payments:read"),
        "changed_at": AFTERNOON,
    }
    return StaffChanged(**fields | changes)


def order_placed(**changes: Any) -> OrderPlaced:
    times = {"placed_at": AFTERNOON, "pay_before": AFTERNOON.replace(minute=35)}
    return OrderPlaced(**_order() | times | changes)


def order_shipped(**changes: Any) -> OrderShipped:
    tracking = Tracking(
        carrier="GIG Logistics", number="GIG-4711", url="https://track.example/GIG-4711"
    )
    return OrderShipped(**_order() | {"tracking": tracking, "shipped_at": AFTERNOON} | changes)


def order_completed(**changes: Any) -> OrderCompleted:
    return OrderCompleted(**_order() | {"completed_at": AFTERNOON} | changes)


def order_cancelled(**changes: Any) -> OrderCancelled:
    how = {"reason": "customer", "was_paid": True, "cancelled_at": AFTERNOON}
    return OrderCancelled(**_order() | how | changes)


def refund_requested(**changes: Any) -> RefundRequested:
    fields = {
        "payment_reference": "oja-4f2c9a",
        "amount": naira(2_150_050),
        "reason": "the order was already paid",
        "requested_at": AFTERNOON,
    }
    order = {name: value for name, value in _order().items() if name not in ("lines", "total")}
    return RefundRequested(**order | fields | changes)


def payment_confirmed(**changes: Any) -> PaymentConfirmed:
    how = {"channel": "bank_transfer", "paid_at": AFTERNOON}
    return PaymentConfirmed(**_payment() | how | changes)


def payment_refunded(**changes: Any) -> PaymentRefunded:
    how = {"refund_id": uuid4(), "refunded_at": AFTERNOON}
    return PaymentRefunded(**_payment() | how | changes)


def refund_failed(**changes: Any) -> RefundFailed:
    how = {"refund_id": uuid4(), "reason": "Refund amount exceeds balance", "failed_at": AFTERNOON}
    return RefundFailed(**_payment() | how | changes)


def books_turned(**changes: Any) -> BooksTurned:
    fields: dict[str, Any] = {
        "rule": "stock",
        "says": "the counters are what the ledger says",
        "status": "red",
        "faults": 2,
        "ids": ("ADIRE-M", "GELE-1"),
        "turned_at": AFTERNOON,
    }
    return BooksTurned(**fields | changes)


def payment_alert_raised(**changes: Any) -> PaymentAlertRaised:
    fields = {
        "kind": "charge_mismatch",
        "about": "oj-100042-1",
        "detail": "amount is 100, not 2150050",
        "raised_at": AFTERNOON,
        "order_id": uuid4(),
    }
    return PaymentAlertRaised(**fields | changes)


def stock_low(**changes: Any) -> StockLow:
    fields = {
        "sku": "ADIRE-M",
        "product_id": uuid4(),
        "name": "Adire shirt",
        "available": 3,
        "threshold": 5,
        "at": AFTERNOON,
        "options": {"size": "M"},
    }
    return StockLow(**fields | changes)


def message_parked(by: type[MessageParked], **changes: Any) -> MessageParked:
    fields = {
        "key": str(uuid4()),
        "message_type": "oja.ordering.order_placed.v1",
        "reason": "failed",
        "error": "KeyError: 'sku'",
        "parked_at": AFTERNOON,
    }
    return by(**fields | changes)


def all_news() -> list[Event]:
    """One event of each kind that notifier writes a mail about."""
    return [
        customer_registered(),
        email_verification_requested(),
        password_reset_requested(),
        password_changed(),
        email_change_requested(),
        email_changed(),
        refresh_token_reused(),
        order_placed(),
        payment_confirmed(),
        order_shipped(),
        order_completed(),
        order_cancelled(),
        refund_requested(),
        payment_refunded(),
        refund_failed(),
        payment_alert_raised(),
        books_turned(),
        stock_low(),
        message_parked(CatalogMessageParked),
    ]


def envelope_of(event: Event, event_id: UUID | None = None) -> Envelope:
    event_id = event_id or uuid7()
    return Envelope(
        specversion="1.0",
        id=event_id,
        source=f"/{event.TYPE.split('.')[1]}",
        type=event.TYPE,
        subject=event.subject,
        time=AFTERNOON,
        sequence=1,
        correlationid=str(event_id),
        data=encode_data(event),
    )


def _user() -> dict[str, Any]:
    return {"user_id": uuid4(), "email": an_address(), "name": "Ada Obi"}


def _order() -> dict[str, Any]:
    return {
        "order_id": uuid4(),
        "number": "OJ-100042",
        "customer_id": uuid4(),
        "contact": Contact(email=an_address(), name="Ada Obi"),
        "lines": (
            Line(
                sku="ADIRE-M",
                product_id=uuid4(),
                name="Adire shirt",
                quantity=2,
                unit_price=naira(450_000),
                options={"colour": "indigo", "size": "M"},
            ),
            Line(
                sku="GELE-1",
                product_id=uuid4(),
                name="Aso oke gele",
                quantity=1,
                unit_price=naira(1_250_050),
            ),
        ),
        "total": naira(2_150_050),
    }


def _payment() -> dict[str, Any]:
    return {
        "order_id": uuid4(),
        "number": "OJ-100042",
        "contact": Contact(email=an_address(), name="Ada Obi"),
        "reference": "oja-4f2c9a",
        "amount": naira(2_150_050),
    }
