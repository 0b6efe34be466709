"""Everything that can be set from outside, read in one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from oja_web.feeds import internal_token, service_urls


class MissingSetting(Exception):
    """The environment lacks something that has no sane default."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`callback_hosts` are where a customer may be sent back to: `host`, or `host:port`."""

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    jwt_public_keys: str
    jwt_issuer: str
    internal_token: str = field(repr=False)
    feed_urls: Mapping[str, str]
    paystack_base_url: str
    paystack_secret_key: str = field(repr=False)
    callback_hosts: frozenset[str]
    redis_url: str | None = field(default=None, repr=False)
    migration_database_url: str | None = field(default=None, repr=False)
    log_level: str = "INFO"
    health_host: str = "127.0.0.1"
    health_port: int = 0
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
                paystack_base_url=_filled(env, "PAYSTACK_BASE_URL").rstrip("/"),
                paystack_secret_key=_filled(env, "PAYSTACK_SECRET_KEY"),
                callback_hosts=_hosts(env.get("CALLBACK_HOSTS", ""), env["PUBLIC_URL"]),
                redis_url=env["REDIS_URL"],
                migration_database_url=env.get("MIGRATION_DATABASE_URL"),
                log_level=env.get("LOG_LEVEL", "INFO"),
                health_host=env.get("HEALTH_HOST", "127.0.0.1"),
                health_port=int(env.get("HEALTH_PORT", "0")),
                rates=_rates(env),
            )
        except KeyError as missing:
            raise MissingSetting(f"payments needs {missing} in its environment") from None


def _rates(env: Mapping[str, str]) -> dict[str, str]:
    """How often one caller may ask; see oja_web.throttling."""
    return {
        "anonymous": env.get("LIMIT_ANONYMOUS", "1200 per minute"),
        "signed_in": env.get("LIMIT_SIGNED_IN", "3000 per minute"),
        "pay": env.get("LIMIT_PAY", "60 per minute"),
        "refunds": env.get("LIMIT_REFUNDS", "120 per minute"),
    }


def _filled(env: Mapping[str, str], name: str) -> str:
    """An empty key would make every forged webhook a good one."""
    if not env[name].strip():
        raise KeyError(name)
    return env[name].strip()


def _hosts(given: str, public_url: str) -> frozenset[str]:
    named = frozenset(host.strip().lower() for host in given.split(",") if host.strip())
    return named or frozenset({urlsplit(public_url).hostname or ""})
