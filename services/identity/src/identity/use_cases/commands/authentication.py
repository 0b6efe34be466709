"""Whether somebody knows an account's password; shared by all ways to sign in, and by whatever asks
those who are in for it again."""

from dataclasses import dataclass
from uuid import UUID

from identity.domain.passwords import normalized
from identity.domain.user import User
from identity.use_cases.commands.attempts import Attempts
from identity.use_cases.errors import InvalidCredentials, WrongPassword
from identity.use_cases.ports import AuditEntry, PasswordHasher, UnitOfWork


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody typed. `email` is canonical, None if it cannot be an address at all. `network`
    is what one caller can take addresses from, `address` the one that was used."""

    email: str | None
    password: str
    address: str | None = None
    network: str = "unknown"


@dataclass(frozen=True, slots=True)
class Proven:
    """The password was right a moment ago. `stronger_hash` replaces one of an older strength."""

    user: User
    stronger_hash: str | None


def authenticate(
    given: Credentials, *, attempts: Attempts, hasher: PasswordHasher, uow: UnitOfWork
) -> Proven:
    """Raises InvalidCredentials, after exactly one verification whatever the reason; or, without
    any, TooManyAttempts."""
    with attempts.at_signing_in(given.email, given.network):
        return _verified(given, hasher=hasher, uow=uow)


def _verified(given: Credentials, *, hasher: PasswordHasher, uow: UnitOfWork) -> Proven:
    password = normalized(given.password)
    with uow:
        user = uow.users.find_by_email(given.email) if given.email else None
    right = hasher.verify(password, user.password_hash if user else None)
    if user is None or not right or not user.is_active:
        _note_failure(user, given.address, "disabled" if right else "wrong password", uow)
        raise InvalidCredentials
    outdated = hasher.is_outdated(user.password_hash)
    return Proven(user, hasher.hash(password) if outdated else None)


def reauthenticate(
    user_id: UUID,
    password: str,
    field: str,
    *,
    address: str | None,
    attempts: Attempts,
    hasher: PasswordHasher,
    uow: UnitOfWork,
) -> Proven:
    """For what a token alone is not good enough; `field` is where they typed the password.

    Raises WrongPassword, InvalidCredentials, TooManyAttempts.
    """
    with uow:
        user = uow.users.get_active(user_id)
    with attempts.at_reauthenticating(user.email.canonical):
        if not hasher.verify(normalized(password), user.password_hash):
            _note_wrong_password(user_id, address, uow)
            raise WrongPassword(field)
    return Proven(user, None)


def admit(proven: Proven, *, uow: UnitOfWork) -> User:
    """The user, locked, in the transaction that opens the door.

    Raises InvalidCredentials when they were disabled or took another password meanwhile.
    """
    user = uow.users.get(proven.user.id)
    if not user.is_active or user.password_changed_at != proven.user.password_changed_at:
        raise InvalidCredentials
    if proven.stronger_hash:
        user.password_hash = proven.stronger_hash
        uow.users.save(user)
    return user


def _note_failure(user: User | None, address: str | None, reason: str, uow: UnitOfWork) -> None:
    """Also of nobody, so that the time of an answer does not tell whether there is an account; and
    of whoever closed it while the password was checked, without a trace that leads to them."""
    with uow:
        locked = uow.users.lock({user.id} if user else set())
        known = next((each.id for each in locked.values() if not each.is_erased), None)
        detail = {"reason": reason if known else "unknown"}
        uow.audit.note(AuditEntry("sign_in_failed", None, known, address, detail=detail))
        uow.commit()


def _note_wrong_password(user_id: UUID, address: str | None, uow: UnitOfWork) -> None:
    with uow:
        user = uow.users.get_active(user_id)
        uow.audit.note(AuditEntry("reauthentication_failed", user.id, user.id, address))
        uow.commit()


def end_all_access(user: User, uow: UnitOfWork) -> None:
    """Whoever is signed in as this user has to sign in again. Saves the user."""
    user.revoke_access(now=uow.now())
    uow.users.save(user)
    uow.refresh_tokens.revoke_all(user.id)
    uow.sessions.remove_all(user.id)
