"""Signing in with tokens, and staying so."""

from dataclasses import dataclass
from datetime import timedelta

from identity.domain.secrets import digest, new_secret
from identity.domain.user import User
from identity.use_cases.commands.attempts import Attempts
from identity.use_cases.commands.authentication import Credentials, admit, authenticate
from identity.use_cases.errors import InvalidRefreshToken
from identity.use_cases.ports import AuditEntry, Holder, PasswordHasher, SignIn, UnitOfWork
from oja_events.contracts.identity import AccessRevoked, RefreshTokenReused


@dataclass(frozen=True, slots=True)
class RefreshLimits:
    """A token not used for `idle` is worth nothing, nor is any `longest` after the sign-in."""

    idle: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class SignedIn:
    holder: Holder
    refresh_token: str


def log_in(
    given: Credentials,
    *,
    attempts: Attempts,
    hasher: PasswordHasher,
    limits: RefreshLimits,
    uow: UnitOfWork,
) -> SignedIn:
    """Raises InvalidCredentials, TooManyAttempts."""
    proven = authenticate(given, attempts=attempts, hasher=hasher, uow=uow)
    refresh_token = new_secret()
    with uow:
        user = admit(proven, uow=uow)
        sign_in = uow.refresh_tokens.open_family(
            user.id, digest(refresh_token), idle=limits.idle, longest=limits.longest
        )
        holder = _holder(user, sign_in, uow)
        uow.audit.note(AuditEntry("signed_in", user.id, user.id, given.address))
        uow.commit()
    return SignedIn(holder, refresh_token)


def refresh(
    refresh_token: str, *, address: str | None, limits: RefreshLimits, uow: UnitOfWork
) -> SignedIn:
    """Exchange a refresh token, once; raises InvalidRefreshToken.

    Of two exchanges of one token at most one comes from its owner, so the second ends the whole
    family, and it does not matter which of them the thief was.
    """
    successor = new_secret()
    with uow:
        sign_in = uow.refresh_tokens.rotate(
            digest(refresh_token), digest(successor), idle=limits.idle
        )
        user = uow.users.find(sign_in.user_id) if sign_in else None
        if sign_in is None or user is None:
            _punish_reuse(refresh_token, address, uow)
            raise InvalidRefreshToken
        holder = _holder(user, sign_in, uow)
        uow.commit()
    return SignedIn(holder, successor)


def log_out(refresh_token: str, *, uow: UnitOfWork) -> None:
    """End the sign-in that this token belongs to, its access tokens included; an unknown token is
    fine."""
    with uow:
        _end(uow.refresh_tokens.revoke(digest(refresh_token)), uow)
        uow.commit()


def _holder(user: User, sign_in: SignIn, uow: UnitOfWork) -> Holder:
    return Holder(user, uow.roles.permissions_of(user.roles), sign_in.id)


def _end(sign_in: SignIn | None, uow: UnitOfWork) -> None:
    if sign_in:
        uow.tell(
            AccessRevoked(user_id=sign_in.user_id, revoked_at=uow.now(), sign_in_id=sign_in.id)
        )


def _punish_reuse(refresh_token: str, address: str | None, uow: UnitOfWork) -> None:
    ended = uow.refresh_tokens.revoke_reused(digest(refresh_token))
    if ended:
        _end(ended, uow)
        if owner := uow.users.find(ended.user_id):
            _warn(owner, uow)
        uow.audit.note(AuditEntry("refresh_token_reused", None, ended.user_id, address))
        uow.commit()


def _warn(user: User, uow: UnitOfWork) -> None:
    """By mail, since it may be news to the owner that somebody else was signed in."""
    uow.tell(
        RefreshTokenReused(
            user_id=user.id, email=user.email.text, name=user.profile.name, noticed_at=uow.now()
        )
    )
