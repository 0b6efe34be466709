"""Sessions of the admin console, kept on the server."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from identity.domain.secrets import digest, new_secret
from identity.use_cases.commands.attempts import Attempts
from identity.use_cases.commands.authentication import Credentials, admit, authenticate
from identity.use_cases.errors import NotStaff, SessionExpired, SessionNotFound
from identity.use_cases.ports import AuditEntry, Holder, PasswordHasher, UnitOfWork


@dataclass(frozen=True, slots=True)
class Session:
    """`secret` is what the browser's cookie holds."""

    holder: Holder
    secret: str


def open_session(
    given: Credentials,
    *,
    replaces: str | None,
    longest: timedelta,
    attempts: Attempts,
    hasher: PasswordHasher,
    uow: UnitOfWork,
) -> Session:
    """Always a new secret; the session that the browser had before (`replaces`) ends.

    Raises InvalidCredentials, TooManyAttempts, NotStaff.
    """
    proven = authenticate(given, attempts=attempts, hasher=hasher, uow=uow)
    secret = new_secret()
    with uow:
        user = admit(proven, uow=uow)
        permissions = uow.roles.permissions_of(user.roles)
        if permissions:
            if replaces:
                uow.sessions.remove(digest(replaces))
            uow.sessions.add(user.id, digest(secret), longest=longest, address=given.address)
        action = "admin_signed_in" if permissions else "admin_sign_in_refused"
        uow.audit.note(AuditEntry(action, user.id, user.id, given.address))
        uow.commit()
    if not permissions:
        raise NotStaff
    return Session(Holder(user, permissions), secret)


def use_session(secret: str, *, idle: timedelta, uow: UnitOfWork) -> Session:
    """Whose session this is, with the permissions of now; raises SessionExpired."""
    with uow:
        owner = uow.sessions.use(digest(secret), idle=idle)
        user = uow.users.find(owner.user_id) if owner else None
        if owner is None or user is None or not user.is_active:
            raise SessionExpired
        # All access ended since the session was found: a token of now would outlive it.
        if user.access_generation != owner.access_generation:
            raise SessionExpired
        permissions = uow.roles.permissions_of(user.roles)
        uow.commit()
    if not permissions:
        raise SessionExpired
    return Session(Holder(user, permissions), secret)


def close_session(secret: str, *, address: str | None, uow: UnitOfWork) -> None:
    """From now on the cookie opens nothing, wherever a copy of it is."""
    with uow:
        user_id = uow.sessions.remove(digest(secret))
        if user_id:
            uow.audit.note(AuditEntry("admin_signed_out", user_id, user_id, address))
        uow.commit()


def end_session(session_id: UUID, *, of: UUID, address: str | None, uow: UnitOfWork) -> None:
    """End one of a user's sessions, on whichever machine it is; raises SessionNotFound."""
    with uow:
        if not uow.sessions.remove_by_id(session_id, of):
            raise SessionNotFound(session_id)
        detail = {"session_id": str(session_id)}
        uow.audit.note(AuditEntry("admin_session_ended", of, of, address, detail))
        uow.commit()
