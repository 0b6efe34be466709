"""The admin console's session: a cookie here, a row in the database."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from flask import Response, request

from identity.domain.secrets import digest
from identity.entrypoints.http import presenters
from identity.entrypoints.http.dependencies import access_token, credentials, deps
from identity.entrypoints.http.forgery import refuse_foreign_origin, refuse_forgery
from identity.entrypoints.http.schemas import CredentialsSchema, SessionPageSchema, SessionSchema
from identity.settings import INTERNAL_TOKEN_LIFETIME
from identity.use_cases.commands import sessions
from identity.use_cases.errors import SessionExpired
from oja_web import console
from oja_web.auth import declare_access, public
from oja_web.blueprint import Blueprint
from oja_web.pagination import page
from oja_web.strict_json import json_response
from oja_web.throttling import limited

P = ParamSpec("P")
R = TypeVar("R")

COOKIE = "oja_session"

blp = Blueprint(
    "admin-session", __name__, url_prefix="/api/admin/session", description="The admin console"
)


def in_session(view: Callable[P, R]) -> Callable[P, R]:
    """Declare that the view reads the session's cookie itself; strangers get 401, forgers 403."""
    return declare_access(view, "session", security=[{console.COOKIE: []}])


@blp.post("")
@public
@limited("login", by_address=True, closed=True)
@blp.arguments(CredentialsSchema)
@blp.response(200, SessionSchema)
@blp.alt_response(401, "UNAUTHORIZED")
@blp.alt_response(403, "FORBIDDEN")
def sign_in(body: dict[str, Any]) -> Response:
    """Sign in to the admin console

    Sets a cookie that only the server can read. Every call that changes something must carry the
    `csrf_token` as X-CSRF-Token. The session ends after 30 idle minutes, or after 12 hours.
    """
    refuse_foreign_origin(request.headers, deps().settings.public_url)
    session = sessions.open_session(
        credentials(body),
        replaces=_secret() or None,
        longest=deps().settings.session_max,
        attempts=deps().attempts,
        hasher=deps().hasher,
        uow=deps().unit_of_work(),
    )
    response = json_response(presenters.session(session))
    response.set_cookie(COOKIE, session.secret, **_cookie_rules())
    return response


@blp.get("")
@in_session
@blp.response(200, SessionSchema)
def show_session() -> Response:
    """Who you are, what you may do, and the token for calls that change something"""
    return json_response(presenters.session(_current("GET")))


@blp.delete("")
@in_session
@blp.response(204)
def sign_out() -> Response:
    """End the session"""
    session = _current("DELETE")
    sessions.close_session(session.secret, address=request.remote_addr, uow=deps().unit_of_work())
    response = Response(status=204)
    response.delete_cookie(COOKIE, **_cookie_rules())
    return response


@blp.get("/all")
@in_session
@blp.response(200, SessionPageSchema)
def list_sessions() -> Response:
    """Your sessions at the console, on this machine and others"""
    session = _current("GET")
    found = deps().queries.sessions(
        session.holder.user.id,
        idle=deps().settings.session_idle,
        current=digest(session.secret),
    )
    return json_response(page(presenters.plain(found), None))


@blp.delete("/<uuid:session_id>")
@in_session
@blp.response(204)
@blp.alt_response(404, "NOT_FOUND")
def end_session(session_id: UUID) -> None:
    """End one of your sessions, wherever it is"""
    session = _current("DELETE")
    sessions.end_session(
        session_id,
        of=session.holder.user.id,
        address=request.remote_addr,
        uow=deps().unit_of_work(),
    )


@in_session
def vouch_for_session() -> Response:
    """For the gateway: a short-lived token in place of the cookie of the request it describes."""
    # A gateway that forgets the method must not get past the check for forgery.
    session = _current(request.headers.get("X-Original-Method", "unknown"))
    token = access_token(session.holder, INTERNAL_TOKEN_LIFETIME)
    return Response(status=204, headers={"X-Oja-Token": token})


def _current(method: str) -> sessions.Session:
    """The session of the cookie; raises SessionExpired, or a 403 problem for a forgery."""
    secret = _secret()
    if not secret:
        raise SessionExpired
    settings = deps().settings
    session = sessions.use_session(secret, idle=settings.session_idle, uow=deps().unit_of_work())
    refuse_forgery(secret, method, request.headers, settings.public_url)
    return session


def _secret() -> str:
    return request.cookies.get(COOKIE, "")


def _cookie_rules() -> dict[str, Any]:
    return {
        "path": "/",
        "httponly": True,
        "samesite": "Strict",
        "secure": deps().settings.public_url.startswith("https://"),
    }
