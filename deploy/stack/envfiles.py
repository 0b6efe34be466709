"""The environment of each service: what its settings read, with the addresses of one stack."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack.failure import Failure
from stack.home import write_private
from stack.services import SERVICES

# What `up --env-file` may set, and which services read it ("": all of them; else the gateway).
OVERRIDES = {
    "OJA_CALLER_RATE": "gateway",
    "CLOUDINARY_URL": "catalog",
    "CLOUDINARY_UPLOAD_PREFIX": "catalog",
    "CLOUDINARY_DELIVERY_URL": "catalog",
    "PAYSTACK_BASE_URL": "payments",
    "PAYSTACK_SECRET_KEY": "payments",  # who reads it  # nosec B105
    "CALLBACK_HOSTS": "payments",
    "SMTP_URL": "notifier",
    "MAIL_FROM": "notifier",
    "STAFF_MAIL": "notifier",
    "ALERT_DIGEST_SECONDS": "notifier",
    "MAIL_CONNECTIONS": "notifier",
    "MAIL_RATE_PER_SECOND": "notifier",
    "STOREFRONT_URL": "identity notifier",
    "PAYMENT_WINDOW_MINUTES": "ordering",
    "CART_LIFETIME_DAYS": "ordering",
    "LOG_LEVEL": "",
    "SHOP_CURRENCY": "catalog",
    "REVIEWS_MODERATED": "catalog",
    "LIMIT_ANONYMOUS": "",
    "LIMIT_SIGNED_IN": "",
    "LIMIT_BROWSING": "catalog",
    "LIMIT_REVIEWS": "catalog",
    "LIMIT_UPLOADS": "catalog",
    "LIMIT_CHECKOUT": "ordering",
    "LIMIT_PAY": "payments",
    "LIMIT_REFUNDS": "payments",
    "LIMIT_LOGIN": "identity",
    "LIMIT_REGISTER": "identity",
    "LIMIT_RESET": "identity",
    "LIMIT_CONFIRM": "identity",
    "LIMIT_RESEND": "identity",
    "LOGIN_FAILURES_OF_ACCOUNT": "identity",
    "LOGIN_FAILURES_OF_ADDRESS": "identity",
    "LOGIN_FAILURES_OVERALL": "identity",
    "LOGIN_LONGEST_WAIT_SECONDS": "identity",
    "REGISTER_TAKEN_ADDRESSES": "identity",
    "RESET_MAILS": "identity",
    "PASSWORD_MIN_LENGTH": "identity",  # nosec B105
    "REFRESH_IDLE_DAYS": "identity",
    "REFRESH_MAX_DAYS": "identity",
    "SESSION_IDLE_MINUTES": "identity",
    "SESSION_MAX_HOURS": "identity",
    "ARGON2_MEMORY_KIB": "identity",
    "ARGON2_TIME_COST": "identity",
    "ARGON2_PARALLELISM": "identity",
    "ARGON2_CONCURRENCY": "identity",
}
# One belongs to the other: a real Cloudinary account does not live on the sandbox's host.
_TOGETHER = {
    "CLOUDINARY_URL": ("CLOUDINARY_UPLOAD_PREFIX", "CLOUDINARY_DELIVERY_URL"),
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is and how to log in, for one stack."""

    public_url: str
    databases: Mapping[str, str]
    migrations: Mapping[str, str]
    brokers: Mapping[str, str]
    redis: Mapping[str, str]
    readiness: Mapping[str, str]
    feeds: Mapping[str, str]
    sandbox: str
    smtp: str
    paystack_secret: str
    cloudinary_url: str
    jwt_private_key: str
    jwt_public_keys: str
    identity: str
    internal_token: str
    overrides: Mapping[str, str] = field(default_factory=dict)


def environment(service: str, at: Addresses) -> dict[str, str]:
    """Every variable of that service, the migrations' role included."""
    variables = {
        "PUBLIC_URL": at.public_url,
        "JWT_ISSUER": at.public_url,
        "JWT_PUBLIC_KEYS": at.jwt_public_keys,
        "DATABASE_URL": at.databases[service],
        "BROKER_URL": at.brokers[service],
        "REDIS_URL": at.redis[service],
        "INTERNAL_TOKEN": at.internal_token,
        "FEED_URLS": _json(at.feeds),
        "LOG_LEVEL": "INFO",
    }
    return _overridden(service, variables | _own(service, at), at.overrides)


def migration_environment(service: str, at: Addresses) -> dict[str, str]:
    """What the migration task gets on top; no running process has it."""
    return {"MIGRATION_DATABASE_URL": at.migrations[service]}


def write(folder: Path, at: Addresses) -> None:
    """Write `<service>.env` for each service, readable by the owner only."""
    for service in SERVICES:
        write_private(folder / f"{service}.env", text(environment(service, at)))


def text(variables: Mapping[str, str]) -> str:
    """An env file: one NAME=value per line."""
    return "".join(f"{key}={_one_line(value)}\n" for key, value in variables.items())


def read(file: Path) -> dict[str, str]:
    """The variables in an env file, as `docker compose` reads it too."""
    try:
        lines = [line.strip() for line in file.read_text().splitlines()]
    except OSError as error:
        raise Failure(f"The environment file {file} cannot be read: {error.strerror}.") from None
    return dict(_assignment(line, file) for line in lines if line and not line.startswith("#"))


def overrides(file: Path) -> dict[str, str]:
    """What an `--env-file` replaces; other variables in it are for the containers."""
    return chosen(read(file))


def chosen(variables: Mapping[str, str]) -> dict[str, str]:
    """The same from variables that were read elsewhere."""
    given = {key: value for key, value in variables.items() if key in OVERRIDES and value}
    for key, companions in _TOGETHER.items():
        if key in given:
            given = dict.fromkeys(companions, "") | given
    return given


def _own(service: str, at: Addresses) -> dict[str, str]:
    match service:
        case "identity":
            return {
                "JWT_PRIVATE_KEY": at.jwt_private_key,
                "READINESS_URLS": _json(at.readiness),
            }
        case "catalog":
            return {
                "CLOUDINARY_URL": at.cloudinary_url,
                "CLOUDINARY_UPLOAD_PREFIX": f"{at.sandbox}/cloudinary",
                "CLOUDINARY_DELIVERY_URL": f"{at.sandbox}/cloudinary-delivery",
            }
        case "payments":
            return {
                "PAYSTACK_BASE_URL": f"{at.sandbox}/paystack",
                "PAYSTACK_SECRET_KEY": at.paystack_secret,
                "CALLBACK_HOSTS": "localhost,127.0.0.1",
            }
        case "notifier":
            return {
                "SMTP_URL": at.smtp,
                "MAIL_FROM": "Oja <orders@oja.example>",
                "STAFF_MAIL": "staff@oja.example",
                "IDENTITY_URL": at.identity,
            }
        case _:
            return {"PAYMENT_WINDOW_MINUTES": "30"}


def _json(urls: Mapping[str, str]) -> str:
    return json.dumps(dict(urls), separators=(",", ":"))


def _overridden(
    service: str, variables: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    mine = {key: value for key, value in given.items() if service in _readers(key)}
    return {key: value for key, value in (dict(variables) | mine).items() if value}


def _readers(key: str) -> Collection[str]:
    return OVERRIDES[key].split() or SERVICES


def _assignment(line: str, file: Path) -> tuple[str, str]:
    key, separator, value = line.removeprefix("export ").partition("=")
    if not separator:
        raise Failure(f"{file} has a line that is not NAME=value: {line!r}.")
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return key.strip(), value


def _one_line(value: str) -> str:
    return value.replace("\n", "\\n")
