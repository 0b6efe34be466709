"""Cloudinary's signatures: plain hashes with the secret at the end, not HMACs."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

from sandbox.books import at_text
from sandbox.cloudinary.errors import CloudinaryError

UNSIGNED = {"file", "cloud_name", "resource_type", "api_key", "signature"}
LIFETIME = 3600  # seconds after its timestamp during which a signature counts


def string_to_sign(params: Mapping[str, str], version: int = 2) -> str:
    """Version 2 escapes `&` inside a pair, version 1 does not."""
    pairs = [f"{name}={value}" for name, value in params.items() if value and name not in UNSIGNED]
    if version == 2:
        pairs = [pair.replace("&", "%26") for pair in pairs]
    return "&".join(sorted(pairs))


def sign(text: str, secret: str, length: int = 40) -> str:
    """SHA-1 (40 hex digits) or SHA-256 (64), chosen by the length that is wanted."""
    return _hash(text + secret, length).hexdigest()


def sign_delivery(path: str, secret: str, length: int = 8) -> str:
    """The X of `s--X--` for `<transformations>/<public_id>`: 8 characters, or the long 32."""
    digest = _hash(path + secret, 64 if length == 32 else 40).digest()
    return base64.urlsafe_b64encode(digest).decode()[:length]


def check(params: Mapping[str, str], secret: str) -> None:
    """Refuse a request that is stale or not signed by the holder of the secret."""
    _check_age(params.get("timestamp", ""))
    given = params.get("signature", "")
    texts = [string_to_sign(params, version) for version in (2, 1)]
    if not any(_same(sign(text, secret, len(given)), given) for text in texts):
        raise CloudinaryError(401, f"Invalid Signature {given}. String to sign - '{texts[0]}'.")


def _check_age(timestamp: str) -> None:
    if not timestamp.isdecimal():
        raise CloudinaryError(400, "Missing required parameter - timestamp")
    if int(timestamp) < time.time() - LIFETIME:
        moment = at_text(int(timestamp))[:19].replace("T", " ")
        raise CloudinaryError(
            400,
            f"Stale request - reported time is {moment} +0000 which is more than 1 hour ago",
        )


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode())


def _hash(text: str, length: int) -> "hashlib._Hash":
    if length == 64:
        return hashlib.sha256(text.encode())
    return hashlib.sha1(text.encode())  # noqa: S324  the provider's choice, not ours  # nosec B324
