"""Passwords and keys, generated once per home and kept in files of their own."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path

from stack.home import write_private
from stack.keyring import Keyring

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

    @property
    def keyring(self) -> Keyring:
        return Keyring(self.folder)

    def jwt_private_key(self) -> str:
        """The Ed25519 key that signs, as PEM."""
        return self.keyring.signing()

    def jwt_public_keys(self) -> str:
        """The JWKS, as JSON text, that tokens are verified with."""
        return json.dumps({"keys": self.keyring.public_keys()}, separators=(",", ":"))

    def _file(self, name: str) -> Path:
        return self.folder / name

    def _kept(self, name: str, generate: Callable[[], str]) -> str:
        file = self._file(name)
        if not file.exists():
            write_private(file, generate() + "\n")
        return file.read_text().strip()
