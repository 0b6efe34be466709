"""What a refusal looks like from outside."""

from flask import Response

from identity.domain.address_book import AddressBookFull, AddressNotFound
from identity.domain.one_time_request import InvalidOneTimeToken, RequestGone
from identity.domain.passwords import WeakPassword
from identity.domain.roles import BeyondOwnPermissions, LastAdmin
from identity.use_cases.errors import (
    AccountErased,
    CannotCount,
    EmailTaken,
    InvalidCredentials,
    InvalidRefreshToken,
    NotStaff,
    RoleBuiltIn,
    RoleInUse,
    RoleNotFound,
    RoleTaken,
    SameEmail,
    SessionExpired,
    SessionNotFound,
    TooBusy,
    TooManyAttempts,
    UnknownPermission,
    UnknownRole,
    UserNotFound,
    WrongPassword,
)
from oja_web.problems import Refusal, problem_response
from oja_web.throttling import quota_exceeded

# RFC 9110 wants a challenge with every 401.
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="oja"'}

REFUSALS = {
    EmailTaken: Refusal(409, "email_taken", "There is an account with this email address."),
    WeakPassword: Refusal(422, "weak_password"),
    # The same words for unknown, wrong and disabled: who asks is not to learn which.
    InvalidCredentials: Refusal(
        401, "invalid_credentials", "Email address or password are not right.", CHALLENGE
    ),
    InvalidRefreshToken: Refusal(
        401, "invalid_refresh_token", "Sign in again: this token is not good any more.", CHALLENGE
    ),
    SessionExpired: Refusal(
        401, "session_expired", "Sign in again: the session is over.", CHALLENGE
    ),
    # 422 and not 401: nobody is asked to sign in, the link is what is wrong.
    InvalidOneTimeToken: Refusal(422, "invalid_token"),
    RequestGone: Refusal(410, "gone", "Nothing is to be sent for this request any more."),
    WrongPassword: Refusal(422, "invalid"),
    SameEmail: Refusal(422, "invalid"),
    NotStaff: Refusal(403, "forbidden", "This account is not a member of staff's."),
    AccountErased: Refusal(409, "account_erased"),
    UserNotFound: Refusal(404, "not_found", "There is no such user."),
    AddressNotFound: Refusal(404, "not_found", "There is no such address."),
    AddressBookFull: Refusal(409, "address_book_full"),
    UnknownRole: Refusal(422, "invalid"),
    UnknownPermission: Refusal(422, "invalid"),
    RoleNotFound: Refusal(404, "not_found", "There is no such role."),
    RoleTaken: Refusal(409, "role_taken", "There is a role with this name."),
    RoleBuiltIn: Refusal(409, "role_built_in"),
    RoleInUse: Refusal(409, "role_in_use"),
    SessionNotFound: Refusal(404, "not_found", "You have no such session."),
    BeyondOwnPermissions: Refusal(403, "beyond_own_permissions"),
    LastAdmin: Refusal(409, "last_admin"),
    TooBusy: Refusal(503, "unavailable", "Try again shortly.", {"Retry-After": "1"}),
    CannotCount: Refusal(503, "unavailable", "Try again shortly.", {"Retry-After": "1"}),
}


def tell_to_wait(error: TooManyAttempts) -> Response:
    """The same for all, so that nobody learns whether there is such an account."""
    rule = error.patience
    window = int(rule.memory.total_seconds())
    told = quota_exceeded(rule.name, quota=rule.free, window=window, wait=error.seconds)
    return problem_response(told)
