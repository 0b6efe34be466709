"""What staff decide about users, within what they may do themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from identity.domain.passwords import PasswordPolicy
from identity.domain.roles import ADMIN, BeyondOwnPermissions, LastAdmin, refuse_overreach
from identity.domain.user import User
from identity.domain.values import EmailAddress, Profile
from identity.use_cases.commands.accounts import new_hash
from identity.use_cases.commands.authentication import end_all_access
from identity.use_cases.errors import AccountErased, UnknownRole, UserNotFound
from identity.use_cases.ports import AuditEntry, PasswordHasher, UnitOfWork

MAY_CHANGE_USERS = "users:write"

Precondition = Callable[[int], None]
"""Given the version of the locked user; raises if the caller has seen another one."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and from which network address."""

    user_id: UUID
    address: str | None = None


@dataclass(frozen=True, slots=True)
class NewUser:
    email: EmailAddress
    profile: Profile
    password: str
    roles: frozenset[str]


def create_user(
    new: NewUser, *, by: Actor, policy: PasswordPolicy, hasher: PasswordHasher, uow: UnitOfWork
) -> User:
    """Raises WeakPassword, EmailTaken, UnknownRole, BeyondOwnPermissions."""
    password_hash = new_hash(new.password, new.email, new.profile, policy=policy, hasher=hasher)
    with uow:
        uow.roles.hold(new.roles)
        actor = uow.users.get(by.user_id)
        refuse_overreach(held_by(actor, MAY_CHANGE_USERS, uow), _permissions_of(new.roles, uow))
        user = _add(new, password_hash, uow)
        uow.audit.note(
            AuditEntry(
                "user_created",
                actor.id,
                user.id,
                by.address,
                {"before": None, "after": user.standing()},
            )
        )
        uow.commit()
    return user


def change_user(
    user_id: UUID,
    *,
    is_active: bool | None,
    roles: frozenset[str] | None,
    by: Actor,
    precondition: Precondition,
    uow: UnitOfWork,
) -> User:
    """Give other roles, disable or enable; all access of the user ends, they sign in anew.

    Both users are locked, and permissions are those of now and not of the actor's token: who was
    disabled a second ago changes nothing any more.

    Raises UserNotFound, AccountErased, BeyondOwnPermissions, UnknownRole, LastAdmin.
    """
    with uow:
        uow.roles.hold(roles or frozenset())
        locked = uow.users.lock({user_id, by.user_id})
        if user_id not in locked:
            raise UserNotFound(user_id)
        user, actor = locked[user_id], locked.get(by.user_id)
        if user.is_erased:
            raise AccountErased("its owner closed this account for good")
        precondition(user.version)
        # Asked before anything changes: the actor may be the user.
        held = held_by(actor, MAY_CHANGE_USERS, uow)
        before, old_roles = user.standing(), user.roles
        user.is_active = user.is_active if is_active is None else is_active
        user.roles = user.roles if roles is None else roles
        touched = _permissions_of(old_roles, uow) | _permissions_of(user.roles, uow)
        refuse_overreach(held, touched)
        if user.standing() != before:
            if ADMIN in old_roles:
                _keep_an_admin(user, uow)
            _save(user, before, by, uow)
        uow.commit()
    return user


def create_admin(
    new: NewUser, *, policy: PasswordPolicy, hasher: PasswordHasher, uow: UnitOfWork
) -> User:
    """For the operator of the machine, who needs no permission; raises WeakPassword, EmailTaken."""
    password_hash = new_hash(new.password, new.email, new.profile, policy=policy, hasher=hasher)
    with uow:
        uow.roles.hold(new.roles)
        user = _add(new, password_hash, uow)
        uow.audit.note(
            AuditEntry(
                "admin_created", None, user.id, detail={"before": None, "after": user.standing()}
            )
        )
        uow.commit()
    return user


def tell_of_all(*, uow: UnitOfWork) -> int:
    """Tell the others once more who is on the staff and what they may do; how many that are. For
    a shop whose staff is older than this news."""
    with uow:
        everybody = uow.users.lock(uow.users.staff())
        for user in everybody.values():
            uow.users.save(user)
        uow.commit()
    return len(everybody)


def _add(new: NewUser, password_hash: str, uow: UnitOfWork) -> User:
    now = uow.now()
    user = User(
        id=uow.users.new_id(),
        email=new.email,
        profile=new.profile,
        password_hash=password_hash,
        password_changed_at=now,
        roles=new.roles,
        created_at=now,
    )
    uow.users.add(user)
    return user


def _save(user: User, before: dict[str, object], by: Actor, uow: UnitOfWork) -> None:
    end_all_access(user, uow)
    detail = {"before": before, "after": user.standing()}
    uow.audit.note(AuditEntry("user_changed", by.user_id, user.id, by.address, detail))


def held_by(actor: User | None, needed: str, uow: UnitOfWork) -> frozenset[str]:
    """What the actor may give; raises BeyondOwnPermissions without the permission `needed`."""
    if actor is None or not actor.is_active:
        raise BeyondOwnPermissions("your account was disabled")
    held = uow.roles.permissions_of(actor.roles)
    if needed not in held:
        raise BeyondOwnPermissions("you may not do this any more")
    return held


def _permissions_of(roles: frozenset[str], uow: UnitOfWork) -> frozenset[str]:
    unknown = uow.roles.unknown(roles)
    if unknown:
        raise UnknownRole(unknown)
    return uow.roles.permissions_of(roles)


def _keep_an_admin(user: User, uow: UnitOfWork) -> None:
    stays = user.is_active and ADMIN in user.roles
    if not stays and not uow.users.has_other_admin(user.id):
        raise LastAdmin("this is the last active administrator")
