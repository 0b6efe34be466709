"""Why a command may be refused, beyond the rules of the domain."""

from identity.domain.patience import Patience


class EmailTaken(Exception):
    """There is an account with this address, in whatever spelling."""


class InvalidCredentials(Exception):
    """Unknown, wrong or disabled: the caller is not to learn which."""


class InvalidRefreshToken(Exception):
    """Unknown, expired, revoked, or used before: the caller is not to learn which."""


class SessionExpired(Exception):
    """There is no such session, or no longer."""


class NotStaff(Exception):
    """The account is good, but has no permission that the console could use."""


class WrongPassword(Exception):
    """The signed-in person does not know the account's password."""

    def __init__(self, field: str = "current_password") -> None:
        super().__init__("The current password is another one.")
        self.errors = {field: ["Is not your password."]}


class SameEmail(Exception):
    """The account has this address already."""

    def __init__(self) -> None:
        super().__init__("This is the address that the account has.")
        self.errors = {"email": ["Is the address that the account has."]}


class UserNotFound(Exception):
    """There is no such user."""


class AccountErased(Exception):
    """Its owner closed the account: nobody can sign in to it again."""


class UnknownRole(Exception):
    """Some of the roles do not exist."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__("some of the roles do not exist")
        self.errors = {"roles": [f"There is no role {name!r}." for name in sorted(names)]}


class RoleNotFound(Exception):
    """There is no such role."""


class RoleTaken(Exception):
    """There is a role with this name."""


class RoleBuiltIn(Exception):
    """Roles that the shop was made with cannot be changed."""


class RoleInUse(Exception):
    """Somebody has the role."""


class UnknownPermission(Exception):
    """Some of the permissions do not exist."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__("some of the permissions do not exist")
        self.errors = {"permissions": [f"There is no {name!r}." for name in sorted(names)]}


class SessionNotFound(Exception):
    """The user has no such session, or no longer."""


class TooManyAttempts(Exception):
    """There were so many failures that the next try has to wait, for so many seconds."""

    def __init__(self, patience: Patience, seconds: float) -> None:
        super().__init__(f"{patience.name}: wait {seconds:.0f} seconds")
        self.patience = patience
        self.seconds = seconds


class CannotCount(Exception):
    """What must be counted cannot be counted at this moment, so it must not happen."""


class TooBusy(Exception):
    """So many passwords are being checked that this one would have to wait too long."""
