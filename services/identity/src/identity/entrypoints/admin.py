"""Operator's commands: python -m identity.entrypoints.admin
migrate|declare|create-admin|tell-staff|new-key"""

import sys
from collections.abc import Callable

from identity.bootstrap import MIGRATIONS, SERVICE, announced_key, build
from identity.domain.passwords import MAX_LENGTH, WeakPassword
from identity.domain.roles import ADMIN
from identity.domain.values import EmailAddress, Profile
from identity.entrypoints.consumer import SUBSCRIPTIONS
from identity.entrypoints.emails import BadEmail, read_email
from identity.settings import Settings
from identity.use_cases.commands import staff
from identity.use_cases.errors import EmailTaken
from oja_events.commands import run_commands
from oja_events.declaring import declare
from oja_events.migrating import migrate


def main() -> None:
    settings = Settings.from_env()

    def migrate_schema() -> None:
        """Bring the database schema to the newest revision."""
        migrate(SERVICE, MIGRATIONS, settings.migration_database_url)

    def declare_queues() -> None:
        """Create this service's queues and bindings on the broker."""
        declare(SERVICE, SUBSCRIPTIONS, settings.broker_url)

    def create_admin(*, email: str, if_missing: bool = False) -> None:
        """Make an administrator; the password is the first line of standard input."""
        _create_admin(_email(email), sys.stdin.readline().rstrip("\r\n"), if_missing, settings)

    def tell_staff() -> None:
        """Tell the other services once more who is on the staff."""
        told = staff.tell_of_all(uow=build(settings, role="admin").unit_of_work())
        sys.stdout.write(f"{told}\n")

    def new_key() -> None:
        """Print the two settings for another key: the first is for all services, then the second
        for identity."""
        pem, public_keys = announced_key(settings)
        escaped = pem.replace("\n", "\\n")
        sys.stdout.write(f"JWT_PUBLIC_KEYS={public_keys}\nJWT_PRIVATE_KEY={escaped}\n")

    commands: dict[str, Callable[..., None]] = {
        "migrate": migrate_schema,
        "declare": declare_queues,
        "create-admin": create_admin,
        "tell-staff": tell_staff,
        "new-key": new_key,
    }
    run_commands(SERVICE, commands)


def _create_admin(email: EmailAddress, password: str, if_missing: bool, settings: Settings) -> None:
    deps = build(settings, role="admin")
    if not 0 < len(password) <= MAX_LENGTH:
        raise SystemExit(f"give a password of at most {MAX_LENGTH} characters on standard input")
    new = staff.NewUser(email, Profile("Shop", "Admin"), password, frozenset({ADMIN}))
    try:
        staff.create_admin(new, policy=deps.policy, hasher=deps.hasher, uow=deps.unit_of_work())
    except WeakPassword as weak:
        raise SystemExit(" ".join(weak.errors["password"])) from None
    except EmailTaken:
        if not if_missing:
            raise SystemExit(f"there is an account with the address {email.text}") from None
    finally:
        deps.engine.dispose()


def _email(text: str) -> EmailAddress:
    try:
        return read_email(text)
    except BadEmail as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
