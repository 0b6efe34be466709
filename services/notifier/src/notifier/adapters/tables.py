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
    Integer,
    Sequence,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text

from oja_events.audit import audit_log


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  # read once by SQLAlchemy
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


audit_log(Base.metadata)
sender_number = Sequence("sender_number", data_type=Integer(), cycle=True, metadata=Base.metadata)

_FROM_EVENTS = sql("kind = 'event'")
# Whose mail it is, as far as its event names a person: those of payments name the order alone.
PERSON = "coalesce(facts ->> 'customer_id', facts ->> 'user_id')"


class MailRow(Base):
    """The ledger. Lists leave out the columns that hold the words."""

    __tablename__ = "mails"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    event_id: Mapped[UUID]
    template: Mapped[str]
    template_version: Mapped[str]
    occasion: Mapped[str]
    order_id: Mapped[UUID | None]
    link_request: Mapped[UUID | None]
    sender: Mapped[str]
    recipient: Mapped[str]
    recipient_name: Mapped[str]
    recipient_id: Mapped[UUID | None]
    message_id: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str] = mapped_column(deferred=True, deferred_group="words")
    html: Mapped[str] = mapped_column(deferred=True, deferred_group="words")
    facts: Mapped[dict[str, Any]] = mapped_column(deferred=True, deferred_group="words")
    sha256: Mapped[str]
    status: Mapped[str]
    attempts: Mapped[int]
    doubts: Mapped[int]
    claimed_by: Mapped[int | None] = mapped_column(Integer)
    claimed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    resend_of: Mapped[UUID | None] = mapped_column(ForeignKey("mails.id"))
    requested_by: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("kind IN ('event', 'resend', 'test')", name="mails_kind"),
        CheckConstraint(
            "status IN ('pending', 'sending', 'sent', 'failed', 'unknown')", name="mails_status"
        ),
        CheckConstraint("(kind = 'resend') = (resend_of IS NOT NULL)", name="mails_resend_of"),
        CheckConstraint(
            "status <> 'pending' OR next_attempt_at IS NOT NULL", name="mails_pending_is_due"
        ),
        CheckConstraint(
            "status <> 'sending' OR claimed_by IS NOT NULL", name="mails_sending_is_claimed"
        ),
        CheckConstraint("doubts BETWEEN 0 AND 2", name="mails_doubts"),
        CheckConstraint(
            "link_request IS NULL OR (text = '' AND html = '')", name="mails_no_words_around_a_link"
        ),
        Index(
            "mails_once_per_event",
            "event_id",
            "template",
            "recipient",
            unique=True,
            postgresql_where=_FROM_EVENTS,
        ),
        Index(
            "mails_once_per_occasion",
            "occasion",
            "template",
            "recipient",
            unique=True,
            postgresql_where=_FROM_EVENTS,
        ),
        Index(
            "mails_due",
            "next_attempt_at",
            postgresql_where=sql("next_attempt_at IS NOT NULL AND claimed_by IS NULL"),
        ),
        Index("mails_claimed", "claimed_by", postgresql_where=sql("claimed_by IS NOT NULL")),
        Index("mails_by_recipient", sql("lower(recipient)"), "id"),
        Index(
            "mails_by_member",
            "recipient_id",
            postgresql_where=sql("recipient_id IS NOT NULL"),
        ),
        Index("mails_by_person", sql(PERSON)),
        Index("mails_by_order", "order_id", "id"),
        Index("mails_by_status", "status", "id"),
        Index("mails_by_template", "template", "id"),
    )


class AlertRow(Base):
    __tablename__ = "alerts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    occasion: Mapped[str]
    title: Mapped[str]
    detail: Mapped[str]
    order_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=sql("'{}'"))
    raised_at: Mapped[datetime]
    mail_due_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("kind", "occasion", name="alerts_once"),
        CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="alerts_acknowledged"
        ),
        Index(
            "alerts_to_mail",
            "kind",
            "mail_due_at",
            postgresql_where=sql("mail_due_at IS NOT NULL"),
        ),
        Index("alerts_by_kind", "kind", "id"),
        Index("alerts_open", "id", postgresql_where=sql("acknowledged_at IS NULL")),
    )


class ErasureRow(Base):
    """A customer who closed their account, and of whom nothing is to be kept any more."""

    __tablename__ = "erasures"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]


class StaffRow(Base):
    """Identity's news of the staff; without an address: not to be written to, or no longer."""

    __tablename__ = "staff"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    email: Mapped[str | None]
    name: Mapped[str | None]
    permissions: Mapped[list[str]]

    __table_args__ = (
        CheckConstraint("(email IS NULL) = (name IS NULL)", name="staff_who"),
        CheckConstraint("email IS NOT NULL OR permissions = '{}'", name="staff_nobody_may_nothing"),
    )


class AlertWishesRow(Base):
    """What somebody does not want to get by mail."""

    __tablename__ = "alert_wishes"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    muted: Mapped[list[str]]


class TemplateVersionRow(Base):
    """The highest number is in use; one without words is a return to what is shipped."""

    __tablename__ = "template_versions"

    template: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subject: Mapped[str | None]
    text: Mapped[str | None]
    html: Mapped[str | None]
    edited_at: Mapped[datetime]
    edited_by: Mapped[str]

    __table_args__ = (
        CheckConstraint("number > 0", name="template_versions_number"),
        CheckConstraint(
            "(subject IS NULL) = (text IS NULL) AND (text IS NULL) = (html IS NULL)",
            name="template_versions_whole",
        ),
    )


class MailPaceRow(Base):
    """One row: all senders of all processes keep to it."""

    __tablename__ = "mail_pace"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    next_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="mail_pace_alone"),)
