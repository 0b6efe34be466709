"""What people do with a link from a mail, and how notifier comes by the link."""

from uuid import UUID

from identity.domain.one_time_request import (
    InvalidOneTimeToken,
    OneTimeRequest,
    Purpose,
    RequestGone,
)
from identity.domain.passwords import PasswordPolicy
from identity.domain.secrets import digest, new_secret
from identity.domain.user import User
from identity.use_cases.commands.accounts import ask_for_proof, new_hash
from identity.use_cases.commands.authentication import end_all_access
from identity.use_cases.ports import AuditEntry, ForgottenPassword, PasswordHasher, UnitOfWork

BATCH = 100


def resend_verification(user_id: UUID, *, uow: UnitOfWork) -> None:
    """Send the link again; nothing happens when the address is verified already. Raises
    InvalidCredentials."""
    with uow:
        user = uow.users.get_active(user_id)
        if not user.email_verified:
            ask_for_proof(user, Purpose.VERIFY_EMAIL, uow)
        uow.commit()


def verify_email(token: str, *, caller: UUID | None, address: str | None, uow: UnitOfWork) -> None:
    """Believe that the account's address is its owner's.

    `caller` is who is signed in, None for nobody; a link for somebody else is refused.
    Raises InvalidOneTimeToken.
    """
    with uow:
        user = _owner(token, Purpose.VERIFY_EMAIL, uow)
        if caller not in (None, user.id) or not _spend(token, Purpose.VERIFY_EMAIL, uow):
            raise InvalidOneTimeToken
        user.email_verified = True
        uow.users.save(user)
        uow.audit.note(AuditEntry("email_verified", user.id, user.id, address))
        uow.commit()


def forgot_password(email: str | None, *, address: str | None, uow: UnitOfWork) -> None:
    """Put it aside for the worker, so that neither the answer nor its time tells whether there is
    such an account. `email` is canonical, None if it cannot be an address."""
    with uow:
        uow.one_time_requests.put_aside(ForgottenPassword(email, address))
        uow.commit()


def answer_forgotten(*, uow: UnitOfWork) -> int:
    """Send links to the accounts' own addresses, where there are accounts; how many asked."""
    with uow:
        asked = uow.one_time_requests.take(BATCH)
        owners = _owners({forgotten.email for forgotten in asked if forgotten.email}, uow)
        for forgotten in asked:
            user = owners.get(forgotten.email)
            if user and user.is_active:
                ask_for_proof(user, Purpose.RESET_PASSWORD, uow)
            target = user.id if user else None
            uow.audit.note(AuditEntry("password_reset_asked", None, target, forgotten.address))
        uow.commit()
    return len(asked)


def _owners(emails: set[str], uow: UnitOfWork) -> dict[str | None, User]:
    """The users whose addresses these are, locked: what was found is old news for whoever closes
    the account or moves it to another address in this moment."""
    found = [uow.users.find_by_email(email) for email in emails]
    locked = uow.users.lock({user.id for user in found if user})
    return {user.email.canonical: user for user in locked.values()}


def reset_password(
    token: str,
    password: str,
    *,
    address: str | None,
    policy: PasswordPolicy,
    hasher: PasswordHasher,
    uow: UnitOfWork,
) -> None:
    """Take another password; ends every session and token of the user.

    Whoever has the link reads the account's mail, so the address counts as verified.
    Raises InvalidOneTimeToken, WeakPassword; a weak password does not use the link up.
    """
    with uow:
        before = _owner(token, Purpose.RESET_PASSWORD, uow)
    password_hash = new_hash(password, before.email, before.profile, policy=policy, hasher=hasher)
    with uow:
        user = _owner(token, Purpose.RESET_PASSWORD, uow)
        if not _spend(token, Purpose.RESET_PASSWORD, uow):
            raise InvalidOneTimeToken
        user.set_password(password_hash, how="reset", now=uow.now())
        user.email_verified = True
        end_all_access(user, uow)
        uow.audit.note(AuditEntry("password_reset", user.id, user.id, address))
        uow.commit()


def issue_link(request_id: UUID, *, uow: UnitOfWork) -> tuple[Purpose, str]:
    """A new secret for the request's link, which makes the one before worthless.

    Raises RequestGone.
    """
    secret = new_secret()
    with uow:
        request = uow.one_time_requests.find(request_id)
        if request is None or not _fits(request, uow):
            raise RequestGone(request_id)
        uow.one_time_requests.issue(request_id, digest(secret))
        uow.commit()
    return request.purpose, secret


def _owner(token: str, purpose: Purpose, uow: UnitOfWork) -> User:
    """Whose link this is, locked; raises InvalidOneTimeToken."""
    request = uow.one_time_requests.find_issued(digest(token), purpose)
    if request is None:
        raise InvalidOneTimeToken
    user = uow.users.get(request.user_id)
    if not request.still_fits(user):
        raise InvalidOneTimeToken
    return user


def _fits(request: OneTimeRequest, uow: UnitOfWork) -> bool:
    user = uow.users.find(request.user_id)
    if user is None or not request.still_fits(user):
        return False
    # Who has an account with the address already is not to be bothered.
    wants_another = request.purpose is Purpose.CHANGE_EMAIL
    return not (wants_another and uow.users.find_by_email(request.email.canonical))


def _spend(token: str, purpose: Purpose, uow: UnitOfWork) -> bool:
    return uow.one_time_requests.spend(digest(token), purpose)
