"""How views reach what bootstrap has wired."""

from datetime import timedelta
from typing import Any

from flask import current_app, request

from identity.bootstrap import SERVICE, Dependencies
from identity.entrypoints.emails import canonical_email
from identity.use_cases.commands.authentication import Credentials
from identity.use_cases.ports import Holder
from oja_web.throttling import network


def deps() -> Dependencies:
    wired: Dependencies = current_app.extensions[SERVICE]
    return wired


def credentials(body: dict[str, Any]) -> Credentials:
    """What the body of a sign-in says, and from where."""
    return Credentials(
        canonical_email(body["email"]),
        body["password"],
        request.remote_addr,
        network(request.remote_addr),
    )


def access_token(holder: Holder, lifetime: timedelta) -> str:
    return deps().access_tokens.issue(holder, lifetime)
