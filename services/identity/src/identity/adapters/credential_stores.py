"""Refresh tokens and admin sessions in Postgres, by digest; its clock says what has expired."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from identity.adapters.signing import AUDIENCE
from identity.adapters.tables import (
    AdminSessionRow,
    RefreshFamilyRow,
    RefreshTokenRow,
    UserRow,
)
from identity.use_cases.ports import SessionOwner, SignIn

# One statement, so that of many who show the same token exactly one finds it unspent. The family is
# locked first: who ends all access waits for us, or we find the family ended.
_ROTATE = text("""
    WITH family AS MATERIALIZED (
        SELECT family.id, family.user_id, family.expires_at
        FROM refresh_tokens AS token
            JOIN refresh_families AS family ON family.id = token.family_id
            JOIN users ON users.id = family.user_id
        WHERE token.digest = :old AND family.revoked_at IS NULL AND family.audience = :audience
            AND family.expires_at > now() AND users.is_active
        FOR UPDATE OF family
    ), spent AS (
        UPDATE refresh_tokens AS token SET spent_at = now() FROM family
        WHERE token.digest = :old AND token.family_id = family.id
            AND token.spent_at IS NULL AND token.expires_at > now()
        RETURNING family.id, family.user_id, family.expires_at
    ), successor AS (
        INSERT INTO refresh_tokens (digest, family_id, issued_at, expires_at)
        SELECT :new, id, now(), least(now() + :idle, expires_at) FROM spent
    )
    SELECT id, user_id FROM spent
""")

_REVOKE_REUSED = text("""
    UPDATE refresh_families AS family SET revoked_at = now()
    FROM refresh_tokens AS token
    WHERE token.digest = :digest AND token.spent_at IS NOT NULL
        AND family.id = token.family_id AND family.revoked_at IS NULL
    RETURNING family.id, family.user_id
""")


class SqlRefreshTokenRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def open_family(
        self, user_id: UUID, digest: bytes, *, idle: timedelta, longest: timedelta
    ) -> SignIn:
        now = func.now()
        family_id = uuid7()
        self._session.execute(
            insert(RefreshFamilyRow).values(
                id=family_id,
                user_id=user_id,
                audience=AUDIENCE,
                created_at=now,
                expires_at=now + longest,
            )
        )
        self._session.execute(
            insert(RefreshTokenRow).values(
                digest=digest,
                family_id=family_id,
                issued_at=now,
                expires_at=now + min(idle, longest),
            )
        )
        return SignIn(family_id, user_id)

    def rotate(self, old: bytes, new: bytes, *, idle: timedelta) -> SignIn | None:
        values = {"old": old, "new": new, "idle": idle, "audience": AUDIENCE}
        found = self._session.execute(_ROTATE, values)
        return _sign_in(found.all())

    def revoke_reused(self, digest: bytes) -> SignIn | None:
        return _sign_in(self._session.execute(_REVOKE_REUSED, {"digest": digest}).all())

    def revoke(self, digest: bytes) -> SignIn | None:
        family = select(RefreshTokenRow.family_id).where(RefreshTokenRow.digest == digest)
        return _sign_in(self._revoke(RefreshFamilyRow.id.in_(family)))

    def revoke_all(self, user_id: UUID) -> None:
        self._revoke(RefreshFamilyRow.user_id == user_id)

    def purge(self, limit: int) -> int:
        expired = (
            select(RefreshFamilyRow.id)
            .where(RefreshFamilyRow.expires_at < func.now())
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        gone = delete(RefreshFamilyRow).where(RefreshFamilyRow.id.in_(expired))
        return len(self._session.execute(gone.returning(RefreshFamilyRow.id)).all())

    def _revoke(self, which: ColumnElement[bool]) -> Sequence[Any]:
        return self._session.execute(
            update(RefreshFamilyRow)
            .where(which, RefreshFamilyRow.revoked_at.is_(None))
            .values(revoked_at=func.now())
            .returning(RefreshFamilyRow.id, RefreshFamilyRow.user_id)
        ).all()


def _sign_in(rows: Sequence[Any]) -> SignIn | None:
    return SignIn(rows[0].id, rows[0].user_id) if rows else None


# How exactly activity is known; a busy console does not write with every click.
_USED_PRECISION = timedelta(minutes=1)


class SqlSessionRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, user_id: UUID, digest: bytes, *, longest: timedelta, address: str | None) -> None:
        now = func.now()
        self._session.execute(
            insert(AdminSessionRow).values(
                digest=digest,
                user_id=user_id,
                created_at=now,
                used_at=now,
                expires_at=now + longest,
                address=address,
            )
        )

    def use(self, digest: bytes, *, idle: timedelta) -> SessionOwner | None:
        stale = AdminSessionRow.used_at < func.now() - _USED_PRECISION
        query = (
            select(UserRow.id, UserRow.access_generation, stale)
            .join(AdminSessionRow, AdminSessionRow.user_id == UserRow.id)
            .where(
                AdminSessionRow.digest == digest,
                AdminSessionRow.used_at > func.now() - idle,
                AdminSessionRow.expires_at > func.now(),
            )
        )
        found = self._session.execute(query).one_or_none()
        if found is None:
            return None
        user_id, access_generation, is_stale = found
        # Whoever ended the session meanwhile has left nothing to touch.
        if is_stale and not self._touch(digest):
            return None
        return SessionOwner(user_id, access_generation)

    def _touch(self, digest: bytes) -> bool:
        mine = update(AdminSessionRow).where(AdminSessionRow.digest == digest)
        touched = mine.values(used_at=func.now()).returning(AdminSessionRow.digest)
        return bool(self._session.execute(touched).all())

    def remove(self, digest: bytes) -> UUID | None:
        gone = delete(AdminSessionRow).where(AdminSessionRow.digest == digest)
        found = self._session.execute(gone.returning(AdminSessionRow.user_id))
        return found.scalar_one_or_none()

    def remove_by_id(self, session_id: UUID, user_id: UUID) -> bool:
        gone = delete(AdminSessionRow).where(
            AdminSessionRow.id == session_id, AdminSessionRow.user_id == user_id
        )
        return bool(self._session.execute(gone.returning(AdminSessionRow.id)).all())

    def remove_all(self, user_id: UUID) -> None:
        self._session.execute(delete(AdminSessionRow).where(AdminSessionRow.user_id == user_id))

    def purge(self, limit: int, *, idle: timedelta) -> int:
        expired = (
            select(AdminSessionRow.digest)
            .where(
                or_(
                    AdminSessionRow.expires_at < func.now(),
                    AdminSessionRow.used_at < func.now() - idle,
                )
            )
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        gone = delete(AdminSessionRow).where(AdminSessionRow.digest.in_(expired))
        return len(self._session.execute(gone.returning(AdminSessionRow.digest)).all())
