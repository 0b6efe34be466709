"""Everything that can be set from outside, read in one place."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from oja_web.feeds import service_urls

ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
# Long enough for one request through the gateway, too short to be worth stealing.
INTERNAL_TOKEN_LIFETIME = timedelta(seconds=60)
MIN_INTERNAL_TOKEN = 32


class MissingSetting(Exception):
    """The environment lacks something that has no sane default, or it cannot be read."""


@dataclass(frozen=True, slots=True)
class HashingSettings:
    """How dear one Argon2id hash is, and how many a process computes at once."""

    memory_kib: int = 64 * 1024
    time_cost: int = 3
    parallelism: int = 1
    concurrency: int = 2


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """After so many failures the next try has to wait, and longer after each."""

    failures_of_account: int = 10
    failures_of_address: int = 100
    failures_overall: int = 1000
    taken_addresses: int = 20
    reset_mails: int = 5
    longest_wait: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: str
    broker_url: str
    public_url: str
    jwt_private_key: str = field(repr=False)
    jwt_public_keys: str
    jwt_issuer: str
    redis_url: str
    readiness_urls: Mapping[str, str]
    internal_token: str = field(repr=False)
    feed_urls: Mapping[str, str]
    storefront_url: str
    migration_database_url: str | None = None
    log_level: str = "INFO"
    health_host: str = "127.0.0.1"
    health_port: int = 0
    hashing: HashingSettings = HashingSettings()
    password_min_length: int = 8
    refresh_idle: timedelta = timedelta(days=14)
    refresh_max: timedelta = timedelta(days=30)
    session_idle: timedelta = timedelta(minutes=30)
    session_max: timedelta = timedelta(hours=12)
    sign_in: SignInSettings = SignInSettings()
    rates: Mapping[str, str] = field(default_factory=lambda: _rates({}))

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Raises MissingSetting, naming the variable."""
        try:
            return cls(
                database_url=env["DATABASE_URL"],
                broker_url=env["BROKER_URL"],
                public_url=env["PUBLIC_URL"],
                jwt_private_key=env["JWT_PRIVATE_KEY"].replace("\\n", "\n"),
                jwt_public_keys=env["JWT_PUBLIC_KEYS"],
                jwt_issuer=env["JWT_ISSUER"],
                redis_url=env["REDIS_URL"],
                readiness_urls=_readiness_urls(env["READINESS_URLS"]),
                internal_token=_internal_token(env["INTERNAL_TOKEN"]),
                feed_urls=service_urls(env["FEED_URLS"]),
                storefront_url=env.get("STOREFRONT_URL", env["PUBLIC_URL"]).rstrip("/"),
                migration_database_url=env.get("MIGRATION_DATABASE_URL"),
                log_level=env.get("LOG_LEVEL", "INFO"),
                health_host=env.get("HEALTH_HOST", "127.0.0.1"),
                health_port=int(env.get("HEALTH_PORT", "0")),
                hashing=_hashing(env),
                password_min_length=int(env.get("PASSWORD_MIN_LENGTH", "8")),
                refresh_idle=timedelta(days=int(env.get("REFRESH_IDLE_DAYS", "14"))),
                refresh_max=timedelta(days=int(env.get("REFRESH_MAX_DAYS", "30"))),
                session_idle=timedelta(minutes=int(env.get("SESSION_IDLE_MINUTES", "30"))),
                session_max=timedelta(hours=int(env.get("SESSION_MAX_HOURS", "12"))),
                sign_in=_sign_in(env),
                rates=_rates(env),
            )
        except KeyError as missing:
            raise MissingSetting(f"identity needs {missing} in its environment") from None


def _sign_in(env: Mapping[str, str]) -> SignInSettings:
    return SignInSettings(
        failures_of_account=int(env.get("LOGIN_FAILURES_OF_ACCOUNT", "10")),
        failures_of_address=int(env.get("LOGIN_FAILURES_OF_ADDRESS", "100")),
        failures_overall=int(env.get("LOGIN_FAILURES_OVERALL", "1000")),
        taken_addresses=int(env.get("REGISTER_TAKEN_ADDRESSES", "20")),
        reset_mails=int(env.get("RESET_MAILS", "5")),
        longest_wait=timedelta(seconds=int(env.get("LOGIN_LONGEST_WAIT_SECONDS", "900"))),
    )


def _rates(env: Mapping[str, str]) -> dict[str, str]:
    """How often one caller may ask; see oja_web.throttling."""
    return {
        "anonymous": env.get("LIMIT_ANONYMOUS", "1200 per minute"),
        "signed_in": env.get("LIMIT_SIGNED_IN", "3000 per minute"),
        "login": env.get("LIMIT_LOGIN", "600 per minute"),
        "register": env.get("LIMIT_REGISTER", "300 per minute; 3000 per hour"),
        "reset": env.get("LIMIT_RESET", "120 per 10 minutes"),
        "confirm": env.get("LIMIT_CONFIRM", "10 per 10 minutes"),
        "resend": env.get("LIMIT_RESEND", "10 per hour"),
    }


def _hashing(env: Mapping[str, str]) -> HashingSettings:
    return HashingSettings(
        memory_kib=int(env.get("ARGON2_MEMORY_KIB", "65536")),
        time_cost=int(env.get("ARGON2_TIME_COST", "3")),
        parallelism=int(env.get("ARGON2_PARALLELISM", "1")),
        concurrency=int(env.get("ARGON2_CONCURRENCY", "2")),
    )


def _internal_token(text: str) -> str:
    if len(text) < MIN_INTERNAL_TOKEN:
        raise MissingSetting(f"INTERNAL_TOKEN needs at least {MIN_INTERNAL_TOKEN} characters")
    return text


def _readiness_urls(text: str) -> dict[str, str]:
    try:
        return {str(service): str(url) for service, url in json.loads(text).items()}
    except (ValueError, AttributeError):
        raise MissingSetting("READINESS_URLS must be JSON: {service: url}") from None
