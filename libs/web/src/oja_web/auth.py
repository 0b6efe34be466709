"""Who calls, from the access token alone, and who may call what.

Every view says it on top, outside of @blp.arguments, so that strangers learn nothing about schemas:

    @blp.post("/orders")
    @signed_in                      # or @requires("orders:write"), or @public
    @blp.arguments(OrderSchema)
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask, current_app, g, request
from flask_jwt_extended import JWTManager, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from sqlalchemy.exc import SQLAlchemyError

from oja_events.context import Actor, act_as
from oja_web.known_tokens import KnownTokens
from oja_web.problems import Problem
from oja_web.public_keys import ALGORITHM, public_keys

P = ParamSpec("P")
R = TypeVar("R")
Claims = Mapping[str, Any]

LEEWAY_SECONDS = 10
_EXTENSION = "oja_web.auth"
_REQUIRED = ("exp", "iat", "iss", "aud", "sub", "jti")
_HEADER_NAMES = {"alg", "kid", "typ"}
_BEARER = re.compile(r"Bearer [A-Za-z0-9_-]{1,512}\.[A-Za-z0-9_-]{1,6000}\.[A-Za-z0-9_-]{1,512}")


def _never(_claims: Claims) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Whose tokens we accept: `jwks` is a JSON Web Key Set of Ed25519 public keys with ids.

    `revoked` is asked about every token that is otherwise good.
    """

    jwks: str
    issuer: str
    audience: str = "oja"
    revoked: Callable[[Claims], bool] = field(default=_never)


@dataclass(frozen=True, slots=True)
class Caller:
    user_id: UUID
    email: str
    name: str
    roles: frozenset[str]
    permissions: frozenset[str]
    token_id: str

    def may(self, permission: str) -> bool:
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class _Known:
    claims: Claims
    caller: Caller


@dataclass(frozen=True, slots=True)
class _Auth:
    settings: AuthSettings
    known: KnownTokens[_Known] = field(default_factory=KnownTokens)


def register_auth(app: Flask, settings: AuthSettings) -> None:
    keys = public_keys(settings.jwks)
    app.extensions[_EXTENSION] = _Auth(settings)
    app.config.update(
        JWT_ALGORITHM=ALGORITHM,
        JWT_DECODE_ALGORITHMS=[ALGORITHM],
        JWT_DECODE_ISSUER=settings.issuer,
        JWT_DECODE_AUDIENCE=settings.audience,
        JWT_DECODE_LEEWAY=LEEWAY_SECONDS,
    )

    @JWTManager(app).decode_key_loader
    def key_of(header: Mapping[str, Any], _claims: Claims) -> Ed25519PublicKey:
        _check_header(header)
        return keys[header["kid"]]

    def _check_header(header: Mapping[str, Any]) -> None:
        # Keys come from our settings only: jku, x5u, jwk, crit and the like have no business here.
        if not set(header) <= _HEADER_NAMES or str(header.get("typ")).lower() != "at+jwt":
            raise jwt.InvalidTokenError("not an access token")
        if not isinstance(header.get("kid"), str) or header["kid"] not in keys:
            raise jwt.InvalidTokenError("unknown key")


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """Any user with a good access token may call this; others get 401."""
    return _guarded(view, "customer", lambda _caller: True)


