"""Signing in and staying so, with tokens."""

from typing import Any

from flask import Response, request

from identity.entrypoints.http.dependencies import access_token, credentials, deps
from identity.entrypoints.http.schemas import (
    CredentialsSchema,
    KeySetSchema,
    RefreshTokenSchema,
    TokensSchema,
)
from identity.settings import ACCESS_TOKEN_LIFETIME
from identity.use_cases.commands import tokens
from oja_web.auth import public
from oja_web.blueprint import Blueprint
from oja_web.strict_json import json_response
from oja_web.throttling import limited

blp = Blueprint("tokens", __name__, url_prefix="/api/auth", description="Signing in")


@blp.post("/login")
@public
@limited("login", by_address=True, closed=True)
@blp.arguments(CredentialsSchema)
@blp.response(200, TokensSchema)
@blp.alt_response(401, "UNAUTHORIZED")
def log_in(body: dict[str, Any]) -> Response:
    """Sign in

    The access token is good for ten minutes; the refresh token gets you the next one, once. After
    too many wrong passwords you have to wait, twice as long after each.
    """
    signed_in = tokens.log_in(
        credentials(body),
        attempts=deps().attempts,
        hasher=deps().hasher,
        limits=_limits(),
        uow=deps().unit_of_work(),
    )
    return _answer(signed_in)


@blp.post("/refresh")
@public
@blp.arguments(RefreshTokenSchema)
@blp.response(200, TokensSchema)
@blp.alt_response(401, "UNAUTHORIZED")
def refresh(body: dict[str, Any]) -> Response:
    """Get new tokens for a refresh token, which is spent by it

    A token that was used before was perhaps stolen: then everything that came from the same
    sign-in ends, and you sign in again.
    """
    signed_in = tokens.refresh(
        body["refresh_token"],
        address=request.remote_addr,
        limits=_limits(),
        uow=deps().unit_of_work(),
    )
    return _answer(signed_in)


@blp.post("/logout")
@public
@blp.arguments(RefreshTokenSchema)
@blp.response(204)
def log_out(body: dict[str, Any]) -> None:
    """Sign out: the refresh token and all that came from the same sign-in end"""
    tokens.log_out(body["refresh_token"], uow=deps().unit_of_work())


@blp.get("/jwks.json")
@public
@blp.response(200, KeySetSchema)
def show_keys() -> Response:
    """The public keys that access tokens are verified with"""
    return json_response(deps().jwks, headers={"Cache-Control": "public, max-age=300"})


def _limits() -> tokens.RefreshLimits:
    return tokens.RefreshLimits(deps().settings.refresh_idle, deps().settings.refresh_max)


def _answer(signed_in: tokens.SignedIn) -> Response:
    return json_response(
        {
            "access_token": access_token(signed_in.holder, ACCESS_TOKEN_LIFETIME),
            "refresh_token": signed_in.refresh_token,
            "token_type": "Bearer",  # its name  # nosec B105
            "expires_in": int(ACCESS_TOKEN_LIFETIME.total_seconds()),
        }
    )
