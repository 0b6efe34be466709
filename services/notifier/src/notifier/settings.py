"""Everything that can be set from outside, read in one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from oja_web.feeds import internal_token, service_urls


class MissingSetting(Exception):
    """The environment lacks something that has no sane default."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`smtp_url`: see adapters/smtp.py. `staff_mail`: addresses that are written to whenever
    something needs a hand, separated by commas, besides the members of the staff who may know.
    `storefront_url`: where links to products lead, without a slash at its end.
    `alert_digest_seconds`: how long alerts that come in numbers are collected before they are
    mailed; 0 mails each at once. `mail_connections`: how many mails one worker sends at a time,
    each on a connection of its own. `mail_rate_per_second`: how many mails leave in a second at
    most, all senders together; 0 for no limit."""

    database_url: str
    broker_url: str
    jwt_public_keys: str
    jwt_issuer: str
    smtp_url: str
    mail_from: str
    staff_mail: str
    storefront_url: str
    identity_url: str
    internal_token: str = field(repr=False)
    feed_urls: Mapping[str, str]
    redis_url: str | None = field(default=None, repr=False)
    migration_database_url: str | None = None
    log_level: str = "INFO"
    health_host: str = "127.0.0.1"
    health_port: int = 0
    alert_digest_seconds: float = 60.0
    mail_connections: int = 4
    mail_rate_per_second: float = 0.0
    rates: Mapping[str, str] = field(default_factory=lambda: _rates({}))

    @property
    def staff(self) -> tuple[str, ...]:
        return tuple(one.strip() for one in self.staff_mail.split(","))

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
                storefront_url=env.get("STOREFRONT_URL", env["PUBLIC_URL"]).rstrip("/"),
                identity_url=env["IDENTITY_URL"],
                internal_token=internal_token(env["INTERNAL_TOKEN"]),
                feed_urls=service_urls(env["FEED_URLS"]),
                redis_url=env["REDIS_URL"],
                migration_database_url=env.get("MIGRATION_DATABASE_URL"),
                log_level=env.get("LOG_LEVEL", "INFO"),
                health_host=env.get("HEALTH_HOST", "127.0.0.1"),
                health_port=int(env.get("HEALTH_PORT", "0")),
                alert_digest_seconds=_number(env, "ALERT_DIGEST_SECONDS", "60", at_most=86_400),
                mail_connections=_connections(env),
                mail_rate_per_second=_number(env, "MAIL_RATE_PER_SECOND", "0", at_most=10_000),
                rates=_rates(env),
            )
        except KeyError as missing:
            raise MissingSetting(f"notifier needs {missing} in its environment") from None


def _rates(env: Mapping[str, str]) -> dict[str, str]:
    """How often one caller may ask; see oja_web.throttling."""
    return {
        "anonymous": env.get("LIMIT_ANONYMOUS", "1200 per minute"),
        "signed_in": env.get("LIMIT_SIGNED_IN", "3000 per minute"),
    }


def _connections(env: Mapping[str, str]) -> int:
    """Each costs a thread, and a session of Postgres too."""
    value = int(env.get("MAIL_CONNECTIONS", "4"))
    if not 1 <= value <= 50:
        raise ValueError(f"MAIL_CONNECTIONS must be between 1 and 50, not {value}")
    return value


def _number(env: Mapping[str, str], name: str, default: str, *, at_most: float) -> float:
    value = float(env.get(name, default))
    if not 0 <= value <= at_most:
        raise ValueError(f"{name} must be between 0 and {at_most:g}, not {value}")
    return value