def requires(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Only callers whose token names `permission` may call this; other users get 403."""
    return lambda view: _guarded(view, permission, lambda caller: caller.may(permission))


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Anybody may call this."""

    @wraps(view)
    def open_view(*args: P.args, **kwargs: P.kwargs) -> R:
        return view(*args, **kwargs)

    return declare_access(open_view, "anonymous", security=[])


def declare_access(
    view: Callable[P, R], access: str, *, security: list[dict[str, list[str]]]
) -> Callable[P, R]:
    """Write on the view who may call it, for the route matrix and for OpenAPI; checks nothing."""
    documented: Any = view
    documented.access = access
    refusals = {"401": "UNAUTHORIZED"} | ({} if access == "customer" else {"403": "FORBIDDEN"})
    counted = {} if getattr(view, "unlimited", False) else {"429": "TOO_MANY_REQUESTS"}
    document_answers(view, counted | (refusals if security else {}))
    manual = documented._apidoc["manual_doc"]
    manual["security"] = security
    if security:
        manual.setdefault("x-access", access)
    return view


def document_answers(view: Callable[P, R], answers: Mapping[str, str]) -> Callable[P, R]:
    """Add answers to the view's part of OpenAPI: {"404": "NOT_FOUND"}."""
    documented: Any = view
    documented._apidoc = deepcopy(getattr(view, "_apidoc", {}))
    manual = documented._apidoc.setdefault("manual_doc", {})
    if answers:
        manual.setdefault("responses", {}).update(answers)
    return view


def caller() -> Caller:
    """Who sent this request. Only inside views that are `signed_in` or `requires` something."""
    known: Caller = g.oja_caller
    return known


def caller_if_any() -> Caller | None:
    """For public views: who sent this request, None for strangers. A bad token is refused."""
    return _identify() if "Authorization" in request.headers else None


def caller_if_good() -> Caller | None:
    """For what comes before the view: who shows a good token. Bad ones are the view's business,
    and so is a database that cannot say which ones are bad."""
    if "Authorization" not in request.headers:
        return None
    try:
        return _identify()
    except (Problem, SQLAlchemyError):
        return None


def _guarded(
    view: Callable[P, R], access: str, allowed: Callable[[Caller], bool]
) -> Callable[P, R]:
    @wraps(view)
    def guarded_view(*args: P.args, **kwargs: P.kwargs) -> R:
        g.oja_caller = _identify()
        if not allowed(g.oja_caller):
            raise Problem(403, "forbidden", "Your account may not do this.")
        # Whatever is written into the audit log from here on names them.
        with act_as(Actor(g.oja_caller.user_id, request.remote_addr)):
            return view(*args, **kwargs)

    return declare_access(guarded_view, access, security=[{"bearerAuth": []}])


def _identify() -> Caller:
    """Once for each request, however many ask; who was refused is refused again."""
    if "oja_unidentified" in g:
        raise g.oja_unidentified
    if "oja_identified" not in g:
        g.oja_identified = _verified_or_remembered()
    known: Caller = g.oja_identified
    return known


def _verified_or_remembered() -> Caller:
    try:
        return _verified()
    except (Problem, SQLAlchemyError) as refusal:
        g.oja_unidentified = refusal
        raise


def _verified() -> Caller:
    header = request.headers.get("Authorization", "")
    if not header:
        raise _stranger("Sign in first: send an access token.", "")
    # Stricter than the library, which picks the bearer part out of a list of credentials.
    if not _BEARER.fullmatch(header):
        raise _stranger("The Authorization header must be one bearer token.", "invalid_request")
    auth: _Auth = current_app.extensions[_EXTENSION]
    known = auth.known.find(header)
    if known is None:
        return _checked(header, auth)
    if auth.settings.revoked(known.claims):
        raise _invalid_token()
    return known.caller


def _checked(header: str, auth: _Auth) -> Caller:
    """All that there is to check; most of a tenth of a millisecond for the signature alone."""
    try:
        # Not verify_jwt_in_request: it takes the token apart once more, only to look at its head.
        claims = decode_token(header.removeprefix("Bearer "))
        if not _is_complete(claims, auth.settings.audience) or auth.settings.revoked(claims):
            raise _invalid_token()
        known = _Known(claims, _caller_of(claims))
        auth.known.keep(header, known, claims["exp"] + LEEWAY_SECONDS)
        return known.caller
    except (jwt.PyJWTError, JWTExtendedException, *_HOSTILE) as error:
        raise _invalid_token() from error


def _is_complete(claims: Claims, audience: str) -> bool:
    # FJE makes up a jti for tokens without one; PyJWT takes tokens that never expire.
    present = all(claims.get(name) for name in _REQUIRED)
    return present and claims["aud"] == audience and claims["type"] != "refresh"


# Whatever shape the parts of a token have: a stranger gets 401 for it, never 500.
_HOSTILE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


def _caller_of(claims: Claims) -> Caller:
    return Caller(
        user_id=UUID(claims["sub"]),
        email=str(claims.get("email", "")),
        name=str(claims.get("name", "")),
        roles=_names(claims.get("roles", [])),
        permissions=_names(claims.get("permissions", [])),
        token_id=str(claims["jti"]),
    )


def _names(claim: object) -> frozenset[str]:
    if not isinstance(claim, list) or not all(isinstance(name, str) for name in claim):
        raise TypeError("not a list of names")
    return frozenset(claim)


def _invalid_token() -> Problem:
    return _stranger("The access token is not valid, or no longer.", "invalid_token")


def _stranger(detail: str, error: str) -> Problem:
    challenge = 'Bearer realm="oja"' + (f', error="{error}"' if error else "")
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": challenge})
