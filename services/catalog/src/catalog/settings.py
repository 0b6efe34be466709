"""Everything that can be set from outside, read in one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from oja_web.feeds import internal_token, service_urls


class MissingSetting(Exception):
    """The environment lacks something that has no sane default."""


@dataclass(frozen=True, slots=True)
class Settings:
    database_url: str
    broker_url: str
    jwt_public_keys: str
    jwt_issuer: str
    internal_token: str = field(repr=False)
    feed_urls: Mapping[str, str]
    redis_url: str | None = None
    migration_database_url: str | None = None
    log_level: str = "INFO"
    health_host: str = "127.0.0.1"
    health_port: int = 0
    currency: str = "NGN"
    reviews_moderated: bool = False
    cloudinary_url: str | None = None
    cloudinary_upload_prefix: str | None = None
    cloudinary_delivery_url: str | None = None
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
                currency=env.get("SHOP_CURRENCY", "NGN"),
                reviews_moderated=_switch("REVIEWS_MODERATED", env.get("REVIEWS_MODERATED")),
                cloudinary_url=env.get("CLOUDINARY_URL"),
                cloudinary_upload_prefix=env.get("CLOUDINARY_UPLOAD_PREFIX"),
                cloudinary_delivery_url=env.get("CLOUDINARY_DELIVERY_URL"),
                rates=_rates(env),
            )
        except KeyError as missing:
            raise MissingSetting(f"catalog needs {missing} in its environment") from None


def _rates(env: Mapping[str, str]) -> dict[str, str]:
    """How often one caller may ask; see oja_web.throttling."""
    return {
        "anonymous": env.get("LIMIT_ANONYMOUS", "1200 per minute"),
        "signed_in": env.get("LIMIT_SIGNED_IN", "3000 per minute"),
        "browsing": env.get("LIMIT_BROWSING", "6000 per minute"),
        "reviews": env.get("LIMIT_REVIEWS", "30 per minute"),
        "uploads": env.get("LIMIT_UPLOADS", "120 per minute"),
    }


def _switch(name: str, value: str | None) -> bool:
    if value not in (None, "true", "false"):
        raise ValueError(f"{name} must be true or false")
    return value == "true"
