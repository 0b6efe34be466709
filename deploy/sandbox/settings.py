"""What the sandbox is told when it starts: addresses as arguments, secrets from the environment."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class MissingSetting(Exception):
    """The sandbox cannot start; the text names what it needs."""


@dataclass(frozen=True, slots=True)
class CloudinaryAccount:
    cloud: str
    key: str
    secret: str

    @classmethod
    def from_url(cls, url: str) -> "CloudinaryAccount":
        """Read `cloudinary://key:secret@cloud`; like the SDK, the cloud name in lower case."""
        parts = urlsplit(url)
        if parts.scheme != "cloudinary":
            raise MissingSetting("SANDBOX_CLOUDINARY_URL must be cloudinary://key:secret@cloud")
        if not (parts.hostname and parts.username and parts.password):
            raise MissingSetting("SANDBOX_CLOUDINARY_URL lacks its cloud, key or secret")
        return cls(parts.hostname, parts.username, parts.password)


@dataclass(frozen=True, slots=True)
class Settings:
    """Durations are in seconds; `retry_factor` stretches the webhooks' schedule."""

    host: str
    port: int
    smtp_port: int
    public_url: str
    webhook_url: str
    state_dir: Path
    paystack_secret: str
    cloudinary: CloudinaryAccount
    smtp_user: str | None = None
    smtp_password: str | None = None
    default_currency: str = "NGN"
    retry_factor: float = 1.0
    webhook_timeout: float = 30.0
    refund_step: float = 1.0

    @classmethod
    def read(
        cls, argv: Sequence[str] | None = None, env: Mapping[str, str] = os.environ
    ) -> "Settings":
        given = vars(_parser().parse_args(argv))
        given["public_url"] = given["public_url"].rstrip("/")
        try:
            return cls(
                **given,
                paystack_secret=env["SANDBOX_PAYSTACK_SECRET"],
                cloudinary=CloudinaryAccount.from_url(env["SANDBOX_CLOUDINARY_URL"]),
                smtp_user=env.get("SANDBOX_SMTP_USER") or None,
                smtp_password=env.get("SANDBOX_SMTP_PASSWORD") or None,
            )
        except KeyError as missing:
            raise MissingSetting(f"the sandbox needs {missing} in its environment") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    add = parser.add_argument
    add("--host", required=True)
    add("--port", required=True, type=int)
    add("--smtp-port", required=True, type=int)
    add("--public-url", required=True, help="where a browser finds this sandbox")
    add("--webhook-url", required=True, help="where Paystack's webhooks go")
    add("--state-dir", required=True, type=Path)
    add("--default-currency", default="NGN", help="used when a payment names none")
    add("--retry-factor", default=1.0, type=float, help="stretches the webhooks' retry schedule")
    add("--webhook-timeout", default=30.0, type=float, help="seconds per delivery")
    add("--refund-step", default=1.0, type=float, help="seconds between a refund's states")
    return parser
