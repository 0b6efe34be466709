"""The schema in one file. The tables for events are oja_events' own (see oja_events.schema)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Sequence, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text

from oja_events.audit import audit_log
from oja_web.idempotency_store import idempotency_keys


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  # read once by SQLAlchemy
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


idempotency_keys(Base.metadata)
audit_log(Base.metadata)
order_number = Sequence("order_number", start=100001, metadata=Base.metadata)


class OrderRow(Base):
    __tablename__ = "orders"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[UUID]
    contact: Mapped[dict[str, Any]]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    shipping_address: Mapped[dict[str, Any]]
    note: Mapped[str | None]
    total_amount: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    payment_status: Mapped[str]
    payment_reference: Mapped[str | None]
    refund_references: Mapped[list[str]]
    # Only the release before this one reads it; the next one drops it.
    refunded_references: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    refunds_done: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    tracking: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    cancel_reason: Mapped[str | None]
    placed_at: Mapped[datetime]
    pay_before: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint("total_amount >= 0", name="orders_total_not_negative"),
        Index("orders_by_customer", "customer_id", "id"),
        Index("orders_by_status", "status", "id"),
    )


class HistoryRow(Base):
    __tablename__ = "order_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    at: Mapped[datetime]
    type: Mapped[str]
    actor: Mapped[str]
    detail: Mapped[str | None]
    cause: Mapped[UUID | None]

    __table_args__ = (Index("order_history_by_order", "order_id", "id"),)


class ErasureRow(Base):
    """A customer who closed their account; `erased_at` once no order names them."""

    __tablename__ = "erasures"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class AddressBookRow(Base):
    """Addresses by id, as identity told of them last."""

    __tablename__ = "address_books"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    addresses: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]


class CartRow(Base):
    __tablename__ = "carts"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    items: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]

    __table_args__ = (Index("carts_by_age", "updated_at"),)


class OfferedProductRow(Base):
    """The newest version that we have heard of, so that late news can be told from new."""

    __tablename__ = "offered_products"

    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]


class OfferRow(Base):
    __tablename__ = "offers"

    sku: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("offered_products.product_id"))
    name: Mapped[str]
    options: Mapped[dict[str, Any]]
    price_amount: Mapped[int]
    currency: Mapped[str]
    available: Mapped[int]
    buyable: Mapped[bool]
    image_url: Mapped[str | None]

    __table_args__ = (Index("offers_by_product", "product_id"),)
