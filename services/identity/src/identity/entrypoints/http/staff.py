"""Users, roles and permissions for staff."""

from typing import Any
from uuid import UUID

from flask import Response, request

from identity.domain.user import User
from identity.domain.values import Profile
from identity.entrypoints.http import presenters
from identity.entrypoints.http.dependencies import deps
from identity.entrypoints.http.schemas import (
    NewUserSchema,
    UserChangeSchema,
    UserPageSchema,
    UserQuery,
    UserSchema,
)
from identity.use_cases.commands import staff
from oja_web.auth import caller, requires
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
from oja_web.pagination import decode_cursor, encode_cursor, page
from oja_web.strict_json import json_response

blp = Blueprint("admin-users", __name__, url_prefix="/api/admin", description="Users for staff")


@blp.get("/users")
@requires("users:read")
@blp.arguments(UserQuery, location="query")
@blp.response(200, UserPageSchema)
def list_users(query: dict[str, Any]) -> Response:
    """All users, newest first"""
    cursor = decode_cursor(query["cursor"], [UUID])
    found = deps().queries.users(
        size=query["size"],
        search=query["search"],
        role=query["role"],
        is_active=query["is_active"],
        after=cursor[0] if cursor else None,
        with_total=query["total"],
    )
    next_cursor = encode_cursor([found.next]) if found.next else None
    return json_response(
        page([presenters.user(user) for user in found.users], next_cursor, found.total)
    )


@blp.post("/users")
@requires("users:write")
@blp.arguments(NewUserSchema)
@blp.response(201, UserSchema)
@blp.alt_response(409, "CONFLICT")
def create_user(body: dict[str, Any]) -> Response:
    """Open an account for a colleague, with roles that give no more than you have"""
    new = staff.NewUser(
        body["email"],
        Profile(body["first_name"], body["last_name"], body["phone"]),
        body["password"],
        frozenset(body["roles"]),
    )
    user = staff.create_user(
        new, by=actor(), policy=deps().policy, hasher=deps().hasher, uow=deps().unit_of_work()
    )
    response = _tagged(user, 201)
    response.headers["Location"] = f"/api/admin/users/{user.id}"
    return response


@blp.get("/users/<uuid:user_id>")
@requires("users:read")
@blp.response(200, UserSchema)
@blp.alt_response(404, "NOT_FOUND")
def show_user(user_id: UUID) -> Response:
    """Any user; send the ETag back when you change them"""
    return _tagged(deps().queries.user(user_id))


@blp.patch("/users/<uuid:user_id>")
@requires("users:write")
@changes_what_was_seen
@blp.arguments(UserChangeSchema)
@blp.response(200, UserSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
def change_user(body: dict[str, Any], user_id: UUID) -> Response:
    """Disable or enable a user that you have seen (If-Match), or give them other roles

    They have to sign in again afterwards. You cannot touch what you may not do yourself, nor an
    account that its owner closed (409 `account_erased`).
    """
    user = staff.change_user(
        user_id,
        is_active=body["is_active"],
        roles=None if body["roles"] is None else frozenset(body["roles"]),
        by=actor(),
        precondition=if_match,
        uow=deps().unit_of_work(),
    )
    return _tagged(user)


def actor() -> staff.Actor:
    """Who asks, for what is noted about it."""
    return staff.Actor(caller().user_id, request.remote_addr)


def _tagged(user: User, status: int = 200) -> Response:
    return set_etag(json_response(presenters.user(user), status), user.version)
