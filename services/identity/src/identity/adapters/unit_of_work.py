"""One transaction of identity."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from identity.adapters.credential_stores import SqlRefreshTokenRepository, SqlSessionRepository
from identity.adapters.erasures import SqlErasures
from identity.adapters.one_time_requests import SqlOneTimeRequestRepository
from identity.adapters.repositories import (
    SqlAddressBookRepository,
    SqlAuditLog,
    SqlRoleRepository,
    SqlUserRepository,
    tell,
)
from identity.use_cases.ports import Profiles
from oja_events.contracts import Event
from oja_events.outbox import Outbox
from oja_events.unit_of_work import SqlTransaction


class SqlUnitOfWork(SqlTransaction):
    users: SqlUserRepository
    roles: SqlRoleRepository
    refresh_tokens: SqlRefreshTokenRepository
    sessions: SqlSessionRepository
    one_time_requests: SqlOneTimeRequestRepository
    address_books: SqlAddressBookRepository
    erasures: SqlErasures
    audit: SqlAuditLog

    def __init__(self, *args: Any, profiles: Profiles, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._profiles = profiles

    def commit(self) -> None:
        for user_id in self.users.changed:
            self._profiles.clear(user_id)
        super().commit()

    def open(self, session: Session, outbox: Outbox) -> None:
        self.users = SqlUserRepository(session, outbox)
        self.roles = SqlRoleRepository(session)
        self.refresh_tokens = SqlRefreshTokenRepository(session)
        self.sessions = SqlSessionRepository(session)
        self.one_time_requests = SqlOneTimeRequestRepository(session, outbox)
        self.address_books = SqlAddressBookRepository(session, outbox)
        self.erasures = SqlErasures(session)
        self.audit = SqlAuditLog(session)

    def tell(self, *events: Event) -> None:
        tell(self.session, self._outbox, *events)

    def now(self) -> datetime:
        return self.session.execute(select(func.now())).scalar_one()
