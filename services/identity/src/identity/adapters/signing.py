"""Access tokens (RFC 9068), signed with the one private key that only identity has."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from identity.use_cases.ports import Holder
from oja_web.public_keys import ALGORITHM, public_keys

AUDIENCE = "oja"


class WrongKey(Exception):
    """The private key is not an Ed25519 key, or nobody could verify what it signs."""


class TokenSigner:
    """`jwks` are the public keys that all services trust; the private key's must be among them."""

    def __init__(self, private_pem: str, jwks: str, issuer: str) -> None:
        self._key = _private_key(private_pem)
        self._kid = _key_id(self._key, jwks)
        self._issuer = issuer

    def issue(self, holder: Holder, lifetime: timedelta) -> str:
        now = datetime.now(UTC)
        user = holder.user
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(user.id),
            "jti": uuid.uuid4().hex,
            "iat": now,
            "exp": now + lifetime,
            "roles": sorted(user.roles),
            "permissions": sorted(holder.permissions),
            "gen": user.access_generation,
            "email": user.email.text,
            "name": user.profile.name,
        }
        if holder.sign_in_id:
            claims["sid"] = str(holder.sign_in_id)
        headers = {"kid": self._kid, "typ": "at+jwt"}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=headers)


def new_pair() -> tuple[str, dict[str, str]]:
    """A new private key as PEM, and its public half with an id of its own (RFC 7638)."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}
    thumbprint = sha256(json.dumps(required, separators=(",", ":"), sort_keys=True).encode())
    kid = _base64url(thumbprint.digest())
    return pem, required | {"kid": kid, "alg": ALGORITHM, "use": "sig"}


def published(jwks: str) -> dict[str, Any]:
    """The key set for everybody: checked, and nothing in it but what belongs there."""
    public_keys(jwks)
    wanted = ("kty", "crv", "x", "kid")
    return {
        "keys": [
            {**{name: key[name] for name in wanted}, "alg": ALGORITHM, "use": "sig"}
            for key in json.loads(jwks)["keys"]
        ]
    }


def _private_key(pem: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise WrongKey("JWT_PRIVATE_KEY is not a private key in PEM form") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongKey("JWT_PRIVATE_KEY is not an Ed25519 key")
    return key


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _key_id(key: Ed25519PrivateKey, jwks: str) -> str:
    mine = key.public_key()
    for kid, public in public_keys(jwks).items():
        if public == mine:
            return kid
    raise WrongKey("the public half of JWT_PRIVATE_KEY is not in JWT_PUBLIC_KEYS")
