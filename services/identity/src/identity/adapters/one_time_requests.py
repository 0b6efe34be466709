"""Requests for one-time links in Postgres; its clock says how old they are."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from identity.adapters.tables import ForgottenPasswordRow, OneTimeRequestRow
from identity.domain.one_time_request import (
    LINK_LIFETIME,
    REQUEST_LIFETIME,
    OneTimeRequest,
    Purpose,
)
from identity.domain.values import EmailAddress
from identity.use_cases.ports import ForgottenPassword
from oja_events.outbox import Outbox


class SqlOneTimeRequestRepository:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def new_id(self) -> UUID:
        return uuid7()

    def put(self, request: OneTimeRequest) -> None:
        values = {
            "id": request.id,
            "user_id": request.user_id,
            "purpose": request.purpose,
            "email": request.email.text,
            "email_canonical": request.email.canonical,
            "password_changed_at": request.password_changed_at,
            "requested_at": request.requested_at,
            "digest": None,
            "issued_at": None,
        }
        statement = upsert(OneTimeRequestRow).values(values)
        self._session.execute(
            statement.on_conflict_do_update(constraint="one_time_requests_newest", set_=values)
        )
        self._outbox.add(*request.pull_events())

    def put_aside(self, forgotten: ForgottenPassword) -> None:
        self._session.execute(
            insert(ForgottenPasswordRow).values(
                id=uuid7(),
                email_canonical=forgotten.email,
                address=forgotten.address,
                asked_at=func.now(),
            )
        )

    def take(self, limit: int) -> list[ForgottenPassword]:
        oldest = (
            select(ForgottenPasswordRow.id)
            .order_by(ForgottenPasswordRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        gone = delete(ForgottenPasswordRow).where(ForgottenPasswordRow.id.in_(oldest))
        rows = self._session.execute(
            gone.returning(
                ForgottenPasswordRow.id,
                ForgottenPasswordRow.email_canonical,
                ForgottenPasswordRow.address,
            )
        ).all()
        return [ForgottenPassword(row.email_canonical, row.address) for row in sorted(rows)]

    def find(self, request_id: UUID) -> OneTimeRequest | None:
        return self._one(
            OneTimeRequestRow.id == request_id,
            OneTimeRequestRow.requested_at > func.now() - REQUEST_LIFETIME,
        )

    def issue(self, request_id: UUID, digest: bytes) -> None:
        mine = update(OneTimeRequestRow).where(OneTimeRequestRow.id == request_id)
        self._session.execute(mine.values(digest=digest, issued_at=func.now()))

    def find_issued(self, digest: bytes, purpose: Purpose) -> OneTimeRequest | None:
        return self._one(*_good(digest, purpose))

    def spend(self, digest: bytes, purpose: Purpose) -> bool:
        gone = delete(OneTimeRequestRow).where(*_good(digest, purpose))
        return bool(self._session.execute(gone.returning(OneTimeRequestRow.id)).all())

    def remove_all(self, user_id: UUID) -> None:
        mine = OneTimeRequestRow.user_id == user_id
        self._session.execute(delete(OneTimeRequestRow).where(mine))

    def purge(self, limit: int) -> int:
        old = (
            select(OneTimeRequestRow.id)
            .where(OneTimeRequestRow.requested_at < func.now() - REQUEST_LIFETIME - LINK_LIFETIME)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        gone = delete(OneTimeRequestRow).where(OneTimeRequestRow.id.in_(old))
        return len(self._session.execute(gone.returning(OneTimeRequestRow.id)).all())

    def _one(self, *which: ColumnElement[bool]) -> OneTimeRequest | None:
        row = self._session.scalars(select(OneTimeRequestRow).where(*which)).one_or_none()
        return None if row is None else _request_from(row)


def _good(digest: bytes, purpose: Purpose) -> tuple[ColumnElement[bool], ...]:
    return (
        OneTimeRequestRow.digest == digest,
        OneTimeRequestRow.purpose == purpose,
        OneTimeRequestRow.issued_at > func.now() - LINK_LIFETIME,
    )


def _request_from(row: OneTimeRequestRow) -> OneTimeRequest:
    return OneTimeRequest(
        id=row.id,
        user_id=row.user_id,
        purpose=Purpose(row.purpose),
        email=EmailAddress(row.email, row.email_canonical),
        password_changed_at=row.password_changed_at,
        requested_at=row.requested_at,
    )
