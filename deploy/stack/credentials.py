"""Passwords and keys, generated once per home and kept in files of their own."""

import base64
import json
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from stack.home import write_private

_ADMIN_PASSWORD = "admin-password"  # noqa: S105  the file's name  # nosec B105


class Credentials:
    """What one stack keeps to itself. Asking twice gives the same answer, also tomorrow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def password(self, name: str) -> str:
        """Letters and digits only, so that it can stand in a URL and in a configuration file."""
        return self._kept(name, lambda: secrets.token_hex(20))

    def paystack_secret(self) -> str:
        return self._kept("paystack-secret", lambda: f"sk_test_{secrets.token_hex(20)}")

    def cloudinary_key(self) -> str:
        return self._kept("cloudinary-key", lambda: str(secrets.randbelow(9 * 10**14) + 10**14))

    def admin_password(self) -> str:
        """The first administrator's."""
        return self._kept(_ADMIN_PASSWORD, lambda: secrets.token_urlsafe(15))

    def admin_password_file(self) -> Path:
        return self._file(_ADMIN_PASSWORD)

    def jwt_private_key(self) -> str:
        """An Ed25519 key as PEM."""
        return self._kept("jwt-key", _new_key)

    def jwt_public_keys(self) -> str:
        """The JWKS, as JSON text, that verifies what the private key signs."""
        return json.dumps({"keys": [public_jwk(self.jwt_private_key())]}, separators=(",", ":"))

    def _file(self, name: str) -> Path:
        return self.folder / name

    def _kept(self, name: str, generate: Callable[[], str]) -> str:
        file = self._file(name)
        if not file.exists():
            write_private(file, generate() + "\n")
        return file.read_text().strip()


def public_jwk(private_pem: str) -> dict[str, str]:
    """The public half of an Ed25519 key; its kid is the key's thumbprint (RFC 7638)."""
    private = load_pem_private_key(private_pem.encode(), password=None)
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    kid = _base64url(sha256(canonical.encode()).digest())
    return required | {"kid": kid, "alg": "EdDSA", "use": "sig"}


def _new_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
