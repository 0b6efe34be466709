"""Everything that can be set from outside, read in one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


class MissingSetting(Exception):
    """The environment lacks something that has no sane default."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`smtp_url`: see adapters/smtp.py; `staff_mail` is written to when something needs a hand."""

    database_url: str
    broker_url: str
    jwt_public_keys: str
    jwt_issuer: str
    smtp_url: str
    mail_from: str
    staff_mail: str
    identity_url: str
    internal_token: str = field(repr=False)
    migration_database_url: str | None = None
    log_level: str = "INFO"
    health_host: str = "127.0.0.1"
    health_port: int = 0

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Raises MissingSetting, naming the variable."""
        try:
            return cls(
                database_url=env["DATABASE_URL"],
                broker_url=env["BROKER_URL"],
                jwt_public_keys=env["JWT_PUBLIC_KEYS"],
                jwt_issuer=env["JWT_ISSUER"],
                smtp_url=env["SMTP_URL"],
                mail_from=env["MAIL_FROM"],
                staff_mail=env["STAFF_MAIL"],
                identity_url=env["IDENTITY_URL"],
                internal_token=env["INTERNAL_TOKEN"],
                migration_database_url=env.get("MIGRATION_DATABASE_URL"),
                log_level=env.get("LOG_LEVEL", "INFO"),
                health_host=env.get("HEALTH_HOST", "127.0.0.1"),
                health_port=int(env.get("HEALTH_PORT", "0")),
            )
        except KeyError as missing:
            raise MissingSetting(f"notifier needs {missing} in its environment") from None
