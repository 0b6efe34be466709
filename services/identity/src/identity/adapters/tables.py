"""The schema in one file. The tables for events are oja_events' own (see oja_events.schema)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text

from oja_events.audit import audit_log


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  # read once by SQLAlchemy
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
    }


audit_log(Base.metadata)


class UserRow(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_canonical: Mapped[str] = mapped_column(unique=True)
    email_verified: Mapped[bool]
    first_name: Mapped[str]
    last_name: Mapped[str]
    phone: Mapped[str | None]
    password_hash: Mapped[str]
    password_changed_at: Mapped[datetime]
    is_active: Mapped[bool]
    access_generation: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint("email_canonical = lower(email_canonical)", name="users_email_canonical"),
    )


class PermissionRow(Base):
    __tablename__ = "permissions"

    name: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str]


class RoleRow(Base):
    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str]
    built_in: Mapped[bool]
    version: Mapped[int] = mapped_column(server_default=text("1"))


class RolePermissionRow(Base):
    __tablename__ = "role_permissions"

    role: Mapped[str] = mapped_column(
        ForeignKey("roles.name", ondelete="CASCADE"), primary_key=True
    )
    permission: Mapped[str] = mapped_column(ForeignKey("permissions.name"), primary_key=True)


class UserRoleRow(Base):
    __tablename__ = "user_roles"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(ForeignKey("roles.name"), primary_key=True)

    __table_args__ = (Index("user_roles_by_role", "role", "user_id"),)


class AddressRow(Base):
    __tablename__ = "addresses"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    full_name: Mapped[str]
    phone: Mapped[str]
    line1: Mapped[str]
    line2: Mapped[str | None]
    city: Mapped[str]
    state: Mapped[str]
    postal_code: Mapped[str | None]
    country: Mapped[str]
    is_default: Mapped[bool]

    __table_args__ = (
        Index("addresses_by_user", "user_id", "id"),
        Index("addresses_one_default", "user_id", unique=True, postgresql_where=text("is_default")),
    )


class RefreshFamilyRow(Base):
    """One sign-in: everything that was refreshed from it ends with it."""

    __tablename__ = "refresh_families"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    audience: Mapped[str] = mapped_column(server_default=text("'oja'"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        Index("refresh_families_by_user", "user_id"),
        Index("refresh_families_by_expiry", "expires_at"),
    )


class RefreshTokenRow(Base):
    __tablename__ = "refresh_tokens"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    family_id: Mapped[UUID] = mapped_column(ForeignKey("refresh_families.id", ondelete="CASCADE"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("octet_length(digest) = 32", name="refresh_tokens_are_digests"),
        Index("refresh_tokens_by_family", "family_id"),
        # At most one token of a family is good, whatever a bug or a race does.
        Index(
            "refresh_tokens_one_unspent",
            "family_id",
            unique=True,
            postgresql_where=text("spent_at IS NULL"),
        ),
    )


class AdminSessionRow(Base):
    __tablename__ = "admin_sessions"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    id: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    address: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("octet_length(digest) = 32", name="admin_sessions_are_digests"),
        UniqueConstraint("id", name="admin_sessions_id"),
        Index("admin_sessions_by_user", "user_id"),
    )


class OneTimeRequestRow(Base):
    """`digest` is that of the link sent last; NULL until notifier has asked for one."""

    __tablename__ = "one_time_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    email: Mapped[str]
    email_canonical: Mapped[str]
    password_changed_at: Mapped[datetime]
    requested_at: Mapped[datetime]
    digest: Mapped[bytes | None] = mapped_column(unique=True)
    issued_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "purpose IN ('verify_email', 'reset_password', 'change_email')",
            name="one_time_requests_purpose",
        ),
        CheckConstraint("octet_length(digest) = 32", name="one_time_requests_are_digests"),
        CheckConstraint("(digest IS NULL) = (issued_at IS NULL)", name="one_time_requests_issued"),
        # The newest wish is the only one.
        UniqueConstraint("user_id", "purpose", name="one_time_requests_newest"),
        Index("one_time_requests_by_age", "requested_at"),
    )


class ForgottenPasswordRow(Base):
    """What somebody typed, canonical; NULL if it cannot be an address. Deleted when looked at."""

    __tablename__ = "forgotten_passwords"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email_canonical: Mapped[str | None]
    address: Mapped[str | None]
    asked_at: Mapped[datetime]


class ErasureRow(Base):
    """An account that was closed; the row of its user stays, without anybody in it."""

    __tablename__ = "erasures"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime]

    __table_args__ = (Index("erasures_by_time", "asked_at", "user_id"),)


class ErasureReceiptRow(Base):
    """Another service has forgotten them."""

    __tablename__ = "erasure_receipts"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    records: Mapped[int]
    erased_at: Mapped[datetime]
