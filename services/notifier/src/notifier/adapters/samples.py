"""Facts as they come, for templates to be tried with: every turn that an event can take."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from notifier.domain.letter import Template
from oja_events.contracts import Contact, Line, Money
from oja_events.contracts.catalog import StockLow
from oja_events.contracts.identity import (
    CustomerRegistered,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    PasswordChanged,
    PasswordResetRequested,
    RefreshTokenReused,
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

Facts = dict[str, Any]

NAME = "Ada Obi"
_ID = UUID("01890000-0000-7000-8000-000000000001")
_AT = datetime(2026, 10, 9, 13, 5, tzinfo=UTC)
_EMAIL = "ada@example.com"
_LINES = (
    Line(
        sku="ADIRE-M",
        product_id=_ID,
        name="Adire shirt",
        quantity=2,
        unit_price=Money(amount=450_000, currency="NGN"),
        options={"colour": "indigo", "size": "M"},
    ),
    Line(
        sku="GELE-1",
        product_id=_ID,
        name="Aso oke gele",
        quantity=1,
        unit_price=Money(amount=1_250_050, currency="NGN"),
    ),
)
_TOTAL = Money(amount=2_150_050, currency="NGN")
_WHO: Facts = {"order_id": _ID, "number": "OJ-100042", "contact": Contact(email=_EMAIL, name=NAME)}
_ORDER: Facts = {**_WHO, "customer_id": _ID, "lines": _LINES, "total": _TOTAL}
_PAYMENT: Facts = {**_WHO, "reference": "oja-4f2c9a", "amount": _TOTAL}
_USER: Facts = {"user_id": _ID, "email": _EMAIL, "name": NAME}


def sample_facts(template: Template) -> tuple[Mapping[str, object], ...]:
    """The first is the one to show; the others differ in what a template may ask about."""
    return _SAMPLES[template]


def _order_received() -> tuple[Facts, ...]:
    placed = OrderPlaced(**_ORDER, placed_at=_AT, pay_before=_AT.replace(minute=35))
    facts = asdict(placed)
    return {**facts, "awaits_payment": True}, {**facts, "awaits_payment": False}


def _order_shipped() -> tuple[Facts, ...]:
    tracking = Tracking(
        carrier="GIG Logistics", number="GIG-4711", url="https://track.example/GIG-4711"
    )
    shipped = OrderShipped(**_ORDER, tracking=tracking, shipped_at=_AT)
    other = replace(shipped, tracking=replace(tracking, url=None))
    return asdict(shipped), asdict(other), asdict(replace(shipped, tracking=None))


def _order_completed() -> Facts:
    products = [{"id": line.product_id, "name": line.name} for line in _LINES]
    return {**asdict(OrderCompleted(**_ORDER, completed_at=_AT)), "products": products}


def _order_cancelled() -> tuple[Facts, ...]:
    cancelled = OrderCancelled(**_ORDER, reason="customer", was_paid=True, cancelled_at=_AT)
    reasons = ("customer", "out_of_stock", "expired", "staff")
    return tuple(
        asdict(replace(cancelled, reason=reason, was_paid=was_paid))
        for was_paid in (True, False)
        for reason in reasons
    )


def _payment_confirmed() -> tuple[Facts, ...]:
    confirmed = PaymentConfirmed(**_PAYMENT, channel="bank_transfer", paid_at=_AT)
    return asdict(confirmed), asdict(replace(confirmed, channel=None))


def _refund_failed() -> Facts:
    failed = RefundFailed(
        **_PAYMENT, refund_id=_ID, reason="Refund amount exceeds balance", failed_at=_AT
    )
    return {name: value for name, value in asdict(failed).items() if name != "contact"}


def _payment_alert() -> tuple[Facts, ...]:
    alert = PaymentAlertRaised(
        kind="charge_mismatch",
        about="oj-100042-1",
        detail="amount is 100, not 2150050",
        raised_at=_AT,
        order_id=_ID,
    )
    return asdict(alert), asdict(replace(alert, order_id=None))


def _low_stock() -> tuple[Facts, ...]:
    low = StockLow(
        sku="ADIRE-M",
        product_id=_ID,
        name="Adire shirt",
        available=3,
        threshold=5,
        at=_AT,
        options={"size": "M"},
    )
    other = replace(low, sku="GELE-1", name="Aso oke gele", available=1, options={})
    items = [_alert(f"{one.sku} is running low", "", **asdict(one)) for one in (low, other)]
    return {"items": items}, {"items": items[:1]}


def _mail_failing() -> tuple[Facts, ...]:
    items = [
        _alert(f"Mail order_shipped {_ID} failed", "550 no such mailbox"),
        _alert(f"Mail welcome {_ID} may not have arrived", "no answer"),
    ]
    return {"items": items[:1]}, {"items": items}


def _message_parked() -> tuple[Facts, ...]:
    title = "A message to notifier was parked: oja.ordering.order_placed.v1"
    items = [_alert(title, "rejected: BadAddress: no mail can be sent to 'nobody'")] * 2
    return {"items": items[:1]}, {"items": items}


def _books() -> tuple[Facts, ...]:
    red = BooksTurned(
        rule="stock",
        says="the counters of every SKU are what its ledger and reservations say",
        status="red",
        faults=2,
        ids=("ADIRE-M", "GELE-1"),
        turned_at=_AT,
    )
    return asdict(red), asdict(replace(red, status="green", faults=0, ids=()))


def _alert(title: str, detail: str, **facts: object) -> Facts:
    return {**facts, "title": title, "detail": detail, "raised_at": _AT}


_SAMPLES: dict[Template, tuple[Facts, ...]] = {
    Template.WELCOME: (
        asdict(
            CustomerRegistered(
                customer_id=_ID,
                email=_EMAIL,
                first_name="Ada",
                last_name="Obi",
                registered_at=_AT,
            )
        ),
    ),
    Template.VERIFY_EMAIL: (
        asdict(EmailVerificationRequested(**_USER, request_id=_ID, requested_at=_AT)),
    ),
    Template.RESET_PASSWORD: (
        asdict(PasswordResetRequested(**_USER, request_id=_ID, requested_at=_AT)),
    ),
    Template.PASSWORD_CHANGED: (asdict(PasswordChanged(**_USER, how="reset", changed_at=_AT)),),
    Template.CONFIRM_EMAIL: (
        asdict(EmailChangeRequested(**_USER, request_id=_ID, requested_at=_AT)),
    ),
    Template.EMAIL_CHANGED: (asdict(EmailChanged(**_USER, changed_at=_AT)),),
    Template.SIGN_IN_ENDED: (asdict(RefreshTokenReused(**_USER, noticed_at=_AT)),),
    Template.ORDER_RECEIVED: _order_received(),
    Template.PAYMENT_CONFIRMED: _payment_confirmed(),
    Template.ORDER_SHIPPED: _order_shipped(),
    Template.ORDER_COMPLETED: (_order_completed(),),
    Template.ORDER_CANCELLED: _order_cancelled(),
    Template.REFUND_STARTED: (
        asdict(
            RefundRequested(
                **_WHO,
                customer_id=_ID,
                payment_reference="oja-4f2c9a",
                amount=_TOTAL,
                reason="the order was cancelled",
                requested_at=_AT,
            )
        ),
    ),
    Template.REFUND_DONE: (asdict(PaymentRefunded(**_PAYMENT, refund_id=_ID, refunded_at=_AT)),),
    Template.REFUND_FAILED: (_refund_failed(),),
    Template.PAYMENT_ALERT: _payment_alert(),
    Template.LOW_STOCK: _low_stock(),
    Template.MAIL_FAILING: _mail_failing(),
    Template.MESSAGE_PARKED: _message_parked(),
    Template.BOOKS: _books(),
}
