"""One's own account."""

from typing import Any

from flask import Response, request

from identity.domain.values import Profile
from identity.entrypoints.http import presenters
from identity.entrypoints.http.dependencies import deps
from identity.entrypoints.http.schemas import (
    ErasureSchema,
    PasswordChangeSchema,
    ProfileSchema,
    RegistrationSchema,
    UserSchema,
)
from identity.use_cases.commands import accounts
from oja_web.auth import caller, public, signed_in
from oja_web.blueprint import Blueprint
from oja_web.strict_json import json_response
from oja_web.throttling import limited, network

blp = Blueprint("accounts", __name__, url_prefix="/api/auth", description="Your account")


@blp.post("/register")
@public
@limited("register", by_address=True, closed=True)
@blp.arguments(RegistrationSchema)
@blp.response(201, UserSchema)
@blp.alt_response(409, "CONFLICT")
def register(body: dict[str, Any]) -> Response:
    """Open an account

    The password must not be short, common, all digits, or like your name or address; all that
    speaks against it is under `errors.password`.
    """
    with deps().attempts.at_registering(network(request.remote_addr)):
        user = accounts.register(
            body["email"],
            Profile(body["first_name"], body["last_name"], body["phone"]),
            body["password"],
            policy=deps().policy,
            hasher=deps().hasher,
            uow=deps().unit_of_work(),
        )
    return json_response(presenters.user(user), 201, {"Location": "/api/auth/me"})


@blp.get("/me")
@signed_in
@blp.response(200, UserSchema)
def show_me() -> Response:
    """Your account"""
    user_id, profiles = caller().user_id, deps().profiles
    kept = profiles.get(user_id)
    if kept:
        return Response(kept, mimetype="application/json")
    response = json_response(presenters.user(deps().queries.user(user_id)))
    profiles.keep(user_id, response.get_data())
    return response


@blp.patch("/me")
@signed_in
@blp.arguments(ProfileSchema(partial=True))
@blp.response(200, UserSchema)
def change_me(body: dict[str, Any]) -> Response:
    """Change your name or telephone number"""
    user = accounts.change_profile(caller().user_id, body, uow=deps().unit_of_work())
    return json_response(presenters.user(user))


@blp.delete("/me")
@signed_in
@limited("confirm", closed=True)
@blp.arguments(ErasureSchema)
@blp.response(202)
@blp.alt_response(409, "CONFLICT")
def erase_me(body: dict[str, Any]) -> Response:
    """Close your account for good

    Your name, addresses and all else that is about you is removed or masked in the whole shop;
    what is under way is delivered first. Orders stay, without you in them.
    """
    accounts.erase_account(
        caller().user_id,
        body["password"],
        address=request.remote_addr,
        attempts=deps().attempts,
        hasher=deps().hasher,
        uow=deps().unit_of_work(),
    )
    return Response(status=202)


@blp.post("/password/change")
@signed_in
@limited("confirm", closed=True)
@blp.arguments(PasswordChangeSchema)
@blp.response(204)
def change_password(body: dict[str, Any]) -> None:
    """Take another password

    Ends every session and refresh token of yours: sign in anew, here too.
    """
    accounts.change_password(
        caller().user_id,
        body["current_password"],
        body["password"],
        address=request.remote_addr,
        policy=deps().policy,
        attempts=deps().attempts,
        hasher=deps().hasher,
        uow=deps().unit_of_work(),
    )
