"""The keys that access tokens are signed with, over their lives.

    announced ──everybody verifies with it──▶ signing ──another one signs──▶ retired ──▶ dropped

A key signs only after all services know its public half, and is known until no token that it
signed is left, so a change of keys ends nobody's sign-in. What is kept here is the state; who runs
the services makes them read it between the steps.
"""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from stack.failure import Failure
from stack.home import write_private

# Longer than any token lives (10 minutes), with the leeway for clocks and a slow restart.
KEPT_FOR = timedelta(minutes=15)


class Keyring:
    """The keys of one stack, in files of `folder` that only their owner reads."""

    def __init__(self, folder: Path) -> None:
        self._signing = folder / "jwt-key"
        self._announced = folder / "jwt-key-next"
        self._retired = folder / "jwt-keys-retired.json"

    def signing(self) -> str:
        """The private key in use, as PEM; made when it is first asked for."""
        if not self._signing.exists():
            write_private(self._signing, _new_key())
        return self._signing.read_text().strip()

    def public_keys(self) -> list[dict[str, str]]:
        """What tokens are verified with, in an order that does not change with a key's role."""
        keys = [public_jwk(self.signing()), *(each["jwk"] for each in self._read_retired())]
        if self._announced.exists():
            keys.append(public_jwk(self._announced.read_text()))
        return [key for _, key in sorted({key["kid"]: key for key in keys}.items())]

    def states(self) -> dict[str, str]:
        """Key id -> what the key is for."""
        states = {each["jwk"]["kid"]: f"retired {each['at']}" for each in self._read_retired()}
        states[public_jwk(self.signing())["kid"]] = "signing"
        if self._announced.exists():
            states[public_jwk(self._announced.read_text())["kid"]] = "announced"
        return states

    def announce(self) -> None:
        """Have a new key that everybody is to know; one that was announced before stays the one."""
        if not self._announced.exists():
            write_private(self._announced, _new_key())

    def use_announced(self, now: datetime) -> None:
        """Sign with the announced key from now on; the one before is retired."""
        if not self._announced.exists():
            raise Failure("There is no new key yet; announce one first.")
        entry = {"jwk": public_jwk(self.signing()), "at": now.isoformat(timespec="seconds")}
        # Retired before it is replaced: whatever happens in between, nobody forgets it.
        self._write_retired([*self._read_retired(), entry])
        os.replace(self._announced, self._signing)

    def drop_retired(self, now: datetime) -> list[str]:
        """Forget retired keys that no token is left of; their ids."""
        kept = [each for each in self._read_retired() if now - _at(each) < KEPT_FOR]
        gone = [each["jwk"]["kid"] for each in self._read_retired() if each not in kept]
        self._write_retired(kept)
        return gone

    def droppable_at(self) -> datetime | None:
        """When the last retired key may be dropped; None if there is none."""
        return max((_at(each) + KEPT_FOR for each in self._read_retired()), default=None)

    def _read_retired(self) -> list[dict[str, Any]]:
        if not self._retired.exists():
            return []
        found: list[dict[str, Any]] = json.loads(self._retired.read_text())
        return found

    def _write_retired(self, entries: list[dict[str, Any]]) -> None:
        write_private(self._retired, json.dumps(entries))


def now() -> datetime:
    return datetime.now(UTC)


def public_jwk(private_pem: str) -> dict[str, str]:
    """The public half of an Ed25519 key; its kid is the key's thumbprint (RFC 7638)."""
    private = load_pem_private_key(private_pem.encode(), password=None)
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    kid = _base64url(sha256(canonical.encode()).digest())
    return required | {"kid": kid, "alg": "EdDSA", "use": "sig"}


def _at(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["at"])


def _new_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
