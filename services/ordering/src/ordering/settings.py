"""Everything that can be set from outside, read in one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from oja_web.feeds import internal_token, service_urls


class MissingSetting(Exception):
    """The environment lacks something that has no sane default."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds a password is left out of the repr, which may end in a log."""

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    jwt_public_keys: str
    jwt_issuer: str
    internal_token: str = field(repr=False)
    feed_urls: Mapping[str, str]
    redis_url: str | None = field(default=None, repr=False)
    migration_database_url: str | None = field(default=None, repr=False)
    log_level: str = "INFO"
    health_host: str = "127.0.0.1"
    health_port: int = 0
    payment_window: timedelta = timedelta(minutes=30)
    cart_lifetime: timedelta = timedelta(days=90)
    rates: Mapping[str, str] = field(default_factory=lambda: _rates({}))

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Raises MissingSetting, naming the variable."""
        try:
            return cls(
                database_url=env["DATABASE_URL"],
                broker_url=env["BROKER_URL"],
                jwt_public_keys=env["JWT_PUBLIC_KEYS"],
                jwt_issuer=env["JWT_ISSUER"],
                internal_token=internal_token(env["INTERNAL_TOKEN"]),
                feed_urls=service_urls(env["FEED_URLS"]),
                redis_url=env["REDIS_URL"],
                migration_database_url=env.get("MIGRATION_DATABASE_URL"),
                log_level=env.get("LOG_LEVEL", "INFO"),
                health_host=env.get("HEALTH_HOST", "127.0.0.1"),
                health_port=int(env.get("HEALTH_PORT", "0")),
                payment_window=timedelta(minutes=int(env.get("PAYMENT_WINDOW_MINUTES", "30"))),
                cart_lifetime=timedelta(days=int(env.get("CART_LIFETIME_DAYS", "90"))),
                rates=_rates(env),
            )
        except KeyError as missing:
            raise MissingSetting(f"ordering needs {missing} in its environment") from None


def _rates(env: Mapping[str, str]) -> dict[str, str]:
    """How often one caller may ask; see oja_web.throttling."""
    return {
        "anonymous": env.get("LIMIT_ANONYMOUS", "1200 per minute"),
        "signed_in": env.get("LIMIT_SIGNED_IN", "3000 per minute"),
        "checkout": env.get("LIMIT_CHECKOUT", "60 per minute"),
    }
