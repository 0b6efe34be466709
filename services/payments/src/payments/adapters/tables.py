"""The schema in one file. The tables for events are oja_events' own (see oja_events.schema)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import LargeBinary, Text

from oja_events.audit import audit_log
from oja_web.idempotency_store import idempotency_keys


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  # read once by SQLAlchemy
        int: BigInteger,
        str: Text,
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
    }


idempotency_keys(Base.metadata)
audit_log(Base.metadata)


class OrderRow(Base):
    """All of the bill is empty until the order itself was heard of."""

    __tablename__ = "orders"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str | None]
    customer_id: Mapped[UUID | None]
    contact: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    amount: Mapped[int | None]
    currency: Mapped[str | None]
    pay_before: Mapped[datetime | None]
    state: Mapped[str]
    closed_reason: Mapped[str | None]
    paid_reference: Mapped[str | None]
    next_look_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'payable', 'closed')", name="orders_state"),
        CheckConstraint("(state = 'closed') = (closed_reason IS NOT NULL)", name="orders_closed"),
        CheckConstraint("amount >= 0", name="orders_amount_not_negative"),
        CheckConstraint(
            "num_nulls(number, customer_id, contact, amount, currency, pay_before) IN (0, 6)",
            name="orders_bill_whole",
        ),
        Index("orders_overdue", "next_look_at", postgresql_where=text("next_look_at IS NOT NULL")),
    )


class PaymentRow(Base):
    __tablename__ = "payments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.order_id"))
    customer_id: Mapped[UUID]
    attempt: Mapped[int]
    amount: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    callback_url: Mapped[str | None]
    authorization_url: Mapped[str | None]
    access_code: Mapped[str | None]
    opening_until: Mapped[datetime | None]
    provider_id: Mapped[int | None]
    captured_amount: Mapped[int | None]
    captured_currency: Mapped[str | None]
    channel: Mapped[str | None]
    paid_at: Mapped[datetime | None]
    checks: Mapped[int]
    next_check_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'succeeded', 'failed', 'abandoned', 'disputed')",
            name="payments_status",
        ),
        CheckConstraint("amount > 0", name="payments_amount_positive"),
        CheckConstraint(
            "(status IN ('succeeded', 'disputed')) = (captured_amount IS NOT NULL)"
            " AND num_nulls(captured_amount, captured_currency, paid_at) IN (0, 3)",
            name="payments_captured",
        ),
        # The last wall behind "paid": what is paid is what was owed.
        CheckConstraint(
            "status <> 'succeeded' OR (captured_amount = amount AND captured_currency = currency)",
            name="payments_paid_in_full",
        ),
        Index("payments_attempt", "order_id", "attempt", unique=True),
        Index(
            "payments_one_active",
            "order_id",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index("payments_by_customer", "customer_id", "id"),
        Index(
            "payments_to_check", "next_check_at", postgresql_where=text("next_check_at IS NOT NULL")
        ),
    )


class RefundRow(Base):
    __tablename__ = "refunds"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(ForeignKey("payments.reference"))
    kind: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    status: Mapped[str]
    provider_id: Mapped[int | None] = mapped_column(unique=True)
    failure: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    looks: Mapped[int]
    next_look_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('order', 'misfit', 'staff')", name="refunds_kind"),
        CheckConstraint("amount > 0", name="refunds_amount_positive"),
        CheckConstraint(
            "status IN ('pending', 'processing', 'processed', 'failed', 'needs-attention')",
            name="refunds_status",
        ),
        CheckConstraint(
            "(status IN ('processed', 'failed')) = (ended_at IS NOT NULL)", name="refunds_ended"
        ),
        Index(
            "refunds_once_by_us",
            "reference",
            "kind",
            unique=True,
            postgresql_where=text("kind IN ('order', 'misfit')"),
        ),
        Index("refunds_by_payment", "reference", "id"),
        Index("refunds_due", "next_look_at", postgresql_where=text("next_look_at IS NOT NULL")),
    )


class WebhookRow(Base):
    """Every webhook with a good signature, byte for byte. `reference` is that of the payment which
    it names, known once it was applied."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    body: Mapped[bytes]
    request_id: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    next_attempt_at: Mapped[datetime | None] = mapped_column(server_default=text("now()"))
    applied_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    reference: Mapped[str | None]

    __table_args__ = (
        Index("webhooks_by_reference", "reference"),
        Index(
            "webhooks_to_apply",
            "next_attempt_at",
            "id",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
    )


class AlertRow(Base):
    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    about: Mapped[str]
    detail: Mapped[str]
    order_id: Mapped[UUID | None]
    raised_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (Index("alerts_once", "kind", "about", unique=True),)


class RedRuleRow(Base):
    """A rule of the Books that was red when it was judged last."""

    __tablename__ = "red_rules"

    rule: Mapped[str] = mapped_column(primary_key=True)
    turned_at: Mapped[datetime]


class BooksRow(Base):
    """What the last audit found: one row. `next_at` is when the next one may begin, and while one
    runs, when its worker counts as dead."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    checked_at: Mapped[datetime | None]
    next_at: Mapped[datetime]
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (CheckConstraint("id = 1", name="books_one"),)
