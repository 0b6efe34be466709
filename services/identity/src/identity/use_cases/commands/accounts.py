"""Accounts: opening one, changing what is one's own."""

from uuid import UUID

from identity.domain.address_book import AddressBook
from identity.domain.one_time_request import OneTimeRequest, Purpose
from identity.domain.passwords import PasswordPolicy, normalized
from identity.domain.roles import ADMIN, LastAdmin
from identity.domain.user import User
from identity.domain.values import EmailAddress, Profile
from identity.use_cases.commands.attempts import Attempts
from identity.use_cases.commands.authentication import admit, end_all_access, reauthenticate
from identity.use_cases.ports import AuditEntry, PasswordHasher, UnitOfWork


def register(
    email: EmailAddress,
    profile: Profile,
    password: str,
    *,
    policy: PasswordPolicy,
    hasher: PasswordHasher,
    uow: UnitOfWork,
) -> User:
    """Open a customer's account, and ask them to prove that the address is theirs.

    Raises WeakPassword, EmailTaken.
    """
    password_hash = new_hash(password, email, profile, policy=policy, hasher=hasher)
    with uow:
        user = User.register(
            user_id=uow.users.new_id(),
            email=email,
            profile=profile,
            password_hash=password_hash,
            now=uow.now(),
        )
        uow.users.add(user)
        ask_for_proof(user, Purpose.VERIFY_EMAIL, uow)
        uow.commit()
    return user


def ask_for_proof(user: User, purpose: Purpose, uow: UnitOfWork) -> None:
    """Have a link sent to the user's address; the one before, if any, is worth nothing any more."""
    request_id = uow.one_time_requests.new_id()
    request = OneTimeRequest.made_by(user, purpose, request_id=request_id, now=uow.now())
    uow.one_time_requests.put(request)


def change_profile(user_id: UUID, changes: dict[str, str | None], *, uow: UnitOfWork) -> User:
    """`changes` holds the fields of Profile that get a new value. Raises InvalidCredentials."""
    with uow:
        user = uow.users.get_active(user_id)
        user.profile = user.profile.with_changes(changes)
        uow.users.save(user)
        uow.commit()
    return user


def change_password(
    user_id: UUID,
    current: str,
    password: str,
    *,
    address: str | None,
    policy: PasswordPolicy,
    attempts: Attempts,
    hasher: PasswordHasher,
    uow: UnitOfWork,
) -> None:
    """Ends every session and every refresh token of the user, this one's too.

    Raises WrongPassword, TooManyAttempts, InvalidCredentials, WeakPassword.
    """
    proven = reauthenticate(
        user_id,
        current,
        "current_password",
        address=address,
        attempts=attempts,
        hasher=hasher,
        uow=uow,
    )
    before = proven.user
    password_hash = new_hash(password, before.email, before.profile, policy=policy, hasher=hasher)
    with uow:
        user = admit(proven, uow=uow)
        user.set_password(password_hash, how="change", now=uow.now())
        end_all_access(user, uow)
        uow.audit.note(AuditEntry("password_changed", user.id, user.id, address))
        uow.commit()


def new_hash(
    password: str,
    email: EmailAddress,
    profile: Profile,
    *,
    policy: PasswordPolicy,
    hasher: PasswordHasher,
) -> str:
    """The hash of a password that the policy lets this person have; raises WeakPassword."""
    chosen = normalized(password)
    known = (email.text, email.local_part, profile.first_name, profile.last_name, profile.name)
    policy.check(chosen, known)
    return hasher.hash(chosen)


def erase_account(
    user_id: UUID,
    password: str,
    *,
    address: str | None,
    attempts: Attempts,
    hasher: PasswordHasher,
    uow: UnitOfWork,
) -> None:
    """Forget the person for good, here and (by event) in every service. Their orders stay.

    Raises WrongPassword, TooManyAttempts, InvalidCredentials, LastAdmin.
    """
    proven = reauthenticate(
        user_id, password, "password", address=address, attempts=attempts, hasher=hasher, uow=uow
    )
    with uow:
        user = admit(proven, uow=uow)
        if ADMIN in user.roles and not uow.users.has_other_admin(user.id):
            raise LastAdmin("this is the last active administrator")
        user.erase(now=uow.now())
        end_all_access(user, uow)
        uow.address_books.save(AddressBook(user.id))
        uow.one_time_requests.remove_all(user.id)
        uow.erasures.begin(user.id)
        uow.audit.note(AuditEntry("account_erased", user.id, user.id))
        uow.audit.forget(user.id)
        uow.commit()
