"""Random secrets that their holder shows to be let in; we keep digests of them only."""

import hashlib
import hmac
import secrets

SECRET_BYTES = 32


def new_secret() -> str:
    """256 random bits, fit for a URL, a header and a cookie."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> bytes:
    """What is stored. The secret is random, so a plain hash cannot be searched for."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_token(session_secret: str) -> str:
    """Proof that a request was written by a page that could read the session's answers.

    It follows from the session's secret, so there is nothing to store and no other session's
    token fits; the secret cannot be worked out from it.
    """
    return hmac.new(session_secret.encode(), b"oja csrf token", hashlib.sha256).hexdigest()


def is_csrf_token(session_secret: str, shown: str) -> bool:
    """Compared in constant time, as bytes, since the client may show anything."""
    return hmac.compare_digest(csrf_token(session_secret).encode(), shown.encode())
