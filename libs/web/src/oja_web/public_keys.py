"""Whose signatures are good: the keys of a JSON Web Key Set."""

import json
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ALGORITHM = "EdDSA"


def public_keys(jwks: str) -> dict[str, Ed25519PublicKey]:
    """The keys by id. Raises ValueError for anything but a set of Ed25519 public keys with ids."""
    try:
        entries = json.loads(jwks)["keys"]
        keys = {entry["kid"]: _public_key(entry) for entry in entries}
    except (KeyError, TypeError, json.JSONDecodeError, jwt.PyJWTError):
        raise ValueError("the JWKS is not a set of Ed25519 public keys with ids") from None
    if not keys or len(keys) != len(entries):
        raise ValueError("the JWKS is empty or uses a key id twice")
    return keys


def _public_key(entry: Mapping[str, Any]) -> Ed25519PublicKey:
    if "d" in entry:
        raise ValueError("the JWKS contains a private key")
    key = jwt.PyJWK(dict(entry), ALGORITHM).key
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("not an Ed25519 key")
    return key
