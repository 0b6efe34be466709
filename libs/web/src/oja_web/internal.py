"""Calls between our own processes: both sides know one token, and the gateway forwards none."""

import hmac

from flask import request

from oja_web.problems import Problem


def refuse_strangers(token: str) -> None:
    """Raise a Problem (401) unless the request shows the token."""
    shown = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(shown, f"Bearer {token}".encode()):
        raise Problem(
            401, "unauthenticated", "For services only.", headers={"WWW-Authenticate": "Bearer"}
        )
