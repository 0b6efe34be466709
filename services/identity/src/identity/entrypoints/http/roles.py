"""Roles and permissions for staff."""

from typing import Any

from flask import Response

from identity.entrypoints.http import presenters
from identity.entrypoints.http.dependencies import deps
from identity.entrypoints.http.schemas import (
    NewRoleSchema,
    PermissionPageSchema,
    RoleChangeSchema,
    RolePageSchema,
    RoleSchema,
)
from identity.entrypoints.http.staff import actor
from identity.use_cases.commands import roles
from identity.use_cases.ports import Role
from oja_web.auth import requires
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
from oja_web.pagination import page
from oja_web.strict_json import json_response

blp = Blueprint("admin-roles", __name__, url_prefix="/api/admin", description="Roles")


@blp.get("/roles")
@requires("users:read")
@blp.response(200, RolePageSchema)
def list_roles() -> Response:
    """All roles with their permissions"""
    return json_response(page([presenters.role(role) for role in deps().queries.roles()], None))


@blp.post("/roles")
@requires("roles:write")
@blp.arguments(NewRoleSchema)
@blp.response(201, RoleSchema)
@blp.alt_response(409, "CONFLICT")
def create_role(body: dict[str, Any]) -> Response:
    """Make a role out of permissions that you hold yourself"""
    role = roles.create_role(
        body["name"],
        body["description"],
        frozenset(body["permissions"]),
        by=actor(),
        uow=deps().unit_of_work(),
    )
    response = _tagged(role, 201)
    response.headers["Location"] = f"/api/admin/roles/{role.name}"
    return response


@blp.get("/roles/<name>")
@requires("users:read")
@blp.response(200, RoleSchema)
@blp.alt_response(404, "NOT_FOUND")
def show_role(name: str) -> Response:
    """One role; send the ETag back when you change it"""
    return _tagged(deps().queries.role(name))


@blp.put("/roles/<name>")
@requires("roles:write")
@changes_what_was_seen
@blp.arguments(RoleChangeSchema)
@blp.response(200, RoleSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
def change_role(body: dict[str, Any], name: str) -> Response:
    """Change a role that you have seen (If-Match) and that gives no more than you have

    Built-in roles stay as they are. With other permissions, everybody who has the role signs in
    anew.
    """
    role = roles.change_role(
        name,
        body["description"],
        frozenset(body["permissions"]),
        by=actor(),
        precondition=if_match,
        uow=deps().unit_of_work(),
    )
    return _tagged(role)


@blp.delete("/roles/<name>")
@requires("roles:write")
@changes_what_was_seen
@blp.response(204)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
def delete_role(name: str) -> None:
    """Delete a role that you have seen (If-Match) and that nobody has"""
    roles.delete_role(name, by=actor(), precondition=if_match, uow=deps().unit_of_work())


@blp.get("/permissions")
@requires("users:read")
@blp.response(200, PermissionPageSchema)
def list_permissions() -> Response:
    """All permissions that a role can give"""
    return json_response(page(presenters.plain(deps().queries.permissions()), None))


def _tagged(role: Role, status: int = 200) -> Response:
    return set_etag(json_response(presenters.role(role), status), role.version)
