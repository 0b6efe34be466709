"""The read side: plain SELECTs, each in a short transaction of its own."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, sessionmaker

from identity.adapters.erasures import read_erasures
from identity.adapters.mapping import user_from
from identity.adapters.repositories import read_book, roles_of
from identity.adapters.tables import (
    AdminSessionRow,
    PermissionRow,
    RolePermissionRow,
    RoleRow,
    UserRoleRow,
    UserRow,
)
from identity.domain.address_book import AddressBook
from identity.domain.user import User
from identity.use_cases.errors import RoleNotFound, UserNotFound
from identity.use_cases.ports import Role
from identity.use_cases.queries import ErasurePage, Permission, SessionEntry, UserPage

MAX_SESSIONS = 100


class SqlQueries:
    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def user(self, user_id: UUID) -> User:
        with self._sessions() as session:
            row = session.get(UserRow, user_id)
            if row is None:
                raise UserNotFound(user_id)
            return user_from(row, roles_of(session, [user_id])[user_id])

    def users(
        self,
        *,
        size: int,
        search: str | None = None,
        role: str | None = None,
        is_active: bool | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> UserPage:
        query = _filtered(search, role, is_active)
        with self._sessions() as session:
            count = select(func.count()).select_from(query.subquery())
            total = session.scalar(count) if with_total else None
            if after is not None:
                query = query.where(UserRow.id < after)
            # Ids are UUIDv7: their order is the order of joining.
            rows = session.scalars(query.order_by(UserRow.id.desc()).limit(size + 1)).all()
            roles = roles_of(session, [row.id for row in rows])
        found = [user_from(row, roles[row.id]) for row in rows[:size]]
        return UserPage(found, found[-1].id if len(rows) > size else None, total)

    def address_book(self, user_id: UUID) -> AddressBook:
        with self._sessions() as session:
            return read_book(session, user_id)

    def roles(self) -> list[Role]:
        granted: dict[str, list[str]] = defaultdict(list)
        query = select(RolePermissionRow).order_by(RolePermissionRow.permission)
        with self._sessions() as session:
            rows = session.scalars(select(RoleRow).order_by(RoleRow.name)).all()
            for grant in session.scalars(query):
                granted[grant.role].append(grant.permission)
        return [
            Role(row.name, row.description, row.built_in, tuple(granted[row.name]), row.version)
            for row in rows
        ]

    def role(self, name: str) -> Role:
        for role in self.roles():
            if role.name == name:
                return role
        raise RoleNotFound(name)

    def erasures(
        self,
        *,
        size: int,
        finished: bool | None = None,
        after: tuple[datetime, UUID] | None = None,
        with_total: bool = False,
    ) -> ErasurePage:
        return read_erasures(
            self._sessions, size=size, finished=finished, after=after, with_total=with_total
        )

    def sessions(self, user_id: UUID, *, idle: timedelta, current: bytes) -> list[SessionEntry]:
        query = (
            select(AdminSessionRow)
            .where(
                AdminSessionRow.user_id == user_id,
                AdminSessionRow.used_at > func.now() - idle,
                AdminSessionRow.expires_at > func.now(),
            )
            .order_by(AdminSessionRow.created_at.desc())
            .limit(MAX_SESSIONS)
        )
        with self._sessions() as session:
            rows = session.scalars(query).all()
        return [
            SessionEntry(
                row.id,
                row.created_at,
                row.used_at,
                row.expires_at,
                row.address,
                row.digest == current,
            )
            for row in rows
        ]

    def permissions(self) -> list[Permission]:
        with self._sessions() as session:
            rows = session.scalars(select(PermissionRow).order_by(PermissionRow.name)).all()
        return [Permission(row.name, row.description) for row in rows]


def _filtered(search: str | None, role: str | None, is_active: bool | None) -> Select[UserRow]:
    query = select(UserRow)
    if search is not None:
        name = UserRow.first_name + " " + UserRow.last_name
        query = query.where(
            or_(
                UserRow.email_canonical.icontains(search, autoescape=True),
                name.icontains(search, autoescape=True),
            )
        )
    if role is not None:
        having = select(UserRoleRow.user_id).where(UserRoleRow.role == role)
        query = query.where(UserRow.id.in_(having))
    if is_active is not None:
        query = query.where(UserRow.is_active.is_(is_active))
    return query
