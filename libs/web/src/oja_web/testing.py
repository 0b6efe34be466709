"""What the tests of services need: keys, tokens, and one way to read a problem."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from werkzeug.test import TestResponse

KEY_ID = "test-key"
ISSUER = "http://testserver"


@dataclass(frozen=True, slots=True)
class KeyPair:
    private_pem: str
    jwks: str


def make_key_pair(kid: str = KEY_ID) -> KeyPair:
    """A fresh Ed25519 pair: the private key as PEM, the public one as a JWKS."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public = jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return KeyPair(pem, json.dumps({"keys": [{**public, "kid": kid, "use": "sig"}]}))


def make_token(private_pem: str, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """An access token as a good issuer makes it, but good for longer than all tests take; replace
    any claim, or leave it out with `...`."""
    now = int(time.time())
    full = {
        "iss": ISSUER,
        "aud": "oja",
        "sub": str(uuid.uuid4()),
        "jti": uuid.uuid4().hex,
        "iat": now,
        "exp": now + 24 * 3600,
        "roles": ["customer"],
        "permissions": [],
        "email": "ada@example.com",
        "name": "Ada Obi",
        **claims,
    }
    kept = {name: value for name, value in full.items() if value is not ...}
    head = {"kid": KEY_ID, "typ": "at+jwt", **(headers or {})}
    if head["typ"] is ...:
        head["typ"] = None  # how PyJWT is told to leave it out
    if head["kid"] is ...:
        del head["kid"]
    return jwt.encode(kept, private_pem, algorithm="EdDSA", headers=head)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def problem(response: TestResponse, status: int | None = None, code: str | None = None) -> Any:
    """The body of a problem answer, after checking that it is a complete one (and this one)."""
    body = response.get_json(force=True)
    replayed = "Idempotent-Replayed" in response.headers  # keeps the id of the first request
    complete = (
        response.mimetype == "application/problem+json"
        and body["status"] == response.status_code
        and {"type", "title", "detail", "instance", "code"} <= body.keys()
        and (replayed or body["request_id"] == response.headers["X-Request-ID"])
    )
    if not complete:
        raise AssertionError(f"not a complete problem: {response.mimetype} {body}")
    if status not in (None, body["status"]) or code not in (None, body["code"]):
        raise AssertionError(f"another problem than {status} {code}: {body}")
    return body
