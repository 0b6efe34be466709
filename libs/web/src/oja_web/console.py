"""What OpenAPI says of the admin console's session, which the gateway turns into a token.

Under /api/admin, instead of an access token a browser may show its session's cookie, and with
every method that changes something the session's CSRF token.
"""

from typing import Any

ADMIN_PREFIX = "/api/admin/"
BEARER, COOKIE, CSRF = "bearerAuth", "sessionCookie", "csrfToken"
SCHEMES = {
    BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    COOKIE: {"type": "apiKey", "in": "cookie", "name": "oja_session"},
    CSRF: {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
}
_UNSAFE = {"post", "put", "patch", "delete"}


def with_console(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the session as another way in, wherever staff may show a token."""
    paths = {
        path: {method: _documented(path, method, each) for method, each in item.items()}
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}


def _documented(path: str, method: str, operation: Any) -> Any:
    if not path.startswith(ADMIN_PREFIX) or "security" not in operation:
        return operation
    session: dict[str, list[str]] = {COOKIE: [], **({CSRF: []} if method in _UNSAFE else {})}
    ways = [way for way in operation["security"] if COOKIE not in way]
    takes_session = len(ways) < len(operation["security"]) or {BEARER: []} in ways
    return {**operation, "security": [*ways, session] if takes_session else ways}
