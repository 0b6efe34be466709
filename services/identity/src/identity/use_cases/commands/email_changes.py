"""Another address for an account: asked for with the password, done by a link that only the mail to
that address holds."""

from uuid import UUID

from identity.domain.one_time_request import InvalidOneTimeToken, OneTimeRequest, Purpose
from identity.domain.secrets import digest
from identity.domain.values import EmailAddress
from identity.use_cases.commands.attempts import Attempts
from identity.use_cases.commands.authentication import admit, end_all_access, reauthenticate
from identity.use_cases.errors import EmailTaken, SameEmail
from identity.use_cases.ports import AuditEntry, PasswordHasher, UnitOfWork


def ask(
    user_id: UUID,
    email: EmailAddress,
    password: str,
    *,
    address: str | None,
    attempts: Attempts,
    hasher: PasswordHasher,
    uow: UnitOfWork,
) -> None:
    """Have a link sent to `email`. Whether somebody else has that address is not looked at: who
    asks is not to learn it. Nor is one who has had many mails sent there that no more are sent.

    Raises WrongPassword, TooManyAttempts, InvalidCredentials, SameEmail, CannotCount.
    """
    proven = reauthenticate(
        user_id, password, "password", address=address, attempts=attempts, hasher=hasher, uow=uow
    )
    if email.canonical == proven.user.email.canonical:
        raise SameEmail
    if not attempts.may_mail(email.canonical):
        return
    with uow:
        user = admit(proven, uow=uow)
        request = OneTimeRequest.made_by(
            user,
            Purpose.CHANGE_EMAIL,
            request_id=uow.one_time_requests.new_id(),
            now=uow.now(),
            email=email,
        )
        uow.one_time_requests.put(request)
        uow.audit.note(AuditEntry("email_change_asked", user.id, user.id, address))
        uow.commit()


def confirm(token: str, *, caller: UUID | None, address: str | None, uow: UnitOfWork) -> None:
    """The account has the new address, and everybody signs in again: tokens carry the old one.

    `caller` is who is signed in, None for nobody; a link for somebody else is refused. Raises
    InvalidOneTimeToken, and EmailTaken to the reader of an address that got an account meanwhile.
    """
    secret = digest(token)
    with uow:
        request = uow.one_time_requests.find_issued(secret, Purpose.CHANGE_EMAIL)
        if request is None or caller not in (None, request.user_id):
            raise InvalidOneTimeToken
        user = uow.users.get(request.user_id)
        if not request.still_fits(user):
            raise InvalidOneTimeToken
        if not uow.one_time_requests.spend(secret, Purpose.CHANGE_EMAIL):
            raise InvalidOneTimeToken
        if uow.users.find_by_email(request.email.canonical):
            raise EmailTaken("there is an account with this address")
        user.move_to(request.email, now=uow.now())
        end_all_access(user, uow)
        uow.audit.note(AuditEntry("email_changed", user.id, user.id, address))
        uow.commit()
