"""Users, roles, address books and the audit log in Postgres. Saving a user also hands their events
to the outbox, so that a change cannot be kept without being told."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from identity.adapters.mapping import book_from, book_rows, new_user_values, user_from, user_values
from identity.adapters.tables import (
    AddressRow,
    PermissionRow,
    RolePermissionRow,
    RoleRow,
    UserRoleRow,
    UserRow,
)
from identity.domain.address_book import AddressBook
from identity.domain.roles import ADMIN, CUSTOMER
from identity.domain.user import NO_PASSWORD, User
from identity.use_cases.errors import (
    EmailTaken,
    InvalidCredentials,
    RoleNotFound,
    RoleTaken,
    UserNotFound,
)
from identity.use_cases.ports import AuditEntry, Role
from oja_events import access_marks, audit
from oja_events.contracts import Event
from oja_events.contracts.identity import (
    AccessRevoked,
    AddressesChanged,
    SavedAddress,
    StaffChanged,
)
from oja_events.outbox import Outbox

_ONE_ACCOUNT = "users_email_canonical_key"
_SET_ROLES = text("""
    WITH taken AS (
        DELETE FROM user_roles WHERE user_id = :user_id AND role <> ALL(:roles) RETURNING role
    ), given AS (
        INSERT INTO user_roles (user_id, role) SELECT :user_id, unnest(CAST(:roles AS text[]))
        ON CONFLICT DO NOTHING
    )
    SELECT role FROM taken
""")


class SqlUserRepository:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox
        self.changed: set[UUID] = set()

    def new_id(self) -> UUID:
        return uuid7()

    def add(self, user: User) -> None:
        statement = upsert(UserRow).values(new_user_values(user)).on_conflict_do_nothing()
        if not self._session.execute(statement.returning(UserRow.id)).all():
            raise EmailTaken("there is an account with this address")
        user.version = 1
        self._set_roles(user)
        self._tell_of(user)

    def get(self, user_id: UUID) -> User:
        found = self.lock({user_id})
        if user_id not in found:
            raise UserNotFound(user_id)
        return found[user_id]

    def get_active(self, user_id: UUID) -> User:
        user = self.get(user_id)
        if not user.is_active:
            raise InvalidCredentials
        return user

    def lock(self, user_ids: Collection[UUID]) -> dict[UUID, User]:
        query = select(UserRow).where(UserRow.id.in_(user_ids)).order_by(UserRow.id)
        rows = self._session.scalars(
            query.with_for_update(), execution_options={"populate_existing": True}
        ).all()
        return {user.id: user for user in self._users(rows)}

    def find(self, user_id: UUID) -> User | None:
        row = self._session.get(UserRow, user_id, populate_existing=True)
        return next(iter(self._users([row] if row else [])), None)

    def find_by_email(self, canonical: str) -> User | None:
        query = select(UserRow).where(UserRow.email_canonical == canonical)
        return next(iter(self._users(self._session.scalars(query).all())), None)

    def save(self, user: User) -> None:
        statement = (
            update(UserRow)
            .where(UserRow.id == user.id, UserRow.version == user.version)
            .values(**user_values(user), updated_at=func.now(), version=UserRow.version + 1)
            .returning(UserRow.version)
        )
        with _taken_addresses_told():
            user.version = self._session.execute(statement).scalar_one()
        self.changed.add(user.id)
        self._tell_of(user, taken=self._set_roles(user))

    def has_other_admin(self, user_id: UUID) -> bool:
        # Two administrators who remove each other at the same moment must not both succeed. Not the
        # strongest lock: who makes a third one holds the role, and may wait for the two.
        lock = select(RoleRow.name).where(RoleRow.name == ADMIN).with_for_update(key_share=True)
        self._session.execute(lock)
        query = (
            select(UserRow.id)
            .join(UserRoleRow, UserRoleRow.user_id == UserRow.id)
            .where(
                UserRoleRow.role == ADMIN,
                UserRow.is_active,
                UserRow.password_hash != NO_PASSWORD,
                UserRow.id != user_id,
            )
        )
        return self._session.execute(query.limit(1)).first() is not None

    def staff(self) -> list[UUID]:
        query = select(UserRoleRow.user_id).where(UserRoleRow.role != CUSTOMER).distinct()
        return list(self._session.scalars(query))

    def _users(self, rows: Iterable[UserRow]) -> list[User]:
        rows = list(rows)
        roles = roles_of(self._session, [row.id for row in rows])
        return [user_from(row, roles[row.id]) for row in rows]

    def _set_roles(self, user: User) -> frozenset[str]:
        """The roles that the user had until now and has no more."""
        roles = {"user_id": user.id, "roles": sorted(user.roles)}
        return frozenset(self._session.execute(_SET_ROLES, roles).scalars())

    def _tell_of(self, user: User, *, taken: frozenset[str] = frozenset()) -> None:
        tell(self._session, self._outbox, *user.pull_events())
        if (user.roles | taken) - {CUSTOMER}:
            self._outbox.add(self._as_staff(user))

    def _as_staff(self, user: User) -> StaffChanged:
        """What the roles give is known here and not to the user, so it is told from here."""
        permissions = SqlRoleRepository(self._session).permissions_of(user.roles)
        return StaffChanged(
            user_id=user.id,
            version=user.version,
            email=user.email.text,
            name=user.profile.name,
            is_active=user.is_active,
            permissions=tuple(sorted(permissions)),
            changed_at=self._session.execute(select(func.now())).scalar_one(),
        )


def tell(session: Session, outbox: Outbox, *events: Event) -> None:
    """To everybody else by way of the outbox; identity itself notes ended access at once."""
    for event in events:
        if isinstance(event, AccessRevoked):
            access_marks.note(session, event)
    outbox.add(*events)


@contextmanager
def _taken_addresses_told() -> Iterator[None]:
    """Two who want one address in the same moment: the second one hears of it."""
    try:
        yield
    except IntegrityError as error:
        if _ONE_ACCOUNT in str(error.orig):
            raise EmailTaken("there is an account with this address") from None
        raise


def roles_of(session: Session, user_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Asked after the users were locked: in one statement with the lock it could be old news. And
    asked about nobody too, so that the time of an answer does not tell whether there is a user."""
    roles: dict[UUID, list[str]] = defaultdict(list)
    query = select(UserRoleRow.user_id, UserRoleRow.role).where(UserRoleRow.user_id.in_(user_ids))
    for user_id, role in session.execute(query):
        roles[user_id].append(role)
    return roles


class SqlRoleRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def unknown(self, roles: Collection[str]) -> frozenset[str]:
        known = self._session.scalars(select(RoleRow.name).where(RoleRow.name.in_(roles)))
        return frozenset(roles) - frozenset(known)

    def permissions_of(self, roles: Collection[str]) -> frozenset[str]:
        query = select(RolePermissionRow.permission).where(RolePermissionRow.role.in_(roles))
        return frozenset(self._session.scalars(query))

    def hold(self, roles: Collection[str]) -> None:
        held = select(RoleRow.name).where(RoleRow.name.in_(roles)).order_by(RoleRow.name)
        self._session.execute(held.with_for_update(read=True, key_share=True))

    def unknown_permissions(self, names: Collection[str]) -> frozenset[str]:
        query = select(PermissionRow.name).where(PermissionRow.name.in_(names))
        return frozenset(names) - frozenset(self._session.scalars(query))

    def add(self, role: Role) -> None:
        values = {"name": role.name, "description": role.description, "built_in": role.built_in}
        statement = upsert(RoleRow).values(values).on_conflict_do_nothing()
        if not self._session.execute(statement.returning(RoleRow.name)).all():
            raise RoleTaken("there is a role with this name")
        self._grant(role)

    def lock(self, name: str) -> Role:
        query = select(RoleRow).where(RoleRow.name == name).with_for_update()
        row = self._session.scalars(query).one_or_none()
        if row is None:
            raise RoleNotFound(name)
        permissions = tuple(sorted(self.permissions_of([name])))
        return Role(row.name, row.description, row.built_in, permissions, row.version)

    def save(self, role: Role) -> Role:
        version = role.version + 1
        self._session.execute(
            update(RoleRow)
            .where(RoleRow.name == role.name)
            .values(description=role.description, version=version)
        )
        self._session.execute(delete(RolePermissionRow).where(RolePermissionRow.role == role.name))
        self._grant(role)
        return replace(role, version=version)

    def remove(self, name: str) -> None:
        self._session.execute(delete(RoleRow).where(RoleRow.name == name))

    def holders(self, name: str) -> list[UUID]:
        query = select(UserRoleRow.user_id).where(UserRoleRow.role == name)
        return list(self._session.scalars(query))

    def _grant(self, role: Role) -> None:
        rows = [{"role": role.name, "permission": name} for name in role.permissions]
        if rows:
            self._session.execute(insert(RolePermissionRow).values(rows))


class SqlAddressBookRepository:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def new_id(self) -> UUID:
        return uuid7()

    def get(self, user_id: UUID) -> AddressBook:
        active = select(UserRow.id).where(UserRow.id == user_id, UserRow.is_active)
        if self._session.execute(active.with_for_update()).first() is None:
            raise InvalidCredentials
        return read_book(self._session, user_id)

    def save(self, book: AddressBook) -> None:
        mine = AddressRow.user_id == book.user_id
        self._session.execute(delete(AddressRow).where(mine, AddressRow.id.not_in(book.entries)))
        # First out, then in: the index allows only one default at any moment.
        self._session.execute(
            update(AddressRow).where(mine, AddressRow.is_default).values(is_default=False)
        )
        rows = book_rows(book)
        if rows:
            statement = upsert(AddressRow).values(rows)
            new = {name: statement.excluded[name] for name in rows[0] if name != "id"}
            self._session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=new))
        self._outbox.add(self._told(book))

    def _told(self, book: AddressBook) -> AddressesChanged:
        # The clock and not the start of the transaction: whoever had the lock later is newer.
        changed_at = self._session.execute(select(func.clock_timestamp())).scalar_one()
        addresses = tuple(
            SavedAddress(address_id=address_id, **asdict(address))
            for address_id, address in book.entries.items()
        )
        return AddressesChanged(
            customer_id=book.user_id, addresses=addresses, changed_at=changed_at
        )


def read_book(session: Session, user_id: UUID) -> AddressBook:
    # Ids are UUIDv7: their order is the order of adding.
    query = select(AddressRow).where(AddressRow.user_id == user_id).order_by(AddressRow.id)
    rows = session.scalars(query, execution_options={"populate_existing": True})
    return book_from(rows, AddressBook(user_id))


class SqlAuditLog:
    def __init__(self, session: Session) -> None:
        self._log = audit.SqlAuditLog(session)

    def note(self, entry: AuditEntry) -> None:
        self._log.write(
            entry.action,
            actor_id=entry.actor_id,
            target_id=str(entry.target_id) if entry.target_id else None,
            address=entry.address,
            detail=entry.detail,
        )

    def forget(self, user_id: UUID) -> None:
        self._log.forget(user_id)
