"""Roles that staff make for themselves, out of permissions that they hold."""

from typing import Any

from identity.domain.roles import refuse_overreach
from identity.use_cases.commands.authentication import end_all_access
from identity.use_cases.commands.staff import Actor, Precondition, held_by
from identity.use_cases.errors import RoleBuiltIn, RoleInUse, UnknownPermission
from identity.use_cases.ports import AuditEntry, Role, UnitOfWork

MAY_CHANGE_ROLES = "roles:write"


def create_role(
    name: str, description: str, permissions: frozenset[str], *, by: Actor, uow: UnitOfWork
) -> Role:
    """Raises RoleTaken, UnknownPermission, BeyondOwnPermissions."""
    role = Role(name, description, False, tuple(sorted(permissions)))
    with uow:
        _refuse(permissions, by, uow)
        uow.roles.add(role)
        _note("role_created", role.name, None, _content(role), by, uow)
        uow.commit()
    return role


def change_role(
    name: str,
    description: str,
    permissions: frozenset[str],
    *,
    by: Actor,
    precondition: Precondition,
    uow: UnitOfWork,
) -> Role:
    """Everybody who has the role signs in anew, if it gives other permissions now.

    Raises RoleNotFound, RoleBuiltIn, UnknownPermission, BeyondOwnPermissions.
    """
    with uow:
        before = _own_role(name, precondition, uow)
        _refuse(permissions | set(before.permissions), by, uow)
        wanted = Role(name, description, False, tuple(sorted(permissions)), before.version)
        role = uow.roles.save(wanted)
        if role.permissions != before.permissions:
            for user in uow.users.lock(uow.roles.holders(name)).values():
                end_all_access(user, uow)
        _note("role_changed", name, _content(before), _content(role), by, uow)
        uow.commit()
    return role


def delete_role(name: str, *, by: Actor, precondition: Precondition, uow: UnitOfWork) -> None:
    """Raises RoleNotFound, RoleBuiltIn, RoleInUse, BeyondOwnPermissions."""
    with uow:
        role = _own_role(name, precondition, uow)
        _refuse(frozenset(role.permissions), by, uow)
        if uow.roles.holders(name):
            raise RoleInUse("somebody has this role: give them others first")
        uow.roles.remove(name)
        _note("role_deleted", name, _content(role), None, by, uow)
        uow.commit()


def _own_role(name: str, precondition: Precondition, uow: UnitOfWork) -> Role:
    role = uow.roles.lock(name)
    if role.built_in:
        raise RoleBuiltIn("built-in roles stay as they are: make one of your own")
    precondition(role.version)
    return role


def _refuse(permissions: frozenset[str], by: Actor, uow: UnitOfWork) -> None:
    """Unless these exist and the actor holds all of them, now."""
    unknown = uow.roles.unknown_permissions(permissions)
    if unknown:
        raise UnknownPermission(unknown)
    refuse_overreach(held_by(uow.users.find(by.user_id), MAY_CHANGE_ROLES, uow), permissions)


def _content(role: Role) -> dict[str, Any]:
    return {"description": role.description, "permissions": list(role.permissions)}


def _note(
    action: str,
    name: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    by: Actor,
    uow: UnitOfWork,
) -> None:
    detail = {"role": name, "before": before, "after": after}
    uow.audit.note(AuditEntry(action, by.user_id, name, by.address, detail))
